/** What EFI firmware finds on a disk to start. */

import type { DiskReader } from "./disk_reader.ts";
import { isISODisk, readElTorito } from "./el_torito.ts";
import { ImageError } from "./error.ts";
import { FAT } from "./fat.ts";
import { has } from "./magic.ts";
import { readPartitions } from "./partitions.ts";
import { processorOf } from "./pe.ts";

/** Processors that machines have. */
export type Processor = "x86_64" | "aarch64";

/** A program that EFI firmware can start. */
export interface Loader {
  /** As EFI writes it: `\EFI\BOOT\BOOTX64.EFI`. */
  path: string;
  /** What it is for; undefined when that is not known, or it is no program. */
  processor?: string;
  /** The processor whose firmware looks for it without being told. */
  defaultOf?: string;
}

/** What a disk has for EFI firmware. */
export type Finding =
  /** It starts this. */
  | { kind: "boots"; loader: Loader }
  /** Nobody can tell from the disk alone, and why. */
  | { kind: "maybe"; why: string }
  /** Nothing that it starts by itself, and what there is instead. */
  | Nothing;

/** What a disk has that firmware starts nothing of by itself. */
export interface Nothing {
  kind: "nothing";
  /** What there is instead. */
  why: string;
  /** There is a file system that firmware reads: a boot entry may name a file there, a kernel perhaps. */
  isReadable: boolean;
  /** There is nothing at all. */
  isBlank?: boolean;
}

/** Names of the loaders that firmware looks for in `\EFI\BOOT`. Source: the UEFI specification 2.10, 3.5.1.1. */
const DEFAULTS: Record<string, string> = {
  "bootx64.efi": "x86_64",
  "bootaa64.efi": "aarch64",
  "bootia32.efi": "ia32",
  "bootarm.efi": "arm",
  "bootriscv64.efi": "riscv64",
  "bootloongarch64.efi": "loongarch64",
};

/** What images for a processor are called by most who make them. */
const IMAGE_NAMES: Record<Processor, string> = { x86_64: "amd64 (x86_64)", aarch64: "arm64 (aarch64)" };

/** So many folders in `\EFI`, and programs in each, are looked at. */
const MOST_FOLDERS = 64;
const MOST_PROGRAMS = 32;

/** What is found on the way. */
interface Search {
  loaders: Loader[];
  /** There is a FAT file system, and one that is meant for EFI. */
  isReadable: boolean;
  hasVolume: boolean;
  forBIOS: boolean;
  /** Why it is not known all. */
  problem?: string;
}

/** What firmware on a processor finds on a disk. Never fails: what is damaged is not known. */
export function findBoot(disk: DiskReader, processor: Processor): Finding {
  const search: Search = { loaders: [], isReadable: false, hasVolume: false, forBIOS: false };
  const isISO = attempt(search, "", () => isISODisk(disk)) ?? false;
  const volumes = new Map([[0, false]]); // where, and whether it is meant for EFI
  const images = (isISO && attempt(search, "its boot catalogue: ", () => readElTorito(disk))) || [];
  for (const { start, platform } of images) {
    if (platform === "bios") search.forBIOS = true;
    volumes.set(start, platform === "efi" || (volumes.get(start) ?? false));
  }
  const table = attempt(search, "", () => readPartitions(disk));
  // The first sector of a file system has code, too, and with mtools even a table.
  const isWhole = attempt(search, "", () => FAT.open(disk, 0)) !== undefined;
  search.forBIOS ||= (table?.forBIOS ?? false) && !isWhole;
  for (const { start, isSystem } of table?.partitions ?? []) {
    volumes.set(start, isSystem || (volumes.get(start) ?? false));
  }
  for (const [start, isForEFI] of volumes) {
    attempt(search, "what it has for EFI: ", () => lookAtVolume(disk, start, isForEFI, processor, search));
    const loader = search.loaders.find(({ defaultOf, processor: its }) =>
      defaultOf === processor && its === processor
    );
    if (loader) return { kind: "boots", loader };
  }
  return judge(search, processor) ?? judgeWithoutLoaders(disk, search, isISO, table !== undefined);
}

function attempt<T>(search: Search, what: string, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    search.problem ??= what + error.message;
  }
}

function lookAtVolume(
  disk: DiskReader,
  start: number,
  isForEFI: boolean,
  processor: Processor,
  search: Search,
): void {
  // A partition that is not EFI's may well lie outside of an image that is cut off.
  if (!isForEFI && start + 512 > disk.size) return;
  const fat = FAT.open(disk, start);
  if (fat) {
    search.isReadable = true;
    search.hasVolume ||= isForEFI || start === 0;
    search.loaders.push(...loadersIn(fat, processor));
  } else if (isForEFI && !disk.isZero(start, 65_536)) {
    search.problem ??= "what it has for EFI has no FAT file system";
  }
}

