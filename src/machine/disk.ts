/** Disk images as Virtualization can use them: raw ones, and clones that are thrown away. */

import { ImageError } from "../images/error.ts";
import { identityOf, ifThere } from "../images/file_info.ts";
import type { Qcow2 } from "../images/qcow2.ts";
import { makeOnce } from "../host/make_once.ts";
import { checkDisk, diskFormatOf, formatBytes } from "../machine/check.ts";
import { exists, folderOf, nameOf, unfit } from "../machine/files.ts";
import type { Disk } from "../machine/machine.ts";
import { cloneFile } from "../host/clone_file.ts";
import type { Opening } from "./files.ts";
import { ProgressBar } from "./progress_bar.ts";
import { sayStep } from "./report.ts";
import { TransientFolder } from "./transient_folder.ts";

/** A disk with a raw image, and the image that this is to be made of. */
export interface OpenedDisk {
  disk: Disk;
  image?: Qcow2;
}

/**
 * Looks at a disk's image, and makes nothing yet.
 *
 * @throws {MachineError} When it is damaged, or cannot be used as the disk that was asked for.
 */
export async function openDisk(disk: Disk, resources: AsyncDisposableStack): Promise<OpenedDisk> {
  if (diskFormatOf(disk) === "raw") return { disk };
  const { openQcow2, pathsOf } = await import("../images/open_qcow2.ts");
  const source = { file: disk.file, format: "qcow2" } as const;
  const opened: Disk = { ...disk, file: rawPath(disk.file), format: "raw", source };
  try {
    const image = resources.use(openQcow2(disk.file));
    const problem = problemWith(image, disk) ?? problemWithRaw(opened.file, pathsOf(image));
    if (problem) throw new ImageError(problem);
    if (exists(opened.file)) checkDisk(opened);
    return { disk: opened, image };
  } catch (error) {
    throw unfit(`cannot use disk '${disk.file}'`, error);
  }
}

function problemWith({ size, backing }: Qcow2, disk: Disk): string | undefined {
  if (backing && disk.format === undefined) {
    // A guest can write anything to its own raw disk: it must not choose files of the host's that it gets to read.
    return `it is a qcow2 image that is based on '${backing.file.path}': say format=qcow2 if it is to be`;
  }
  if (disk.size !== undefined && disk.size < size) {
    return `it has ${formatBytes(size)}, more than size=: images only grow`;
  }
}

/** @param sources Paths of all that it was made of. */
function problemWithRaw(raw: string, sources: string[]): string | undefined {
  const made = timeOf(raw);
  const now = new Date(); // a time to come says nothing
  const isNewer = (time: Date | undefined) => made && time && made < time && time <= now;
  const newer = sources.find((source) => isNewer(timeOf(source)));
  return newer &&
    `'${newer}' is newer than '${raw}', which was made of it and is the disk since: remove one of them`;
}

/** Where the raw image is that is made of another: beside it, where everyone sees it, since it is the disk from then on. */
function rawPath(file: string): string {
  return `${file}.raw`;
}

function timeOf(path: string): Date | undefined {
  return ifThere(() => Deno.statSync(path))?.mtime ?? undefined;
}

/**
 * Makes a disk's raw image, when there is none yet.
 *
 * @returns The disk with it. What nobody writes, or only a clone of, is in a temporary folder where its own cannot be
 * written.
 * @throws {MachineError} When it cannot be made.
 */
export async function makeRaw({ disk, image }: OpenedDisk, { signal, resources }: Opening): Promise<Disk> {
  if (!image) return disk;
  try {
    await makeRawAt(disk.file, disk, image, signal);
    return disk;
  } catch (error) {
    const isForbidden = error instanceof Deno.errors.PermissionDenied || /read-only/i.test(String(error));
    if (!isForbidden || !(disk.readOnly || disk.snapshot)) throw unfit(`cannot make '${disk.file}'`, error);
  }
  try {
    const file = `${resources.use(new TransientFolder("disk")).path}/raw`;
    await makeRawAt(file, disk, image, signal);
    return { ...disk, file };
  } catch (error) {
    throw unfit(`cannot make a raw image of '${disk.source?.file}' in a temporary folder`, error);
  }
}

async function makeRawAt(raw: string, disk: Disk, image: Qcow2, signal: AbortSignal): Promise<void> {
  const { convert } = await import("../images/convert.ts");
  const { pathsOf } = await import("../images/open_qcow2.ts");
  const identities = () => pathsOf(image).map((path) => identityOf(Deno.statSync(path))).join();
  using bar = new ProgressBar(`making '${raw}'`);
  const isMade = await makeOnce(raw, async (file) => {
    const before = identities();
    await convert(image, file, { progress: bar.update, signal });
    if (identities() !== before) throw new ImageError("what it is made of was changed while it was read");
    file.truncateSync(disk.size ?? image.size);
  }, signal);
  if (isMade) sayStep(`made '${raw}', which is the disk from now on`);
}

/**
 * The disk with a clone of its image, or with a new image when it has none, that goes with the run.
 *
 * @throws {MachineError} When it cannot be made.
 */
export async function cloneDisk(disk: Disk, { signal, resources }: Opening): Promise<Disk> {
  try {
    const { path } = resources.use(new TransientFolder("snapshot", folderOf(disk.file)));
    const clone = `${path}/${nameOf(disk.file)}`;
    if (exists(disk.file)) { // size= makes the others
      // @ts-types="../../types/std_async.d.ts"
      const { abortable } = await import("@std/async/abortable");
      await abortable(cloneFile(disk.file, clone), signal);
      Deno.chmodSync(clone, 0o600); // the original's may be for reading only
    }
    return { ...disk, file: clone };
  } catch (error) {
    throw unfit(`cannot clone disk '${disk.file}'`, error);
  }
}
