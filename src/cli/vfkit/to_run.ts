/** A line in vfkit's words to a run: what must not stand together. */

import type { Boot } from "../../machine/boot.ts";
import { isImage } from "../../machine/disk_place.ts";
import type { Description } from "../../machine/machine.ts";
import type { Network } from "../../machine/network.ts";
import type { Serial } from "../../machine/serial.ts";
import type { RunOptions } from "../run_options.ts";
import { UsageError } from "../usage_error.ts";
import { toCloudInit } from "./cloud_init.ts";
import { type Device, type Plug, socketPath } from "./devices.ts";
import { inspect } from "./inspect.ts";
import type { Bootloader, Line } from "./line.ts";

/** As vfkit has it, in seconds. */
const GRACE = 5;

/** Where Ignition asks for its file. */
const IGNITION_PORT = 1024;

type Rosetta = "notSupported" | "notInstalled" | "installed";
type Disks = NonNullable<Description["disks"]>;
type Of<Type extends Device["type"]> = Extract<Device, { type: Type }>;

/**
 * The run that a line asks for.
 *
 * @param rosetta Whether this computer has Rosetta.
 * @throws {UsageError} When there is nothing to boot, words contradict each other, or something cannot be.
 */
export function toRun(line: Line, rosetta: Rosetta = "notSupported"): RunOptions {
  const whole = line.gui ? { ...line, devices: withScreen(line.devices) } : line;
  const bootloader = bootloaderOf(whole);
  return {
    description: toMachine(whole, bootloader, rosetta),
    window: whole.gui,
    verbosity: whole.verbosity,
    pidFile: whole.pidFile,
    ...whole.rest && { rest: { place: whole.rest, inspect: inspect(whole, bootloader) } },
    ignition: whole.ignition,
    timeSync: whole.timeSync,
    ending: { grace: GRACE, exitCode: 0 },
  };
}

/** A screen and a keyboard, if none was named. */
function withScreen(devices: readonly Device[]): Device[] {
  const has = (type: Device["type"]) => devices.some((device) => device.type === type);
  return [
    ...devices,
    ...has("virtio-gpu") ? [] : [{ type: "virtio-gpu", width: 800, height: 600 } as const],
    ...has("virtio-input") ? [] : [{ type: "virtio-input", input: "keyboard" } as const],
  ];
}

function bootloaderOf({ program, bootloader, older }: Line): Bootloader {
  const { kernel, initrd, commandLine } = older;
  const given = [kernel, initrd, commandLine].filter((value) => value !== undefined).length;
  if (given > 0 && bootloader) {
    throw new UsageError("--bootloader and --kernel exclude each other, with what goes with that");
  }
  if (given > 0 && given < 3) {
    throw new UsageError(
      "--kernel, --initrd and --kernel-cmdline go together: --bootloader linux has what it has",
    );
  }
  if (given > 0) return { type: "linux", kernel: kernel!, initrd, commandLine };
  if (bootloader) return bootloader;
  if (program === "krunkit") return { type: "efi", create: false }; // it has no other
  throw new UsageError("nothing to boot: --bootloader is missing");
}

function toMachine(line: Line, bootloader: Bootloader, rosetta: Rosetta): Description {
  refuse(line);
  const { cpus, memory, devices } = line;
  const all = <T extends Device["type"]>(...types: T[]) =>
    devices.filter((device): device is Of<T> => (types as string[]).includes(device.type));
  const [screen] = all("virtio-gpu");
  const vsock = all("virtio-vsock");
  const needsVsock = vsock.length > 0 || line.ignition !== undefined || line.timeSync !== undefined;
  const hasScreen = screen !== undefined || all("virtio-input").length > 0;
  const tag = rosettaTag(all("rosetta"), rosetta);
  return {
    boot: toBoot(bootloader),
    processors: cpus,
    memory: memory * 2 ** 20,
    disks: all("virtio-blk", "nvme", "usb-mass-storage", "nbd").map(toDisk),
    shares: all("virtio-fs").map(({ folder, tag, readOnly }) => ({ tag, folder, readOnly })),
    ...tag !== undefined && { rosetta: tag },
    serial: all("virtio-serial").map(toSerial),
    network: all("virtio-net").map(({ mac, plug }) => ({ ...mac !== undefined && { mac }, ...toPlug(plug) })),
    ...needsVsock && {
      vsock: {
        join: vsock.map(({ port, url, listen }) => ({
          kind: listen ? "listen" : "connect",
          port,
          path: socketPath(url),
        })),
      },
    },
    ...line.cloudInit.length > 0 && { cloudInit: toCloudInit(line.cloudInit) },
    ...hasScreen && { display: screen ? { width: screen.width, height: screen.height } : {} },
    ...line.nested && { nested: true },
  };
}

