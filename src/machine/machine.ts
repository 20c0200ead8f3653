/** What a virtual machine is: plain data, the same that `-dry-run` prints; its defaults, and the check of it. */

import { normalMAC } from "../host/mac_address.ts";
import {
  type Limits,
  requireMacOS,
  UnavailableError,
  VZGenericPlatformConfiguration,
  VZXHCIControllerConfiguration,
} from "../vz/mod.ts";
import { type Boot, checkBoot } from "./boot.ts";
import type { CloudInit } from "./cloud_init.ts";
import { checkDisk, completeDisk, type Disk, type DiskSource } from "./disk.ts";
import { checkDisplay, type Display, DISPLAY_DEFAULTS } from "./display.ts";
import { MachineError, refusable, Setting } from "./error.ts";
import { checkConflicts } from "./file_conflicts.ts";
import { checkUUID } from "./identity.ts";
import { checkNetwork, makeMAC, type Network } from "./network.ts";
import type { ProgramFile } from "./run_context.ts";
import { checkSerial, MOST_CONSOLES, type Serial } from "./serial.ts";
import { checkShape } from "./shape.ts";
import { checkShares, type Share } from "./share.ts";
import type { Vsock } from "./vsock.ts";

/** A virtual machine. */
export interface Machine {
  /** For people. */
  name?: string;
  /** File of the identity that the guest sees, made when missing. */
  machineId?: string;
  /** That identity as a UUID, instead of a file. */
  uuid?: string;
  /** What is started. */
  boot: Boot;
  /** In bytes. */
  memory: number;
  /** Virtual ones. */
  processors: number;
  /** In the order in which the guest finds them. */
  disks: Disk[];
  /** Folders of the host's. */
  shares: Share[];
  /** Tag of the share with Rosetta, which runs x86_64 programs on Apple silicon. */
  rosetta?: string;
  /** hvc0, hvc1 … in this order. */
  serial: Serial[];
  /** In the order in which the guest finds them. */
  network: Network[];
  /** Sockets between the host and the guest, which need no network; without it there are none. */
  vsock?: Vsock;
  /** Without it there is no screen, keyboard or pointer. */
  display?: Display;
  /**
   * Has a USB controller to which disks can be attached while it runs; from macOS 15 on a machine that has a disk on USB
   * has one too. macOS 15.
   */
  usb?: boolean;
  /** What cloud-init in the guest is told, on a volume that is the last disk. */
  cloudInit?: CloudInit;
  /** The guest can have guests of its own. macOS 15, on an M3 or later. */
  nested?: boolean;
}

/** What a machine is to be. Only what it boots, and the files and folders of what it has, must be said. */
export interface Description extends Partial<Omit<Machine, "boot" | "disks" | "shares" | "display">> {
  /** What is started. */
  boot: Boot;
  /** In the order in which the guest finds them; on virtio, to be read and written, by default. */
  disks?: (Partial<Disk> & Pick<Disk, "file">)[];
  /** Folders of the host's; to be read and written by default. */
  shares?: (Partial<Share> & Omit<Share, "readOnly">)[];
  /** Without it there is no screen, keyboard or pointer; 800x600 pixels by default. */
  display?: Partial<Display>;
}

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/**
 * A machine with all that was not said: 4 GiB of memory or half of what the host allows, whichever is less, 4
 * processors or the host's, a console as streams, and a network card on NAT. Cards get MAC addresses.
 *
 * @throws {MachineError} When the description is made of something else than it should.
 */
export async function complete(description: Description, limits: Limits): Promise<Machine> {
  description = checkShape(description);
  const { name, machineId, uuid, boot, rosetta, vsock, display, usb, cloudInit, nested } = description;
  const half = Math.floor(limits.memory.maximum / 2 / MiB) * MiB;
  const network = description.network ?? [{ kind: "nat" }];
  const serial = description.serial ?? [{ kind: "stream" }]; // without one, and without a screen, EFI hangs
  return {
    ...name !== undefined && { name },
    ...machineId !== undefined && { machineId },
    ...uuid !== undefined && { uuid },
    boot,
    memory: description.memory ?? Math.min(4 * GiB, half),
    processors: description.processors ?? Math.min(4, limits.processors.maximum),
    disks: description.disks?.map((disk) => completeDisk(disk)) ?? [],
    shares: description.shares?.map((share) => ({ readOnly: false, ...share })) ?? [],
    ...rosetta !== undefined && { rosetta },
    serial: serial.length > 0 || boot.kind === "linux" || display ? serial : [{ kind: "null" }],
    network: await Promise.all(
      network.map(async (card, i) => ({
        ...card,
        mac: card.mac === undefined ? await makeMAC(name, i) : normalMAC(card.mac),
      })),
    ),
    ...vsock && { vsock },
    ...display && { display: { ...DISPLAY_DEFAULTS, ...display } },
    ...usb && { usb },
    ...cloudInit && { cloudInit },
    ...nested && { nested },
  };
}

