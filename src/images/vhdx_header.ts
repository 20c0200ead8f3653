/** What VHDX images say of themselves. Source: Microsoft's [MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format". */

import { checkDiskSize } from "./disk_size.ts";
import { damaged, ImageError } from "./error.ts";
import type { ImageFile } from "./image_file.ts";
import { crc32c } from "./crc32c.ts";
import { has } from "./magic.ts";

/** What an image says that can be read. */
export interface VHDXHeader {
  /** Of the disk, in bytes. */
  size: number;
  blockSize: number;
  /** So many blocks have one bitmap. */
  chunkRatio: number;
  /** Where the table of blocks is, and its bytes. */
  bat: number;
  batSize: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** There are two headers, of which one is in force, and two equal tables of regions. */
const HEADERS = [64 * KIB, 128 * KIB];
const REGIONS = [192 * KIB, 256 * KIB];

const HEADER = {
  size: 4 * KIB,
  sequence: 8,
  logGUID: 48,
  version: 66,
  logLength: 68,
  logOffset: 72,
} as const;
const REGION = { size: 64 * KIB, count: 8, entries: 16, entry: 32, most: 2047 } as const;
const METADATA = { size: 64 * KIB, count: 10, entries: 32, entry: 32, most: 2047 } as const;
/** An entry of the log: its head, and how the log is divided. */
const LOG = { head: 64, sector: 4 * KIB, descriptors: 24, guid: 32, largest: 2 ** 30 } as const;

/** Where the checksum is in headers and tables of regions. */
const CHECKSUM = 4;

/** Of what has no writes that were not finished. */
const NO_GUID = "00000000-0000-0000-0000-000000000000";

const BAT = "2dc27766-f623-4200-9d64-115e9bfd4a08";
const METADATA_REGION = "8b7ca206-4790-4b9a-b8fe-575f050f886e";

const ITEMS = {
  parameters: "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
  size: "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
  id: "beca12ab-b2e6-4523-93ef-c309e000c746",
  logicalSector: "8141bf1d-a96f-4709-ba47-f233a8faab5f",
  physicalSector: "cda348c7-445d-4471-9cc9-e9885251c556",
  parent: "a8d35f2d-b30b-454d-abf7-d3d84834ab0c",
} as const;

/** Bits of what is required of who reads it. */
const REQUIRED = { region: 1, item: 4 };

/** Bit of the parameters: it is based on another. */
const HAS_PARENT = 2;

/** As Microsoft writes it: three numbers, little-endian, and eight bytes. */
function guid(view: DataView, at: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, "0");
  const bytes = Array.from({ length: 8 }, (_, i) => hex(view.getUint8(at + 8 + i), 2)).join("");
  return [
    hex(view.getUint32(at, true), 8),
    hex(view.getUint16(at + 4, true), 4),
    hex(view.getUint16(at + 6, true), 4),
    bytes.slice(0, 4),
    bytes.slice(4),
  ].join("-");
}

function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Reads a part with a mark and a checksum; undefined when it is not sound. */
function readChecked(file: ImageFile, at: number, size: number, mark: string): DataView | undefined {
  const bytes = new Uint8Array(size);
  if (file.read(at, bytes) < size || !has(bytes, 0, mark)) return undefined;
  const view = new DataView(bytes.buffer);
  const sum = view.getUint32(CHECKSUM, true);
  view.setUint32(CHECKSUM, 0);
  return crc32c(bytes) === sum ? view : undefined;
}

/** The header in force: of those that are sound the later one. */
function currentHeader(file: ImageFile): DataView {
  const sound = HEADERS.map((at) => readChecked(file, at, HEADER.size, "head")).filter((header) =>
    header !== undefined
  );
  const [first, second] = sound;
  if (!first) throw damaged("both of its headers");
  const later = (one: DataView, other: DataView) =>
    one.getBigUint64(HEADER.sequence, true) >= other.getBigUint64(HEADER.sequence, true) ? one : other;
  const header = second ? later(first, second) : first;
  const version = header.getUint16(HEADER.version, true);
  if (version !== 1) throw new ImageError(`it is a VHDX image of version ${version}, only 1 can be read`);
  return header;
}

/** Refuses what has writes in its log that are not yet where they belong. */
function checkLog(file: ImageFile, header: DataView): void {
  const current = guid(header, HEADER.logGUID);
  if (current === NO_GUID) return;
  const [at, length] = [u64(header, HEADER.logOffset), header.getUint32(HEADER.logLength, true)];
  if (at + length > file.size || length > LOG.largest) throw damaged("its log lies outside the file");
  const head = new Uint8Array(LOG.head);
  const view = new DataView(head.buffer);
  for (let sector = at; sector + LOG.sector <= at + length; sector += LOG.sector) {
    file.readWhole(sector, head);
    if (!has(head, 0, "loge") || guid(view, LOG.guid) !== current) continue;
    if (view.getUint32(LOG.descriptors, true) === 0) continue;
    throw new ImageError(
      "it is in use, or its last writer was killed: if so, finish what is in its log first (qemu-img check -r all)",
    );
  }
}