function toDisk(device: Of<"virtio-blk" | "nvme" | "usb-mass-storage" | "nbd">): Disks[number] {
  const { readOnly, id } = device;
  const both = { readOnly, ...id !== undefined && { serial: id } };
  if (device.type === "nbd") {
    const { uri, timeout, sync } = device;
    return { ...both, file: uri, timeout: timeout / 1000, cache: sync === "none" ? "unsafe" : "writeback" };
  }
  const { type, path, format } = device;
  return { ...both, file: path, interface: INTERFACES[type], ...format && { format } };
}

const INTERFACES = { "virtio-blk": "virtio", nvme: "nvme", "usb-mass-storage": "usb" } as const;

function refuse({ devices, ignition }: Line): void {
  const has = (check: (device: Device) => boolean) => devices.some(check);
  for (const device of devices) {
    if (!("backing" in device) || device.backing === undefined) continue;
    if (device.backing === "dev" && isImage(device.path)) {
      throw new UsageError(`--device: type=dev: '${device.path}' is no device: /dev/rdisk4 is one`);
    }
    if (device.backing === "image" && !isImage(device.path)) {
      throw new UsageError(`--device: type=image: '${device.path}' is a device: type=dev`);
    }
  }
  const served = has((device) =>
    device.type === "virtio-vsock" && device.listen && device.port === IGNITION_PORT
  );
  if (served && ignition !== undefined) {
    throw new UsageError("--ignition and virtio-vsock,port=1024 exclude each other: both answer there");
  }
  if (devices.filter(({ type }) => type === "virtio-gpu").length > 1) {
    throw new UsageError("--device virtio-gpu is given twice: a machine has one screen");
  }
}

function toBoot(bootloader: Bootloader): Boot {
  if (bootloader.type === "efi") {
    const { store, create } = bootloader;
    return { kind: "efi", ...store !== undefined && { variables: store }, ...create && { overwrite: true } };
  }
  const { kernel, initrd, commandLine } = bootloader;
  return {
    kind: "linux",
    kernel,
    ...initrd !== undefined && { initrd },
    ...commandLine !== undefined && { commandLine },
  };
}

function toSerial({ to }: Of<"virtio-serial">): Serial {
  return typeof to === "object" ? { kind: "file", path: to.file } : { kind: to };
}

function toPlug(plug: Plug): Network {
  switch (plug.kind) {
    case "nat":
      return { kind: "nat" };
    case "descriptor":
      return { kind: "descriptor", descriptor: plug.descriptor };
    case "datagram":
      return { kind: "dgram", remote: plug.path, ...plug.magic && { magic: true } };
    case "stream":
      return { kind: "stream", address: { kind: "unix", path: plug.path } };
  }
}

/** The tag of Rosetta's share, if there is to be one. */
function rosettaTag([device, second]: Of<"rosetta">[], availability: Rosetta): string | undefined {
  if (second) throw new UsageError("--device rosetta is given twice");
  if (!device) return undefined;
  const willBe = availability === "notInstalled" && device.install;
  if (availability === "installed" || willBe) return device.tag;
  if (device.ignoreIfMissing) return undefined;
  throw new UsageError(
    availability === "notInstalled"
      ? "--device rosetta: Rosetta is not installed; the word install, or softwareupdate --install-rosetta, installs it"
      : "--device rosetta: this computer has no Rosetta, which is of Macs with Apple silicon and macOS 13",
  );
}
