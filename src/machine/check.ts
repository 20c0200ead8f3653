/** Checks a machine against the files and the host before anything starts. */

import { commandLineLimit, KERNEL_HEAD, KernelError, kernelFormat } from "../images/kernel.ts";
import type { Machine } from "./machine.ts";

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

/** The first bytes of a file that must be there, be a file, be readable, and not be empty. */
function readHead(what: string, path: string, length: number): Uint8Array {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot open ${what} '${path}': ${problem}`);
  };
  if (path === "") fail("the path is empty");
  try {
    const info = Deno.statSync(path); // before opening: a FIFO would wait for its writer
    if (info.isDirectory) fail("it is a folder");
    if (!info.isFile) fail("it is not a regular file");
    if (info.size === 0) fail("it is empty");
    using file = Deno.openSync(path);
    const head = new Uint8Array(length);
    return head.subarray(0, file.readSync(head) ?? 0);
  } catch (error) {
    if (error instanceof MachineError) throw error;
    return fail(reason(error));
  }
}

function checkKernel(path: string, commandLine: string): void {
  try {
    const head = readHead("kernel", path, KERNEL_HEAD);
    const limit = commandLineLimit(head, kernelFormat(head));
    const length = new TextEncoder().encode(commandLine).length;
    if (length > limit) throw new MachineError(`-append: ${length} bytes: kernel '${path}' takes ${limit}`);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
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

/**
 * Checks a machine.
 *
 * @throws {MachineError} For the first thing that is not fit.
 */
export function checkMachine(machine: Machine, limits: HostLimits): void {
  const { memory, processors } = limits;
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
  checkKernel(machine.boot.kernel, machine.boot.commandLine);
  if (machine.boot.initrd !== undefined) readHead("initial RAM disk", machine.boot.initrd, 1);
  for (const port of machine.serial) if (port.to === "file") checkOutput(port.path);
}