/** Where the regions are that are used here. */
function readRegions(file: ImageFile): Map<string, { at: number; size: number }> {
  const [first, second] = REGIONS;
  const read = (at: number) => readChecked(file, at, REGION.size, "regi");
  const table = read(first) ?? read(second);
  if (!table) throw damaged("both of its tables of regions");
  const count = table.getUint32(REGION.count, true);
  if (count > REGION.most) throw damaged(`it has ${count} regions`);
  const regions = new Map<string, { at: number; size: number }>();
  for (let i = 0, entry: number = REGION.entries; i < count; i++, entry += REGION.entry) {
    const id = guid(table, entry);
    const [at, size] = [u64(table, entry + 16), table.getUint32(entry + 24, true)];
    if (at < MIB || at + size > file.size) throw damaged("a region lies outside the file");
    if (id === BAT || id === METADATA_REGION) regions.set(id, { at, size });
    else if (table.getUint32(entry + 28, true) & REQUIRED.region) {
      throw new ImageError(`it needs a region that is not known here: ${id}`);
    }
  }
  return regions;
}

/** The items of its metadata that are used here. */
function readItems(file: ImageFile, { at, size }: { at: number; size: number }): Map<string, DataView> {
  if (size < METADATA.size) throw damaged("its metadata is too short");
  const table = new Uint8Array(METADATA.size);
  file.readWhole(at, table);
  if (!has(table, 0, "metadata")) throw damaged("its metadata does not begin as such");
  const view = new DataView(table.buffer);
  const count = view.getUint16(METADATA.count, true);
  if (count > METADATA.most) throw damaged(`it has ${count} items of metadata`);
  const items = new Map<string, DataView>();
  for (let i = 0, entry: number = METADATA.entries; i < count; i++, entry += METADATA.entry) {
    const id = guid(view, entry);
    const isKnown = (Object.values(ITEMS) as string[]).includes(id);
    if (!isKnown && view.getUint32(entry + 24, true) & REQUIRED.item) {
      throw new ImageError(`it needs something that is not known here: ${id}`);
    }
    const [offset, length] = [view.getUint32(entry + 16, true), view.getUint32(entry + 20, true)];
    if (!isKnown || id === ITEMS.parent) continue;
    if (offset < METADATA.size || offset + length > size) {
      throw damaged("an item of its metadata lies outside");
    }
    const bytes = new Uint8Array(Math.min(length, 16)); // none has more
    file.readWhole(at + offset, bytes);
    items.set(id, new DataView(bytes.buffer));
  }
  return items;
}

function itemOf(items: Map<string, DataView>, id: string, length: number): DataView {
  const item = items.get(id);
  if (!item || item.byteLength < length) throw damaged("something is missing in its metadata");
  return item;
}

/**
 * Reads and checks what an image says of itself.
 *
 * @throws {ImageError} When it is damaged, or has what cannot be read here.
 */
export function readVHDXHeader(file: ImageFile): VHDXHeader {
  const mark = new Uint8Array(8);
  file.read(0, mark);
  if (!has(mark, 0, "vhdxfile")) throw new ImageError("it is not a VHDX image");
  checkLog(file, currentHeader(file));
  const regions = readRegions(file);
  const [bat, metadata] = [regions.get(BAT), regions.get(METADATA_REGION)];
  if (!bat || !metadata) throw damaged("a region is missing");
  const items = readItems(file, metadata);
  const parameters = itemOf(items, ITEMS.parameters, 8);
  const [blockSize, flags] = [parameters.getUint32(0, true), parameters.getUint32(4, true)];
  const size = u64(itemOf(items, ITEMS.size, 8), 0);
  const sector = itemOf(items, ITEMS.logicalSector, 4).getUint32(0, true);
  if (flags & HAS_PARENT) {
    throw new ImageError(
      "it is a VHDX image that is based on another: make one of both first (Hyper-V's Convert-VHD)",
    );
  }
  if (sector !== 512) {
    throw new ImageError(
      `its sectors have ${sector} bytes, where a guest finds 512: what is in it does not fit`,
    );
  }
  if (blockSize < MIB || blockSize > 256 * MIB || !Number.isInteger(Math.log2(blockSize))) {
    throw damaged(`its blocks have ${blockSize} bytes`);
  }
  checkDiskSize(size);
  const chunkRatio = 2 ** 23 * sector / blockSize;
  const blocks = Math.ceil(size / blockSize);
  const entries = blocks + Math.floor((blocks - 1) / chunkRatio);
  if (entries * 8 > bat.size) throw damaged("its table of blocks is too small for its disk");
  return { size, blockSize, chunkRatio, bat: bat.at, batSize: bat.size };
}
