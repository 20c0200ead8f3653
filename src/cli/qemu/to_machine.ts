/** Settings to a Machine: defaults, and what must not stand together. */

import type { HostLimits } from "../machine/check.ts";
import type { Machine, Network, Serial } from "../machine/machine.ts";
import { type Settings, UsageError } from "./options.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/**
 * The machine that a command line describes.
 *
 * @throws {UsageError} When there is nothing to boot, or options contradict each other.
 */
export async function describe(
  settings: Settings,
  limits: HostLimits,
  rosetta: "notSupported" | "notInstalled" | "installed" = "notSupported",
): Promise<Machine> {
  const half = Math.floor(limits.memory.maximum / 2 / MiB) * MiB;
  const { name, machineId, shares } = settings;
  return {
    ...name === undefined ? {} : { name },
    ...machineId === undefined ? {} : { machineId },
    boot: bootOf(settings),
    memory: settings.memory ?? Math.min(4 * GiB, half),
    processors: settings.processors ?? Math.min(4, limits.processors.maximum),
    disks: settings.disks.map((disk) => ({
      ...disk,
      snapshot: !disk.readOnly && (disk.snapshot ?? settings.snapshot), // what is not written needs no clone
    })),
    shares,
    ...rosettaShare(settings.rosetta, rosetta),
    serial: consoles(settings.serial),
    network: await networks(settings.network, name),
    ...typeof settings.display === "object" ? { display: settings.display } : {},
  };
}

function bootOf(settings: Settings): Machine["boot"] {
  const { kernel, initrd, append, efi, efiVariables } = settings;
  if (kernel !== undefined) {
    if (efi) {
      throw new UsageError(
        `-efi${
          efiVariables ? "-vars" : ""
        } and -kernel exclude each other: with a kernel there is no firmware`,
      );
    }
    return {
      from: "linux",
      kernel,
      ...initrd === undefined ? {} : { initrd },
      ...append === undefined ? {} : { commandLine: append },
    };
  }
  if (append !== undefined) throw new UsageError("-append needs -kernel: it is the kernel's command line");
  if (initrd !== undefined) throw new UsageError("-initrd needs -kernel: it is the kernel that reads it");
  if (!efi && !settings.cd) {
    const hint = settings.disks.length > 0
      ? "-efi boots from the disk"
      : "-cd boots a CD, -help lists all options";
    throw new UsageError(`nothing to boot: give a kernel with -kernel FILE (${hint})`);
  }
  if (settings.disks.length === 0) throw new UsageError("-efi needs a disk to boot from, as in -hda FILE");
  return { from: "efi", ...efiVariables === undefined ? {} : { variables: efiVariables } };
}

function rosettaShare(wanted: string | null | undefined, availability: string): { rosetta?: string } {
  if (wanted === null) return {};
  if (availability === "installed") return { rosetta: wanted ?? "rosetta" };
  if (wanted === undefined) return {};
  throw new UsageError(
    availability === "notInstalled"
      ? "-rosetta: Rosetta is not installed; softwareupdate --install-rosetta installs it"
      : "-rosetta: this computer has no Rosetta, which is of Macs with Apple silicon and macOS 13",
  );
}

function networks(network: Settings["network"], name: string | undefined): Promise<Network[]> {
  if (network.includes("none") && network.length > 1) throw new UsageError("-nic none stands alone");
  const nat: Network = { attachment: "nat" };
  const cards = network.length > 0 ? network.filter((card) => card !== "none") : [nat];
  return Promise.all(cards.map(async (card, i) => ({ ...card, mac: card.mac ?? await macAddress(name, i) })));
}

/** A locally administered address: of a named machine always the same, else a random one. */
async function macAddress(name: string | undefined, card: number): Promise<string> {
  const bytes = name === undefined ? crypto.getRandomValues(new Uint8Array(5)) : new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${name}\0${card}`)),
    0,
    5,
  );
  return ["02", ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

function consoles(serial: Settings["serial"]): Serial[] {
  if (serial.length === 0) return [{ to: "stdio" }];
  if (serial.includes("none") && serial.length > 1) throw new UsageError("-serial none stands alone");
  const ports = serial.filter((port) => port !== "none");
  if (ports.filter((port) => port.to === "stdio").length > 1) {
    throw new UsageError("-serial stdio is given twice: there is one stdin");
  }
  return ports;
}