/** The loader that firmware looks for, alone, or all that there are. */
function loadersIn(fat: FAT, processor: Processor): Loader[] {
  const folders = fat.folder("EFI")?.filter(({ isFolder }) => isFolder) ?? [];
  const isDefault = (name: string) => name.toLowerCase() === "boot";
  folders.sort((a, b) => Number(isDefault(b.name)) - Number(isDefault(a.name)));
  const loaders: Loader[] = [];
  for (const { name: folder } of folders.slice(0, MOST_FOLDERS)) {
    const programs = (fat.folder(`EFI/${folder}`) ?? [])
      .filter(({ isFolder, name }) => !isFolder && name.toLowerCase().endsWith(".efi"));
    for (const file of programs.slice(0, MOST_PROGRAMS)) {
      const its = processorOf((offset, length) => fat.read(file, offset, length));
      const defaultOf = isDefault(folder) ? DEFAULTS[file.name.toLowerCase()] : undefined;
      loaders.push({ path: `\\EFI\\${folder}\\${file.name}`, processor: its, defaultOf });
      if (defaultOf === processor && its === processor) return loaders;
    }
  }
  return loaders;
}

function judge({ loaders, isReadable, forBIOS, problem }: Search, processor: Processor): Finding | undefined {
  const own = loaders.find(({ defaultOf }) => defaultOf === processor);
  if (own && !own.processor) {
    return { kind: "maybe", why: `its ${own.path} is no program that is known here` };
  }
  const others = loaders.filter((loader) => loader.processor === processor);
  if (others.length > 0) {
    const why = `only a boot entry in a variable store finds its ${listed(others.map(({ path }) => path))}`;
    return { kind: "maybe", why };
  }
  const processors = new Set(loaders.flatMap(({ processor }) => processor ?? []));
  if (processors.size > 0) {
    const computers = `it boots ${listed([...processors])} computers`;
    const remedy = `take the ${IMAGE_NAMES[processor]} image`;
    return { kind: "nothing", why: `${computers}, and this is an ${processor} one: ${remedy}`, isReadable };
  }
  if (problem !== undefined) return { kind: "maybe", why: problem };
  if (forBIOS) {
    return { kind: "nothing", why: "it boots by BIOS only, and a machine here has EFI", isReadable };
  }
}

function judgeWithoutLoaders(
  disk: DiskReader,
  { isReadable, hasVolume }: Search,
  isISO: boolean,
  hasTable: boolean,
): Finding {
  const nothing = (why: string): Finding => ({ kind: "nothing", why, isReadable });
  if (hasVolume) return nothing("it has a FAT file system for EFI, and no boot loader there");
  if (isISO) return nothing("it is an ISO image that boots nothing by EFI");
  if (hasTable) return nothing("it has no partition with a boot loader for EFI");
  try {
    if (disk.isZero(0, HEAD) && disk.isZero(disk.size - TAIL, TAIL)) {
      return { kind: "nothing", why: "it is blank", isReadable, isBlank: true };
    }
    const head = disk.at(0, Math.min(HEAD, disk.size));
    const [, , what] = CONTENTS.find(([offset, magic]) => has(head, offset, magic)) ?? [];
    if (what) return nothing(`it has ${what} and no partitions, so no boot loader for EFI`);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { kind: "maybe", why: error.message };
  }
  return { kind: "maybe", why: "what it holds is not known here" };
}

/** What is looked at of a disk that has no partitions: its end has the second of two tables. */
const HEAD = 128 * 1024;
const TAIL = 64 * 1024;

/** What a disk may hold as a whole that firmware cannot read. Source: what blkid(8) looks for. */
const CONTENTS: readonly (readonly [offset: number, magic: string, what: string])[] = [
  [1080, "\x53\xef", "an ext2, ext3 or ext4 file system"],
  [0, "XFSB", "an XFS file system"],
  [65_600, "_BHRfS_M", "a btrfs file system"],
  [0, "hsqs", "a squashfs file system"],
  [1024, "\xe2\xe1\xf5\xe0", "an EROFS file system"],
  [3, "NTFS    ", "an NTFS file system"],
  [3, "EXFAT   ", "an exFAT file system"],
  [4086, "SWAPSPACE2", "swap space"],
  [536, "LVM2 001", "a volume of LVM"],
];

function listed(words: string[]): string {
  const [last, ...others] = words.toReversed();
  return others.length === 0 ? last : `${others.toReversed().join(", ")} and ${last}`;
}
