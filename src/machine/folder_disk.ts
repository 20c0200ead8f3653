/** Folders of the host's as disks: FAT volumes that are made for a run, to be read only. */

import { ignoreNotFound } from "../host/error.ts";
import type { HostFolder } from "../images/fat_folder.ts";
import { labelProblem } from "../images/fat_names.ts";
import { type FatPlan, planVolume } from "../images/fat_volume.ts";
import type { Disk, OpenedDisk } from "./disk.ts";
import { MachineError, refusable, refusableLater, Setting, toMachineError } from "./error.ts";
import type { PrepareOptions } from "./prepare.ts";

const DEFAULT_LABEL = "VZRUN";

/**
 * Checks what is said of a folder that is to be a volume, as far as that can be done without reading it.
 *
 * @throws {MachineError} For the first thing that is not fit.
 */
export function checkFolderDisk({ file, label, readOnly, size, media }: Disk, field: string): void {
  const fail = (of: string, ...reason: (string | Setting)[]): never => {
    throw new MachineError([`cannot use folder '${file}' as a disk: `, ...reason], {
      field: `${field}.${of}`,
    });
  };
  if (!readOnly) fail("readOnly", "it can only be read, and ", new Setting("readOnly", false), " is given");
  if (size !== undefined) {
    fail("size", "it is as large as what is in it: leave ", new Setting("size"), " out");
  }
  if (media !== undefined) fail("media", "it is no CD");
  const problem = label === undefined ? undefined : labelProblem(label);
  if (problem !== undefined) fail("label", `the label '${label}': ${problem}`);
  if (file === "") fail("file", "the path is empty");
  refusable(`${field}.file`, `cannot use folder '${file}' as a disk`, () => {
    const info = ignoreNotFound(() => Deno.statSync(file));
    if (!info) fail("file", "no such folder");
    else if (!info.isDirectory) fail("file", "it is not a folder");
  });
}

/**
 * Reads what is in a folder, and makes nothing yet.
 *
 * @throws {MachineError} When something in it cannot be on a FAT volume.
 */
export async function openFolder(
  disk: Disk,
  field: string,
  { signal, reporter }: Omit<PrepareOptions, "dryRun">,
): Promise<OpenedDisk> {
  return await refusableLater(`${field}.file`, `cannot use folder '${disk.file}' as a disk`, async () => {
    const { readFolder } = await import("../images/fat_folder.ts");
    const folder = await readFolder(disk.file, signal);
    const note = noteOf(folder);
    if (note !== undefined) reporter.info(`${note} not on the disk of folder '${disk.file}'`);
    return { disk, sources: [], volume: planVolume(folder.root, disk.label ?? DEFAULT_LABEL) };
  });
}

function noteOf({ leftOut: [first, ...others] }: HostFolder): string | undefined {
  if (first === undefined) return undefined;
  if (others.length === 0) return `'${first}' is no file, and`;
  return `'${first}' and ${others.length} more are no files, and`;
}

/**
 * The disk with a volume that goes with the run.
 *
 * @throws {MachineError} When it cannot be made, or a file in the folder has changed.
 */
export async function makeVolume(
  disk: Disk,
  plan: FatPlan,
  field: string,
  options: PrepareOptions,
): Promise<Disk> {
  const { file, format } = disk;
  using bar = options.reporter.progress(`making a disk of folder '${file}'`);
  try {
    const volume = await writeTransient(plan, "fat", options, bar.update);
    return { ...disk, file: volume, format: "raw", source: { file, format: format! }, snapshot: false };
  } catch (error) {
    throw toMachineError(`${field}.file`, `cannot make a disk of folder '${file}'`, error);
  }
}

/**
 * Writes a volume into a file that goes with the run, and that nobody else can read.
 *
 * @param what Distinguishes its folder from others that vzrun makes.
 */
export async function writeTransient(
  plan: FatPlan,
  what: string,
  { signal, cleanup }: PrepareOptions,
  progress?: (done: number, total: number) => void,
): Promise<string> {
  const { TransientFolder } = await import("../host/transient_folder.ts");
  const { writeVolume } = await import("../images/fat_writer.ts");
  const path = `${cleanup.use(new TransientFolder(what)).path}/volume`;
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  await writeVolume(plan, file, { progress, signal });
  return path;
}
