/** Disks: images as the framework can use them, and the devices that they become. */

import { FileError, ignoreNotFound } from "../host/error.ts";
import { exists, openFile, readAt, removeOwn, versionOf } from "../host/files.ts";
import { DISK_ENDS, type DiskFormat, diskFormat, isConverted } from "../images/disk_format.ts";
import { ImageError } from "../images/error.ts";
import type { FatPlan } from "../images/fat_volume.ts";
import { isISO, ISO_HEAD } from "../images/iso.ts";
import type { SourceImage } from "../images/open_image.ts";
import { requireMacOS, UnavailableError } from "../vz/mod.ts";
import { isImage } from "./disk_place.ts";
import { MachineError, refusable, refusableLater, Setting, type Text, toMachineError } from "./error.ts";
import type { PrepareOptions } from "./prepare.ts";

export type { DiskFormat };

/** How a disk's writes reach the host's disk; qemu's words. */
export type CacheMode = "writeback" | "none" | "writethrough" | "unsafe";

/** What a disk is made of: an image, or a folder whose files the guest finds on a FAT volume. */
export type DiskSource = DiskFormat | "fat";

/** A disk: an image, a folder, a device of the host's, or a server's. */
export interface Disk {
  /**
   * Path of the image, of the folder, or of a device (`/dev/rdisk4`); of what a server has by the NBD protocol the URL,
   * as `nbd://host/name` or `nbd+unix:///name?socket=path`. macOS 14 for the last two.
   */
  file: string;
  /** Recognised when it is not said; `fat`, a folder as a volume to be read, has to be. */
  format?: DiskSource;
  /** What was given, when the raw image had to be made of it. */
  source?: { file: string; format: DiskSource };
  /** The volume's, of `fat`; VZRUN by default. */
  label?: string;
  /** The controller in the guest. */
  interface: "virtio" | "usb" | "nvme";
  /** The guest cannot write to it. */
  readOnly: boolean;
  /** How writes reach the host's disk. */
  cache: CacheMode;
  /** What the guest finds in /dev/disk/by-id. */
  serial?: string;
  /** After how many seconds without an answer a server is connected to anew; 15 by default. */
  timeout?: number;
  /** What has been inserted as a CD must be one. */
  media?: "cdrom";
  /** In bytes: makes a sparse file of that size when there is none. */
  size?: number;
  /** Writes go to a clone that is gone when the machine ends. */
  snapshot: boolean;
}

/** What a disk is where nothing else is said. */
export const DISK_DEFAULTS = {
  interface: "virtio",
  readOnly: false,
  cache: "writeback",
  snapshot: false,
} as const;

/** A disk with all that was not said. A folder as a volume is never written. */
export function completeDisk(disk: Partial<Disk> & Pick<Disk, "file">, interface_?: "usb"): Disk {
  const own = { ...interface_ && { interface: interface_ }, ...disk.format === "fat" && { readOnly: true } };
  return { ...DISK_DEFAULTS, ...own, ...disk };
}

const SECTOR = 512;

/** The most that a file's size can be, in every file system. */
const LARGEST = 2 ** 63 - 1024;

/**
 * Checks a disk, as far as that can be done without opening an image that is not raw.
 *
 * @param field Where it is: `disks[0]`.
 * @returns The form of its image: the one that was said, or that its first bytes show.
 * @throws {MachineError} For the first thing that is not fit.
 */
export async function checkDisk(disk: Disk, field: string): Promise<DiskSource> {
  const { file, size, format: said } = disk;
  if (disk.interface !== "virtio") refuseSerial(disk, field);
  if (said === "fat") {
    (await import("./folder_disk.ts")).checkFolderDisk(disk, field);
    return said;
  }
  const fail = (reason: Text, of = "file"): never => {
    throw new MachineError(reason, { field: `${field}.${of}` });
  };
  if (disk.timeout !== undefined || !isImage(file)) {
    (await import("./block_device.ts")).checkBlockDevice(disk, field);
    return "raw";
  }
  const sizeOf = new Setting("size");
  if (size !== undefined && !(size > 0 && size % SECTOR === 0)) {
    fail([`disk '${file}': `, sizeOf, ` must be a whole number of ${SECTOR}-byte sectors`], "size");
  }
  return await refusableLater(`${field}.file`, `cannot use disk '${file}'`, async () => {
    if (size !== undefined && !exists(file, "disk")) {
      const { checkOutput } = await import("../host/output_file.ts");
      checkOutput(file);
      return said ?? "raw";
    }
    const format = said ?? sniffFormat(file, field);
    if (isConverted(format)) {
      openFile("disk", file).close();
      return format;
    }
    using image = openImage(file, field, !disk.readOnly && !disk.snapshot);
    if (format === "asif") {
      checkASIF(disk, fail);
      return format;
    }
    const found = image.statSync();
    if (size !== undefined && found.size !== size) {
      const { formatBytes } = await import("./format_bytes.ts");
      const [has, wanted] = [formatBytes(found.size), formatBytes(size)];
      fail(
        [`disk '${file}' is there and has ${has}, not ${wanted}: `, sizeOf, " only makes new images"],
        "size",
      );
    }
    if (disk.media === "cdrom" && !isISO(readAt("CD", file, ISO_HEAD.offset, ISO_HEAD.length))) {
      fail(`cannot boot CD '${file}': it is not an ISO image`);
    }
    if (found.size % SECTOR !== 0) {
      fail(`cannot use disk '${file}': it is no whole number of ${SECTOR}-byte sectors`);
    }
    return format;
  });
}

