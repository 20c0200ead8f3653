/** The files that a machine is made of, in the form in which it can use them. */

import { Cache, cacheFolder } from "../images/cache.ts";
import { type Arch, type OpenedKernel, openKernel } from "../images/kernel.ts";
import { MachineError } from "../machine/error.ts";
import { unfit } from "../machine/files.ts";
import type { LinuxBoot, Machine } from "../machine/machine.ts";
import { machineArchitecture } from "../host/system.ts";
import { checkDevices } from "../vz/mod.ts";
import { cloneDisk, makeRaw, openDisk, type OpenedDisk } from "./disk_files.ts";
import { ProgressBar } from "./progress_bar.ts";
import { say } from "./report.ts";

const DEFAULT_COMMAND_LINE = "console=hvc0";

/** How files are made ready. */
export interface Opening {
  /** Nothing is made but what shows what a kernel is. */
  dryRun: boolean;
  signal: AbortSignal;
  /** Is disposed of when the machine has ended. */
  resources: AsyncDisposableStack;
}

/**
 * Takes a kernel and disks out of their wrappings, and clones disks whose writes are thrown away.
 *
 * @returns The machine with the files that it can use in the place of those that were given.
 * @throws {MachineError} When a file is damaged, or what has to be made of it cannot be made.
 */
export async function openFiles(machine: Machine, opening: Opening): Promise<Machine> {
  const opened: OpenedDisk[] = [];
  for (const disk of machine.disks) opened.push(await openDisk(disk, opening.resources));
  const disks = opened.map(({ disk }) => disk);
  // What takes long, or makes a file that stays, comes after all that can be refused; else that comes soon anyway.
  const leavesTraces = machine.machineId !== undefined ||
    opened.some(({ disk, image }) => image || disk.snapshot);
  if (opening.dryRun || leavesTraces) checkDevices({ ...machine, disks });
  const boot = machine.boot.from === "linux" ? await openBoot(machine.boot, opening) : machine.boot;
  if (opening.dryRun) return { ...machine, boot, disks };
  for (const [i, disk] of opened.entries()) {
    const raw = await makeRaw(disk, opening);
    disks[i] = raw.snapshot ? await cloneDisk(raw, opening) : raw;
  }
  return { ...machine, boot, disks };
}

async function openBoot(boot: LinuxBoot, { signal, resources }: Opening): Promise<LinuxBoot> {
  const file = boot.kernel;
  const environment = { HOME: Deno.env.get("HOME"), XDG_CACHE_HOME: Deno.env.get("XDG_CACHE_HOME") };
  const cache = resources.use(new Cache(cacheFolder(Deno.build.os, environment)));
  using bar = new ProgressBar(`opening kernel '${file}'`);
  try {
    const opened = await openKernel(file, architecture(), cache, { progress: bar.update, signal });
    const { kernel, layers } = opened;
    const initrd = boot.initrd ?? opened.initrd;
    const commandLine = boot.commandLine ?? opened.commandLine ?? DEFAULT_COMMAND_LINE;
    checkCommandLine(commandLine, opened, boot);
    return { from: "linux", kernel, source: { file, layers }, initrd, commandLine };
  } catch (error) {
    throw unfit(`cannot boot kernel '${file}'`, error);
  }
}

function architecture(): Arch {
  return machineArchitecture() === "arm64" ? "aarch64" : "x86_64";
}

/** A kernel starts with a command line that is too long, and without a console, and shows nothing. */
function checkCommandLine(
  commandLine: string,
  { commandLineLimit: limit }: OpenedKernel,
  { kernel: file, commandLine: given }: LinuxBoot,
) {
  const length = new TextEncoder().encode(commandLine).length;
  if (length > limit) throw new MachineError(`-append: ${length} bytes: kernel '${file}' takes ${limit}`);
  if (given === undefined && !/(^| )console=/.test(commandLine)) {
    say(`the command line in '${file}' has no console=, so nothing may be seen: ${commandLine}`);
  }
}
