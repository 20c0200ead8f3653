/** Settings to the description of a machine: what must not stand together. */

import type { CloudInit } from "../../machine/cloud_init.ts";
import type { Boot } from "../../machine/boot.ts";
import type { Description, Machine } from "../../machine/machine.ts";
import type { PartialDescription } from "../../machine/restore.ts";
import type { Network } from "../../machine/network.ts";
import type { Serial } from "../../machine/serial.ts";
import type { Share } from "../../machine/share.ts";
import type { Settings } from "./settings.ts";
import { UsageError } from "./usage_error.ts";

/**
 * The machine that a command line describes.
 *
 * @param rosetta Whether this computer has Rosetta.
 * @throws {UsageError} When there is nothing to boot, or options contradict each other.
 */
export function toMachine(
  settings: Settings,
  rosetta: "notSupported" | "notInstalled" | "installed" = "notSupported",
): Description {
  const { name, machineId, uuid, memory, processors, shares, display, usb, nested } = settings;
  checkStart(settings);
  return {
    name,
    machineId,
    uuid,
    boot: toBoot(settings),
    memory,
    processors,
    disks: toDisks(settings),
    shares: toShares(shares),
    rosetta: toRosetta(settings.rosetta, rosetta),
    serial: toSerial(settings),
    network: toNetwork(settings),
    ...toVsock(settings),
    ...typeof display === "object" && { display },
    ...usb && { usb },
    cloudInit: toCloudInit(settings),
    ...nested && { nested },
  };
}

/**
 * What a command line says of a saved machine that goes on; the rest is as it was.
 *
 * @throws {UsageError} When options contradict each other.
 */
export function toRestored(settings: Settings, saved: Machine): PartialDescription {
  const { name, machineId, uuid, memory, processors, shares, display, usb, nested } = settings;
  const { kernel, initrd, append, efi } = settings;
  checkStart(settings);
  const isBootSaid = efi || [kernel, initrd, append].some((value) => value !== undefined);
  if (saved.display && typeof display !== "object") {
    throw new UsageError("-nographic and -display none: the machine was saved with a screen");
  }
  const forked = settings.snapshot ? saved.disks : undefined;
  return {
    name,
    machineId,
    uuid,
    ...isBootSaid && { boot: toBoot({ ...settings, disks: saved.disks }) },
    memory,
    processors,
    disks: settings.disks.length > 0
      ? toDisks(settings)
      : forked?.map((disk) => ({ ...disk, snapshot: !disk.readOnly })),
    ...shares.length > 0 && { shares: toShares(shares) },
    ...typeof settings.rosetta === "string" && { rosetta: settings.rosetta },
    serial: settings.serial.length > 0 ? toSerial(settings) : consolesOf(saved, settings),
    ...settings.network.length > 0 && { network: toNetwork(settings) },
    ...toVsock(settings),
    ...typeof display === "object" && { display: { ...saved.display, ...display } },
    ...usb && { usb },
    ...nested && { nested },
  };
}

function checkStart({ startsPaused, qmp }: Settings): void {
  if (startsPaused && !qmp) throw new UsageError("-S needs -qmp: its cont starts the machine");
}

/**
 * The consoles of a saved machine, without the streams of the program that had it: stdio is in the place of the first. A
 * daemon has no stdio.
 */
function consolesOf({ serial }: Machine, { daemonize }: Settings): Serial[] {
  const stdio: Serial = { kind: daemonize ? "null" : "stdio" };
  const first = serial.some(({ kind }) => kind === "stdio")
    ? -1
    : serial.findIndex(({ kind }) => kind === "stream");
  return serial.map((port, i) => {
    if (port.kind === "stdio" || i === first) return stdio;
    if (port.kind === "stream") return { kind: "null" };
    return port.kind === "file" ? { ...port, append: true } : port; // what it says goes on, too
  });
}

function toDisks(settings: Settings): Description["disks"] {
  return settings.disks.map(({ index: _, bootIndex: __, slot: ___, ...disk }) => ({
    ...disk,
    snapshot: !disk.readOnly && (disk.snapshot ?? settings.snapshot), // what is not written needs no clone
  }));
}

function toVsock({ vsock, ready }: Settings): Pick<Description, "vsock"> {
  return vsock ? { vsock: { ...vsock.length > 0 && { join: vsock }, ...ready && { ready: true } } } : {};
}

/** qemu gives each share an id, which says something only where several have one tag. */
function toShares(shares: Share[]): Share[] {
  return shares.map(({ name, ...share }) => {
    const isAlone = shares.filter(({ tag }) => tag === share.tag).length === 1;
    return isAlone || name === undefined ? share : { ...share, name };
  });
}

function toCloudInit({ cloudInit, sshKeys }: Settings): CloudInit | undefined {
  if (!sshKeys) return cloudInit;
  if (!cloudInit) return { sshKeys: sshKeys.map((file) => ({ file })) };
  throw new UsageError(
    "-ssh-key makes user-data of its own: ssh_authorized_keys in -cloud-init's says the same",
  );
}

function toBoot(settings: Settings): Boot {
  const { kernel, initrd, append, efi, efiVariables } = settings;
  if (kernel !== undefined) {
    if (efi) {
      const option = efiVariables ? "-efi-vars" : "-efi";
      throw new UsageError(`${option} and -kernel exclude each other: with a kernel there is no firmware`);
    }
    return {
      kind: "linux",
      kernel,
      ...initrd !== undefined && { initrd },
      ...append !== undefined && { commandLine: append },
    };
  }
  if (append !== undefined) throw new UsageError("-append needs -kernel: it is the kernel's command line");
  if (initrd !== undefined) throw new UsageError("-initrd needs -kernel: it is the kernel that reads it");
  if (settings.disks.length === 0) {
    if (efi) throw new UsageError("-efi needs a disk to boot from, as in -hda FILE");
    throw new UsageError(
      "nothing to boot: give a kernel with -kernel FILE (-cd boots a CD, -help lists all options)",
    );
  }
  return { kind: "efi", ...efiVariables !== undefined && { variables: efiVariables } };
}

/** The tag of Rosetta's share. */
function toRosetta(wanted: string | null | undefined, availability: string): string | undefined {
  if (wanted === null) return undefined;
  if (availability === "installed") return wanted ?? "rosetta";
  if (wanted === undefined) return undefined;
  throw new UsageError(
    availability === "notInstalled"
      ? "-rosetta: Rosetta is not installed; softwareupdate --install-rosetta installs it"
      : "-rosetta: this computer has no Rosetta, which is of Macs with Apple silicon and macOS 13",
  );
}

function toNetwork({ network, noDefaults }: Settings): Network[] | undefined {
  if (network.includes("none") && network.length > 1) throw new UsageError("-nic none stands alone");
  return network.length === 0 && !noDefaults ? undefined : network.filter((card) => card !== "none");
}

function toSerial({ serial, noDefaults }: Settings): Serial[] {
  if (serial.length === 0) return noDefaults ? [] : [{ kind: "stdio" }];
  if (serial.includes("none") && serial.length > 1) throw new UsageError("-serial none stands alone");
  return serial.filter((port) => port !== "none" && !("chardev" in port)) as Serial[];
}