/** The framework takes ASIF images as it takes raw ones; macOS before 26 would show a guest what the file has in it. */
function checkASIF({ file, size, media }: Disk, fail: (reason: Text, of?: string) => never): void {
  if (diskFormat(readAt("disk", file, 0, DISK_ENDS.head)) !== "asif") {
    fail(`cannot use disk '${file}': it is not an ASIF image`, "format");
  }
  if (size !== undefined) {
    fail([`disk '${file}' is there: `, new Setting("size"), " only makes new images"], "size");
  }
  if (media === "cdrom") fail(`cannot boot CD '${file}': it is not an ISO image`);
  try {
    requireMacOS(`disk '${file}': an ASIF image`, "26.0");
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw fail(error.message);
  }
}

function sniffFormat(file: string, field: string): DiskFormat {
  try {
    const head = readAt("disk", file, 0, DISK_ENDS.head);
    const { size } = Deno.statSync(file);
    const tail = readAt("disk", file, Math.max(size - DISK_ENDS.tail, 0), DISK_ENDS.tail);
    return diskFormat(head, tail, size);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const remedy = [new Setting("format", "raw"), " takes it as it is"];
    throw new MachineError(`cannot use disk '${file}': ${error.message}`, {
      field: `${field}.file`,
      remedy,
      cause: error,
    });
  }
}

function openImage(file: string, field: string, write: boolean): Deno.FsFile {
  try {
    return openFile("disk", file, write);
  } catch (error) {
    const readable = write && (error as Error).cause instanceof Deno.errors.PermissionDenied;
    if (!readable) throw error;
    const remedy = [new Setting("readOnly", true), " does without"];
    throw new MachineError(`${(error as FileError).message} to write it`, {
      field: `${field}.file`,
      remedy,
      cause: error,
    });
  }
}

/** A disk with a raw image, and the image that this is to be made of. */
export interface OpenedDisk {
  disk: Disk;
  image?: SourceImage;
  /** Paths of all that it is to be made of. */
  sources: string[];
  /** The volume that a folder is to become. */
  volume?: FatPlan;
}

/**
 * Looks at a disk's image, and makes nothing yet.
 *
 * @throws {MachineError} When it is damaged, or cannot be used as the disk that was asked for.
 */
export async function openDisk(
  disk: Disk,
  format: DiskSource,
  field: string,
  options: Omit<PrepareOptions, "dryRun">,
): Promise<OpenedDisk> {
  if (format === "fat") return await (await import("./folder_disk.ts")).openFolder(disk, field, options);
  if (!isConverted(format)) return { disk, sources: [] };
  const { openImage } = await import("../images/open_image.ts");
  const source = { file: disk.file, format };
  const opened: Disk = { ...disk, file: rawPath(disk.file), format: "raw", source };
  try {
    const image = options.cleanup.use(await openImage(disk.file, format));
    const { paths: sources } = image;
    const problem = await problemWith(image, disk) ?? problemWithRaw(opened.file, sources);
    if (problem) {
      throw new MachineError([`cannot use disk '${disk.file}': `, ...problem], { field: `${field}.file` });
    }
    if (exists(opened.file)) await checkDisk(opened, field);
    return { disk: opened, image, sources };
  } catch (error) {
    throw toMachineError(`${field}.file`, `cannot use disk '${disk.file}'`, error);
  }
}

async function problemWith(
  { size, backing }: Pick<SourceImage, "size" | "backing">,
  disk: Disk,
): Promise<(string | Setting)[] | undefined> {
  if (backing && disk.format === undefined) {
    // A guest can write anything to its own raw disk: it must not choose files of the host's that it gets to read.
    const based = `it is a qcow2 image that is based on '${backing}'`;
    return [`${based}: say `, new Setting("format", "qcow2"), " if it is to be"];
  }
  if (disk.size !== undefined && size !== undefined && disk.size < size) {
    const { formatBytes } = await import("./format_bytes.ts");
    return [`it has ${formatBytes(size)}, more than `, new Setting("size"), ": images only grow"];
  }
}

/** @param sources Paths of all that it was made of. */
function problemWithRaw(raw: string, sources: string[]): string[] | undefined {
  const made = timeOf(raw);
  const now = new Date(); // a time to come says nothing
  const isNewer = (time: Date | undefined) => made && time && made < time && time <= now;
  const newer = sources.find((source) => isNewer(timeOf(source)));
  if (newer === undefined) return undefined;
  return [
    `'${newer}' is newer than '${raw}', which was made of it and is the disk since: remove one of them`,
  ];
}

/** Where the raw image is that is made of another: beside it, where everyone sees it, since it is the disk from then on. */
function rawPath(file: string): string {
  return `${file}.raw`;
}