/**
 * Checks a machine against the files and the host.
 *
 * @param files What the program writes beside it.
 * @returns The forms of its disks' images.
 * @throws {MachineError} For the first thing that is not fit.
 */
export async function checkMachine(
  machine: Machine,
  limits: Limits,
  files: readonly ProgramFile[] = [],
): Promise<DiskSource[]> {
  await checkLimits(machine, limits);
  await checkBoot(machine.boot);
  const formats: DiskSource[] = [];
  for (const [i, disk] of machine.disks.entries()) formats.push(await checkDisk(disk, `disks[${i}]`));
  checkShares(machine.shares, machine.rosetta);
  if (machine.serial.length > MOST_CONSOLES) {
    const reason = `${machine.serial.length} consoles: a machine has ${MOST_CONSOLES} at the most`;
    throw new MachineError(reason, { field: "serial" });
  }
  for (const [i, port] of machine.serial.entries()) await checkSerial(port, `serial[${i}]`);
  const second = machine.serial.findLastIndex(({ kind }) => kind === "stdio");
  if (second > machine.serial.findIndex(({ kind }) => kind === "stdio")) {
    throw new MachineError("stdio is given twice: there is one stdin", { field: `serial[${second}]` });
  }
  if (machine.boot.kind === "efi" && machine.disks.length === 0) {
    throw new MachineError("EFI needs a disk or a CD to boot from", { field: "boot" });
  }
  const { machineId, uuid, vsock, display, usb, cloudInit, nested } = machine;
  if (usb) refuseWithoutUSB();
  if (nested) refuseWithoutNesting();
  if (uuid !== undefined) checkUUID(uuid, machineId);
  if (machineId !== undefined) {
    const { checkOutputFile } = await import("../host/output_file.ts");
    refusable("machineId", `cannot write '${machineId}'`, () => checkOutputFile(machineId));
  }
  if (vsock) (await import("./vsock.ts")).checkVsock(vsock, machine.boot);
  if (cloudInit) await (await import("./cloud_init.ts")).checkCloudInit(cloudInit);
  await checkConflicts(machine, files);
  for (const { what, path, check } of files) {
    refusable(undefined, `cannot use ${what} '${path}'`, () => check?.());
  }
  checkNetwork(machine.network);
  if (display) checkDisplay(display);
  return formats;
}

function refuseWithoutUSB(): void {
  try {
    requireMacOS("", VZXHCIControllerConfiguration.api.macOS);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new MachineError([new Setting("usb", true), error.message], { field: "usb", cause: error });
  }
}

function refuseWithoutNesting(): void {
  const fail = (reason: string, cause?: unknown): never => {
    throw new MachineError([new Setting("nested", true), `: ${reason}`], { field: "nested", cause });
  };
  try {
    if (VZGenericPlatformConfiguration.nestedVirtualizationIsSupported) return;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    fail(error.message, error);
  }
  fail("this computer lets no guest have guests: that needs an M3 or a later chip");
}

async function checkLimits({ memory, processors }: Machine, limits: Limits): Promise<void> {
  const fail = (field: string, reason: string): never => {
    throw new MachineError(reason, { field });
  };
  if (memory % MiB !== 0) fail("memory", "memory must be a whole number of MiB");
  if (memory < limits.memory.minimum) {
    const { formatBytes } = await import("./format_bytes.ts");
    const [wanted, least] = [formatBytes(memory), formatBytes(limits.memory.minimum)];
    fail("memory", `${wanted} is too little memory: a machine needs at least ${least}`);
  }
  if (memory > limits.memory.maximum) {
    const { formatBytes } = await import("./format_bytes.ts");
    const [wanted, most] = [formatBytes(memory), formatBytes(limits.memory.maximum)];
    fail("memory", `${wanted} is more memory than this host allows (${most})`);
  }
  const { minimum, maximum } = limits.processors;
  if (!(Number.isInteger(processors) && processors >= minimum && processors <= maximum)) {
    fail("processors", `${processors} processors: this host allows ${minimum} to ${maximum}`);
  }
}
