/** Checks a machine against the files and the host before anything starts. */

import { ImageError } from "../images/error.ts";
import { commandLineLimit, KERNEL_HEAD, kernelFormat } from "../images/kernel.ts";
import { isISO, ISO_MARK } from "../images/iso.ts";
import type { Disk, Display, Machine, Serial, Share } from "./machine.ts";

/** Something named on the command line that is not fit: one line that says what, and what to do. */
export class MachineError extends Error {
  override name = "MachineError";
}

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

function reason(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is not a folder";
  if (error instanceof Deno.errors.NotCapable) return "it is no ordinary file"; // Deno guards /proc and its like
  if (error instanceof Deno.errors.FilesystemLoop) return "too many symbolic links";
  return (error as Error).message.replace(/ \(os error \d+\).*$/, "");
}

/** Opens a file that must be there, be a regular one and not be empty. The caller closes it. */
function open(what: string, path: string, write = false): Deno.FsFile {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot open ${what} '${path}': ${problem}`);
  };
  if (path === "") fail("the path is empty");
  try {
    const info = Deno.statSync(path); // before opening: a FIFO would wait for its writer
    if (info.isDirectory) fail("it is a folder");
    if (!info.isFile && !info.isBlockDevice) fail("it is not a regular file");
    if (info.isFile && info.size === 0) fail("it is empty");
    return Deno.openSync(path, { read: true, write });
  } catch (error) {
    if (error instanceof MachineError) throw error;
    const readable = write && error instanceof Deno.errors.PermissionDenied;
    return fail(reason(error) + (readable ? " to write it (readonly=on does without)" : ""));
  }
}

/** Bytes of a file from an offset; fewer at its end. */
function readAt(what: string, path: string, offset: number, length: number): Uint8Array {
  using file = open(what, path);
  file.seekSync(offset, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  return bytes.subarray(0, file.readSync(bytes) ?? 0);
}

function checkKernel(path: string, commandLine: string): void {
  try {
    const head = readAt("kernel", path, 0, KERNEL_HEAD);
    const limit = commandLineLimit(head, kernelFormat(head));
    const length = new TextEncoder().encode(commandLine).length;
    if (length > limit) throw new MachineError(`-append: ${length} bytes: kernel '${path}' takes ${limit}`);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new MachineError(`cannot boot kernel '${path}': ${error.message}`);
  }
}

/** A file to be written need not exist; its folder must. */
function checkOutput(path: string): void {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot write '${path}': ${problem}`);
  };
  if (path === "") fail("the path is empty");
  try {
    if (Deno.statSync(path).isDirectory) fail("it is a folder");
  } catch (error) {
    if (error instanceof MachineError) throw error;
    if (!(error instanceof Deno.errors.NotFound)) fail(reason(error));
    const folder = path.replace(/[^/]*$/, "") || ".";
    try {
      if (!Deno.statSync(folder).isDirectory) fail("its folder is not a folder");
    } catch (error) {
      if (error instanceof MachineError) throw error;
      fail(`no folder '${folder}'`);
    }
  }
}

const SECTOR = 512;

function checkDisk(disk: Disk): void {
  const { file, size } = disk;
  if (size !== undefined && (size === 0 || size % SECTOR !== 0)) {
    throw new MachineError(`-drive: size=${size} is not a whole number of ${SECTOR}-byte sectors`);
  }
  if (size !== undefined && !exists(file)) return checkOutput(file);
  using image = open("disk", file, !disk.readOnly);
  const found = image.statSync();
  if (!found.isFile) return; // a device has whatever size it has
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

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new MachineError(`cannot open disk '${path}': ${reason(error)}`);
  }
}

/** The same for each name of one file, whether it is there or is still to be made. */
function identityOf(path: string): string {
  if (!exists(path)) {
    return `${Deno.realPathSync(path.replace(/[^/]*$/, "") || ".")}/${path.replace(/^.*\//, "")}`;
  }
  const { dev, ino } = Deno.statSync(path);
  return `${dev}:${ino}`;
}

/** A file that is written by one disk must not be another's too. */
function checkDisksDiffer(disks: Disk[]): void {
  const seen = new Map<string, Disk>();
  for (const disk of disks) {
    const identity = identityOf(disk.file);
    const other = seen.get(identity);
    if (other && !(other.readOnly && disk.readOnly)) {
      throw new MachineError(`disk '${disk.file}' is given twice, and not as readonly=on both times`);
    }
    seen.set(identity, disk);
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
    try {
      if (!Deno.statSync(folder).isDirectory) fail("it is not a folder");
      Deno.readDirSync(folder)[Symbol.iterator]().next();
    } catch (error) {
      if (error instanceof MachineError) throw error;
      fail(reason(error));
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
}

/** The largest side of a window, in pixels: an X server counts them in 16 bits with a sign. */
const MAX_SIDE = 16384;

function checkDisplay({ width, height }: Display): void {
  for (const side of [width, height]) {
    if (side >= 1 && side <= MAX_SIDE) continue;
    throw new MachineError(`-display: ${width}x${height}: a side of a window has 1 to ${MAX_SIDE} pixels`);
  }
}

/**
 * Checks a machine.
 *
 * @throws {MachineError} For the first thing that is not fit.
 */
export function checkMachine(machine: Machine, limits: HostLimits): void {
  checkLimits(machine, limits);
  if (machine.boot.from === "linux") {
    checkKernel(machine.boot.kernel, machine.boot.commandLine);
    if (machine.boot.initrd !== undefined) open("initial RAM disk", machine.boot.initrd).close();
  } else if (machine.boot.variables !== undefined) {
    checkOutput(machine.boot.variables);
  }
  machine.disks.forEach(checkDisk);
  checkDisksDiffer(machine.disks);
  checkShares(machine.shares, machine.rosetta);
  machine.serial.forEach(checkSerial);
  if (machine.machineId !== undefined) checkOutput(machine.machineId);
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