function timeOf(path: string): Date | undefined {
  return ignoreNotFound(() => Deno.statSync(path))?.mtime ?? undefined;
}

/**
 * Makes what is missing of a disk: its raw image, and a clone of it that goes with the run.
 *
 * @throws {MachineError} When it cannot be made.
 */
export async function prepareDisk(opened: OpenedDisk, field: string, options: PrepareOptions): Promise<Disk> {
  if (opened.volume) {
    return await (await import("./folder_disk.ts")).makeVolume(opened.disk, opened.volume, field, options);
  }
  const disk = await makeRaw(opened, field, options);
  return disk.snapshot ? await cloneDisk(disk, field, options) : disk;
}

/**
 * Makes a disk's raw image, when there is none yet.
 *
 * @returns The disk with it. What nobody writes, or only a clone of, is in a temporary folder where its own cannot be
 * written.
 */
async function makeRaw({ disk, image }: OpenedDisk, field: string, options: PrepareOptions): Promise<Disk> {
  if (!image) return disk;
  const fail = (what: string, error: unknown) => {
    throw toMachineError(`${field}.file`, what, error);
  };
  try {
    await makeRawAt(disk.file, disk, image, options);
    return disk;
  } catch (error) {
    const isForbidden = error instanceof Deno.errors.PermissionDenied || /read-only/i.test(String(error));
    if (!isForbidden || !(disk.readOnly || disk.snapshot)) fail(`cannot make '${disk.file}'`, error);
  }
  try {
    const { TransientFolder } = await import("../host/transient_folder.ts");
    const file = `${options.cleanup.use(new TransientFolder("disk")).path}/raw`;
    await makeRawAt(file, disk, image, options);
    return { ...disk, file };
  } catch (error) {
    return fail(`cannot make a raw image of '${disk.source?.file}' in a temporary folder`, error)!;
  }
}

async function makeRawAt(
  raw: string,
  disk: Disk,
  image: SourceImage,
  options: PrepareOptions,
): Promise<void> {
  const { signal, reporter } = options;
  const { makeOnce } = await import("../host/make_once.ts");
  const versions = () => image.paths.map((path) => versionOf(Deno.statSync(path))).join();
  using bar = reporter.progress(`making '${raw}'`);
  const isMade = await makeOnce(raw, async (file) => {
    const before = versions();
    await image.write(file, { progress: bar.update, signal });
    if (versions() !== before) throw new ImageError("what it is made of was changed while it was read");
    const { size } = file.statSync();
    const problem = await problemWith({ size }, disk); // of what is compressed the size is known only now
    if (problem) throw new MachineError([`cannot use disk '${disk.source?.file}': `, ...problem]);
    file.truncateSync(disk.size ?? size);
  }, signal);
  if (isMade) reporter.debug(`made '${raw}', which is the disk from now on`);
}

/** The disk with a clone of its image, or with a new image when it has none, that goes with the run. */
async function cloneDisk(disk: Disk, field: string, { signal, cleanup }: PrepareOptions): Promise<Disk> {
  try {
    const { TransientFolder } = await import("../host/transient_folder.ts");
    const { basename } = await import("@std/path/posix/basename");
    const { dirname } = await import("@std/path/posix/dirname");
    const { path } = cleanup.use(new TransientFolder("snapshot", dirname(disk.file)));
    const clone = `${path}/${basename(disk.file)}`;
    if (exists(disk.file)) { // size= makes the others
      const { cloneFile } = await import("../host/clone_file.ts");
      const { abortable } = await import("@std/async/abortable");
      await abortable(cloneFile(disk.file, clone), signal);
      Deno.chmodSync(clone, 0o600); // the original's may be for reading only
    }
    return { ...disk, file: clone };
  } catch (error) {
    throw toMachineError(`${field}.file`, `cannot clone disk '${disk.file}'`, error);
  }
}

/**
 * Makes the sparse image of a disk that has a size and no file yet: it takes room as the guest writes.
 *
 * @param rollback Takes it away again when it is disposed of.
 * @throws {MachineError} When it cannot be made.
 */
export function makeImage({ file, size }: Disk, field: string, rollback: DisposableStack): void {
  if (size === undefined) return;
  const what = `cannot make disk '${file}'`;
  const fail = (problem: string): never => {
    throw new MachineError(`${what}: ${problem}`, { field: `${field}.file` });
  };
  refusable(`${field}.file`, what, () => {
    if (size > LARGEST) fail("no file can be that large");
    let image: Deno.FsFile;
    try {
      image = Deno.openSync(file, { read: true, write: true, createNew: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return exists(file) || fail("it is a link to nothing");
    }
    const made = image.statSync();
    rollback.defer(() => removeOwn(file, made));
    try {
      image.truncateSync(size);
    } finally {
      image.close();
    }
  });
}

function refuseSerial({ serial }: Disk, field: string): void {
  if (serial === undefined) return;
  const [setting, virtio] = [new Setting("serial"), new Setting("interface", "virtio")];
  throw new MachineError([setting, " goes with ", virtio], { field: `${field}.serial` });
}
