/** What `GET /vm/inspect` tells: the line in vfkit's JSON, in which most of what is false or empty is left out. */

import type { Device } from "./devices.ts";
import type { Bootloader, Line } from "./line.ts";

type JSONObject = Record<string, unknown>;

/** A line's machine as vfkit tells of it; the names of pseudo-terminals are known when it runs. */
export function inspect(line: Line, bootloader: Bootloader): JSONObject {
  const { cpus, memory, devices, timeSync, ignition, nested } = line;
  const screen = line.gui ? devices.find(({ type }) => type === "virtio-gpu") : undefined;
  return {
    vcpus: cpus,
    memoryBytes: memory * 2 ** 20,
    bootloader: inspectBootloader(bootloader),
    ...devices.length > 0 && { devices: devices.map((device) => inspectDevice(device, device === screen)) },
    ...timeSync !== undefined && { timesync: { vsockPort: timeSync } },
    ...ignition !== undefined && { ignition: { kind: "ignition", configPath: ignition } },
    ...nested && { nested },
  };
}

function inspectBootloader(bootloader: Bootloader): JSONObject {
  if (bootloader.type === "efi") {
    const { store = "", create } = bootloader;
    return { kind: "efiBootloader", efiVariableStorePath: store, createVariableStore: create };
  }
  const { kernel, commandLine = "", initrd = "" } = bootloader;
  return { kind: "linuxBootloader", vmlinuzPath: kernel, kernelCmdLine: commandLine, initrdPath: initrd };
}

const KINDS = {
  "virtio-blk": "virtioblk",
  nvme: "nvme",
  "usb-mass-storage": "usbmassstorage",
  "virtio-rng": "virtiorng",
  "virtio-balloon": "virtioballoon",
} as const;

/** @param hasWindow Whether a window shows this screen. */
function inspectDevice(device: Device, hasWindow: boolean): JSONObject {
  switch (device.type) {
    case "virtio-blk":
    case "nvme":
    case "usb-mass-storage": {
      const { type, path, backing, readOnly, id } = device;
      return {
        kind: KINDS[type],
        devName: type,
        imagePath: path,
        ...readOnly && { readOnly },
        ...backing && { type: backing },
        ...id !== undefined && { deviceIdentifier: id },
      };
    }
    case "nbd": {
      const { uri, id = "", timeout, sync, readOnly } = device;
      return {
        kind: "nbd",
        devName: "nbd",
        uri,
        ...readOnly && { readOnly },
        DeviceIdentifier: id,
        Timeout: timeout * 1_000_000,
        SynchronizationMode: sync,
      };
    }
    case "virtio-net": {
      const { mac, plug } = device;
      return {
        kind: "virtionet",
        nat: plug.kind === "nat",
        ...mac !== undefined && { macAddress: mac },
        ...(plug.kind === "datagram" || plug.kind === "stream") && { unixSocketPath: plug.path },
        ...plug.kind === "datagram" && plug.magic && { vfkitMagic: true },
      };
    }
    case "virtio-serial": {
      const { to } = device;
      if (typeof to === "object") return { kind: "virtioserial", logFile: to.file };
      return { kind: "virtioserial", ...to === "stdio" ? { usesStdio: true } : { usesPty: true } };
    }
    case "virtio-rng":
    case "virtio-balloon":
      return { kind: KINDS[device.type] };
    case "virtio-input":
      return { kind: "virtioinput", inputType: device.input };
    case "virtio-gpu":
      return { kind: "virtiogpu", usesGUI: hasWindow, width: device.width, height: device.height };
    case "virtio-fs":
      return { kind: "virtiofs", mountTag: device.tag, sharedDir: device.folder };
    case "rosetta": {
      const { tag, install, ignoreIfMissing } = device;
      return { kind: "rosetta", mountTag: tag, installRosetta: install, ignoreIfMissing };
    }
    case "virtio-vsock": {
      const { port, url, listen } = device;
      return { kind: "virtiosock", port, socketURL: url, ...listen && { listen } };
    }
  }
}
