/** Tables of partitions: GPT and MBR. Sources: the UEFI specification 2.10, chapter 5; and what Linux and EDK2 take for one. */

import { crc32 } from "./crc32.ts";
import type { DiskReader } from "./disk_reader.ts";
import { damaged, ImageError } from "./error.ts";
import { has } from "./magic.ts";

const SECTOR = 512;

/** A stretch of a disk. */
export interface Partition {
  /** In bytes. */
  start: number;
  size: number;
  /** It is marked as the EFI system partition. */
  isSystem: boolean;
}

/** What a disk is divided into. */
export interface PartitionTable {
  scheme: "GPT" | "MBR";
  partitions: Partition[];
  /** There is what a BIOS would start. */
  forBIOS: boolean;
}

/**
 * A disk's table of partitions; nothing when it has none. Where there are two, as ISO images have them that are disks as
 * well, it is both.
 *
 * @throws {ImageError} When it is damaged.
 */
export function readPartitions(disk: DiskReader): PartitionTable | undefined {
  if (disk.size < 2 * SECTOR) return undefined;
  const sector = disk.at(0, SECTOR);
  const mbr = readMBR(disk, sector);
  try {
    const gpt = readGPT(disk, sector);
    return gpt ? { ...gpt, partitions: [...gpt.partitions, ...mbr?.partitions ?? []] } : mbr;
  } catch (error) {
    if (!(error instanceof ImageError) || !mbr) throw error;
    return mbr;
  }
}

// --- GPT

const SYSTEM = "28732ac11ff8d211ba4b00a0c93ec93b";
const BIOS_BOOT = "4861682149646f6e744e656564454649";
const UNUSED = "0".repeat(32);

/** The most entries that are read: a table has 128, as a rule. */
const MOST_ENTRIES = 1024;

function readGPT(disk: DiskReader, mbr: Uint8Array<ArrayBuffer>): PartitionTable | undefined {
  const last = disk.size - disk.size % SECTOR - SECTOR;
  const places = [SECTOR, last].filter((at) => has(disk.at(at, 8), 0, "EFI PART"));
  if (places.length === 0) {
    if (!entriesOf(mbr).some(({ type }) => type === PROTECTIVE)) return undefined;
    const isLarge = disk.size >= 4096 + SECTOR && has(disk.at(4096, 8), 0, "EFI PART");
    throw new ImageError(isLarge ? "its GPT is for sectors of 4096 bytes" : "its GPT is missing");
  }
  let problem: unknown;
  for (const at of places) {
    try {
      const { partitions, forBIOS } = readGPTAt(disk, at);
      return { scheme: "GPT", partitions, forBIOS: forBIOS || startsByBIOS(mbr) };
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      problem ??= error;
    }
  }
  throw problem;
}

function readGPTAt(disk: DiskReader, at: number): Pick<PartitionTable, "partitions" | "forBIOS"> {
  const header = disk.at(at, SECTOR);
  const view = new DataView(header.buffer);
  const length = view.getUint32(12, true);
  const sum = view.getUint32(16, true);
  view.setUint32(16, 0, true);
  if (length < 92 || length > SECTOR || crc32(header.subarray(0, length)) !== sum) {
    throw damaged("its GPT's header has another checksum");
  }
  const [count, size] = [view.getUint32(80, true), view.getUint32(84, true)];
  if (count > MOST_ENTRIES || size < 128 || size > 4096) throw damaged("its GPT has odd entries");
  const table = disk.at(Number(view.getBigUint64(72, true)) * SECTOR, count * size);
  if (crc32(table) !== view.getUint32(88, true)) throw damaged("its GPT has another checksum");
  const partitions: Partition[] = [];
  let forBIOS = false;
  for (let entry = 0; entry < count * size; entry += size) {
    const type = table.subarray(entry, entry + 16).toHex();
    if (type === UNUSED) continue;
    const [first, last] = [32, 40].map((at) =>
      Number(new DataView(table.buffer).getBigUint64(entry + at, true))
    );
    forBIOS ||= type === BIOS_BOOT;
    const isSystem = type === SYSTEM;
    partitions.push({ start: first * SECTOR, size: (last - first + 1) * SECTOR, isSystem });
  }
  return { partitions, forBIOS };
}

// --- MBR

interface Entry {
  active: number;
  type: number;
  first: number;
  count: number;
}

/** The type of the one partition that an MBR has before a GPT. */
const PROTECTIVE = 0xee;

/** Types of partitions that hold others. */
const EXTENDED = [0x05, 0x0f, 0x85];

/** More logical partitions than Linux looks for. */
const MOST_LOGICAL = 128;

function entriesOf(sector: Uint8Array<ArrayBuffer>): Entry[] {
  if (sector[510] !== 0x55 || sector[511] !== 0xaa) return [];
  const view = new DataView(sector.buffer);
  return [446, 462, 478, 494].map((at) => ({
    active: sector[at],
    type: sector[at + 4],
    first: view.getUint32(at + 8, true),
    count: view.getUint32(at + 12, true),
  }));
}

function readMBR(disk: DiskReader, sector: Uint8Array<ArrayBuffer>): PartitionTable | undefined {
  const entries = entriesOf(sector);
  // What starts as a file system does, and so has text where the entries are, is none.
  if (entries.length === 0 || entries.some(({ active }) => (active & 0x7f) !== 0)) return undefined;
  const used = entries.filter(({ type, count }) => type !== 0 && type !== PROTECTIVE && count > 0);
  if (used.length === 0) return undefined;
  const partitions = used.map(({ type, first, count }) => toPartition(type, first, count));
  const extended = used.find(({ type }) => EXTENDED.includes(type));
  if (extended) partitions.push(...readLogical(disk, extended.first));
  return { scheme: "MBR", partitions, forBIOS: startsByBIOS(sector) };
}

function readLogical(disk: DiskReader, extended: number): Partition[] {
  const partitions: Partition[] = [];
  let at = extended;
  for (let i = 0; i < MOST_LOGICAL && at * SECTOR + SECTOR <= disk.size; i++) {
    const [own, next] = entriesOf(disk.at(at * SECTOR, SECTOR));
    if (!own) break;
    if (own.type !== 0) partitions.push(toPartition(own.type, at + own.first, own.count));
    if (!EXTENDED.includes(next.type) || next.first === 0) break;
    at = extended + next.first;
  }
  return partitions;
}

function toPartition(type: number, first: number, count: number): Partition {
  return { start: first * SECTOR, size: count * SECTOR, isSystem: type === 0xef };
}

/** Whether there is code before the table, and either a partition that it starts or a loader's name in it. */
function startsByBIOS(sector: Uint8Array<ArrayBuffer>): boolean {
  const entries = entriesOf(sector);
  const code = sector.subarray(0, 440);
  if (entries.length === 0 || code.every((byte) => byte === 0)) return false;
  return entries.some(({ active }) => active === 0x80) ||
    new TextDecoder("latin1").decode(code).includes("GRUB");
}
