/** Checks a machine against the files and the host before anything starts. */

import { DISK_HEAD, diskFormat } from "../images/disk.ts";
import { isISO, ISO_MARK } from "../images/iso.ts";
import { MachineError } from "./error.ts";
import { checkOutput, exists, open, readAt, reason, unfit } from "./files.ts";
import type { Disk, DiskFormat, Display, Machine, Network, Serial, Share } from "./machine.ts";
import { checkUses } from "./uses.ts";

/** What the host allows; memory in bytes. */
export interface HostLimits {
  memory: { minimum: number; maximum: number };
  processors: { minimum: number; maximum: number };
}

const MiB = 1024 * 1024;

/** A number of bytes for people: `23.5 GiB`. */
export function formatBytes(bytes: number): string {
  const [size, unit] = bytes >= 1024 * MiB ? [bytes / MiB / 1024, "GiB"] : [bytes / MiB, "MiB"];
  return `${Math.floor(size * 10) / 10} ${unit}`;
}

const SECTOR = 512;

/**
 * The form of a disk's image: the one that was said, or that its first bytes show.
 *
 * @throws {MachineError} When it is none that can be used.
 */
export function diskFormatOf({ file, format, size }: Disk): DiskFormat {
  if (format !== undefined) return format;
  if (size !== undefined && !exists(file, "disk")) return "raw";
  try {
    return diskFormat(readAt("disk", file, 0, DISK_HEAD));
  } catch (error) {
    throw unfit(`cannot use disk '${file}'`, error);
  }
}

/**
 * Checks a disk, as far as that can be done without opening an image that is not raw.
 *
 * @throws {MachineError} For the first thing that is not fit.
 */
export function checkDisk(disk: Disk): void {
  const { file, size } = disk;
  if (size !== undefined && (size === 0 || size % SECTOR !== 0)) {
    throw new MachineError(`disk '${file}': size= must be a whole number of ${SECTOR}-byte sectors`);
  }
  if (size !== undefined && !exists(file, "disk")) return checkOutput(file);
  if (diskFormatOf(disk) !== "raw") return open("disk", file).close();
  using image = open("disk", file, !disk.readOnly && !disk.snapshot);
  const found = image.statSync();
  if (size !== undefined && found.size !== size) {
    const [has, wanted] = [formatBytes(found.size), formatBytes(size)];
    throw new MachineError(
      `disk '${file}' is there and has ${has}, not ${wanted}: size= only makes new images`,
    );
  }
  if (disk.media === "cdrom" && !isISO(readAt("CD", file, ISO_MARK.offset, ISO_MARK.text.length))) {
    throw new MachineError(`cannot boot CD '${file}': it is not an ISO image`);
  }
  if (found.size % SECTOR !== 0) {
    throw new MachineError(`cannot use disk '${file}': it is no whole number of ${SECTOR}-byte sectors`);
  }
}

function checkShares(shares: Share[], rosetta?: string): void {
  const tags = new Set(rosetta === undefined ? [] : [rosetta]);
  for (const { tag, folder } of shares) {
    if (tags.has(tag)) throw new MachineError(`the tag '${tag}' is given to two shares`);
    tags.add(tag);
    const fail = (problem: string): never => {
      throw new MachineError(`cannot share '${folder}': ${problem}`);
    };
    if (folder === "") fail("the path is empty");
    try {
      if (!Deno.statSync(folder).isDirectory) fail("it is not a folder");
      Deno.readDirSync(folder)[Symbol.iterator]().next();
    } catch (error) {
      if (error instanceof MachineError) throw error;
      fail(error instanceof Deno.errors.NotFound ? "no such folder" : reason(error));
    }
  }
}

function checkSerial(port: Serial): void {
  if (port.to === "file") checkOutput(port.path);
  if (port.to !== "unix") return;
  // struct sockaddr_un holds 104 bytes on macOS and 108 on Linux, a zero at the end among them.
  if (new TextEncoder().encode(port.path).length > 103) {
    throw new MachineError(`cannot listen at '${port.path}': the path of a socket has at most 103 bytes`);
  }
  checkOutput(port.path);
  if (exists(port.path) && !Deno.statSync(port.path).isSocket) {
    throw new MachineError(`cannot listen at '${port.path}': it is there and no socket`);
  }
}

function checkAddresses(network: Network[]): void {
  const addresses = network.flatMap(({ mac }) => mac ?? []);
  const twice = addresses.find((mac, i) => addresses.indexOf(mac) < i);
  if (twice) throw new MachineError(`-nic: two cards cannot both have the address ${twice}`);
}

/** What a screen has at least, in pixels. */
export const SMALLEST = { width: 320, height: 200 } as const;

/** The largest side of a window, in pixels: an X server counts them in 16 bits with a sign. */
const MAX_SIDE = 16384;

function checkDisplay({ width, height }: Display): void {
  const isSmall = width < SMALLEST.width || height < SMALLEST.height;
  if (!isSmall && width <= MAX_SIDE && height <= MAX_SIDE) return;
  const range = `${SMALLEST.width}x${SMALLEST.height} to ${MAX_SIDE}x${MAX_SIDE}`;
  throw new MachineError(`-display: ${width}x${height}: a window has ${range} pixels`);
}

/**
 * Checks a machine.
 *
 * @throws {MachineError} For the first thing that is not fit.
 */
export function checkMachine(machine: Machine, limits: HostLimits): void {
  checkLimits(machine, limits);
  if (machine.boot.from === "linux") {
    open("kernel", machine.boot.kernel).close();
    if (machine.boot.initrd !== undefined) open("initial RAM disk", machine.boot.initrd).close();
  } else if (machine.boot.variables !== undefined) {
    checkOutput(machine.boot.variables);
  }
  machine.disks.forEach(checkDisk);
  checkShares(machine.shares, machine.rosetta);
  machine.serial.forEach(checkSerial);
  if (machine.machineId !== undefined) checkOutput(machine.machineId);
  checkUses(machine);
  checkAddresses(machine.network);
  if (machine.display) checkDisplay(machine.display);
}

function checkLimits(machine: Machine, { memory, processors }: HostLimits): void {
  if (machine.memory % MiB !== 0) throw new MachineError("-m: memory must be a whole number of MiB");
  if (machine.memory < memory.minimum) {
    const [wanted, least] = [formatBytes(machine.memory), formatBytes(memory.minimum)];
    throw new MachineError(`-m: ${wanted} is too little memory: a machine needs at least ${least}`);
  }
  if (machine.memory > memory.maximum) {
    const [wanted, most] = [formatBytes(machine.memory), formatBytes(memory.maximum)];
    throw new MachineError(`-m: ${wanted} is more memory than this host allows (${most})`);
  }
  if (machine.processors < processors.minimum || machine.processors > processors.maximum) {
    const range = `${processors.minimum} to ${processors.maximum}`;
    throw new MachineError(`-smp: ${machine.processors} processors: this host allows ${range}`);
  }
}
