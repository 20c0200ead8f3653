/** FAT file systems, read only. Sources: Microsoft's FAT specification (2005); what EDK2 and Linux take for one. */

import type { DiskReader } from "./disk_reader.ts";
import { damaged } from "./error.ts";

/** A folder has no more entries: 2 MiB of them. */
const MOST_ENTRIES = 65_536;
const ENTRY = 32;
/** So much of a folder is read at a time. */
const PIECE = 4096;

const ATTRIBUTE = { label: 0x08, folder: 0x10, longName: 0x0f } as const;

/** A file or a folder. */
export interface FATEntry {
  /** The long one, where there is one. */
  name: string;
  isFolder: boolean;
  /** Its first cluster; 0 when it has none. */
  cluster: number;
  /** Of a file, in bytes. */
  size: number;
}

/** A FAT12, FAT16 or FAT32 file system on a stretch of a disk. */
export class FAT {
  readonly #disk: DiskReader;
  readonly #bits: 12 | 16 | 32;
  readonly #clusterSize: number;
  readonly #clusters: number;
  /** Where in the disk the table, and the first cluster, are. */
  readonly #table: number;
  readonly #data: number;
  /** The root folder, which has a place of its own where the table has less than 32 bits. */
  readonly #root: { at: number; length: number } | { cluster: number };

  private constructor(disk: DiskReader, start: number, layout: Layout) {
    this.#disk = disk;
    const { sectorSize, reserved, tables, tableSectors, rootEntries, total } = layout;
    const root = reserved + tables * tableSectors;
    const data = root + Math.ceil(rootEntries * ENTRY / sectorSize);
    this.#clusters = Math.floor((total - data) / layout.clusterSectors);
    this.#clusterSize = layout.clusterSectors * sectorSize;
    this.#bits = layout.is32 ? 32 : this.#clusters < 4085 ? 12 : 16;
    this.#table = start + reserved * sectorSize;
    this.#data = start + data * sectorSize;
    this.#root = layout.is32
      ? { cluster: layout.rootCluster }
      : { at: start + root * sectorSize, length: rootEntries * ENTRY };
  }

  /**
   * The file system that begins at an offset; nothing when there is none.
   *
   * @throws {ImageError} When the disk ends before its first sector does.
   */
  static open(disk: DiskReader, start: number): FAT | undefined {
    const layout = layoutOf(disk.at(start, 512));
    return layout && new FAT(disk, start, layout);
  }

  /**
   * What is at a path; nothing when it is not there. Small and capital letters are the same.
   *
   * @param path `EFI/BOOT`; empty for the root folder.
   * @throws {ImageError} When it is damaged on the way.
   */
  folder(path: string): FATEntry[] | undefined {
    let bytes = "at" in this.#root
      ? this.#pieces(this.#root.at, this.#root.length)
      : this.#chain(this.#root.cluster);
    for (const name of path.split("/").filter(Boolean)) {
      const found = entriesOf(bytes).find((entry) => entry.name.toLowerCase() === name.toLowerCase());
      if (!found?.isFolder) return undefined;
      bytes = this.#chain(found.cluster);
    }
    return entriesOf(bytes);
  }

  /**
   * Bytes of a file from an offset; fewer at its end.
   *
   * @throws {ImageError} When it is damaged.
   */
  read({ cluster, size }: FATEntry, offset: number, length: number): Uint8Array<ArrayBuffer> {
    const end = Math.min(offset + length, size);
    const bytes = new Uint8Array(Math.max(0, end - offset));
    const first = Math.floor(offset / this.#clusterSize);
    let i = 0;
    for (const at of this.#places(cluster)) {
      const from = i * this.#clusterSize; // of this cluster, in the file
      if (from >= end) break;
      if (i++ < first) continue;
      const [start, stop] = [Math.max(offset, from), Math.min(end, from + this.#clusterSize)];
      bytes.set(this.#disk.at(at + start - from, stop - start), start - offset);
    }
    if (i * this.#clusterSize < end) throw damaged("a file ends too early");
    return bytes;
  }

  *#chain(cluster: number): Generator<Uint8Array<ArrayBuffer>> {
    for (const at of this.#places(cluster)) yield* this.#pieces(at, this.#clusterSize);
  }

  /** A stretch of the disk in parts: a folder mostly ends in its first one. */
  *#pieces(start: number, length: number): Generator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < length; at += PIECE) {
      yield this.#disk.at(start + at, Math.min(PIECE, length - at));
    }
  }

  /** Where the clusters of a chain are in the disk. One that bites its tail ends when it has more than there are. */
  *#places(first: number): Generator<number> {
    let cluster = this.#bits === 32 ? first : first & 0xffff; // what is above it is of something else there
    for (let i = 0; cluster >= 2 && cluster < this.#clusters + 2; i++) {
      if (i >= this.#clusters) throw damaged("a chain of clusters has no end");
      yield this.#data + (cluster - 2) * this.#clusterSize;
      cluster = this.#next(cluster);
    }
  }

  #next(cluster: number): number {
    if (this.#bits === 32) return this.#number(cluster * 4, 4) & 0x0fff_ffff;
    if (this.#bits === 16) return this.#number(cluster * 2, 2);
    const pair = this.#number(cluster + (cluster >> 1), 2);
    return cluster % 2 === 0 ? pair & 0xfff : pair >> 4;
  }

  #number(offset: number, length: 2 | 4): number {
    const view = new DataView(this.#disk.at(this.#table + offset, length).buffer);
    return length === 2 ? view.getUint16(0, true) : view.getUint32(0, true);
  }
}

/** In sectors, but for the sizes. */
interface Layout {
  sectorSize: number;
  clusterSectors: number;
  reserved: number;
  tables: number;
  tableSectors: number;
  rootEntries: number;
  rootCluster: number;
  total: number;
  is32: boolean;
}

/** What the first sector tells; nothing when it is not that of a FAT file system. */
function layoutOf(sector: Uint8Array<ArrayBuffer>): Layout | undefined {
  const view = new DataView(sector.buffer);
  const short = (at: number) => view.getUint16(at, true);
  const long = (at: number) => view.getUint32(at, true);
  const is32 = short(22) === 0;
  const layout = {
    sectorSize: short(11),
    clusterSectors: sector[13],
    reserved: short(14),
    tables: sector[16],
    tableSectors: is32 ? long(36) : short(22),
    rootEntries: is32 ? 0 : short(17),
    rootCluster: long(44),
    total: short(19) || long(32),
    is32,
  };
  const isPower = (value: number) => value > 0 && (value & value - 1) === 0;
  const isOne = isPower(layout.sectorSize) && layout.sectorSize >= 512 && layout.sectorSize <= 4096 &&
    isPower(layout.clusterSectors) && layout.reserved > 0 && layout.tables > 0 && layout.tableSectors > 0 &&
    sector[21] >= 0xf0 && (is32 || layout.rootEntries > 0) &&
    layout.total > layout.reserved + layout.tables * layout.tableSectors;
  return isOne ? layout : undefined;
}

/** The entries of a folder, in the order in which they are there. */
function entriesOf(clusters: Iterable<Uint8Array<ArrayBuffer>>): FATEntry[] {
  const entries: FATEntry[] = [];
  let seen = 0;
  let long = new LongName();
  for (const bytes of clusters) {
    for (let at = 0; at < bytes.length; at += ENTRY) {
      if (++seen > MOST_ENTRIES) throw damaged("a folder has no end");
      const entry = bytes.subarray(at, at + ENTRY);
      if (entry[0] === 0) return entries;
      const attributes = entry[11];
      if (entry[0] !== 0xe5 && (attributes & 0x3f) === ATTRIBUTE.longName) {
        long.add(entry);
        continue;
      }
      const name = long.nameOf(entry);
      long = new LongName();
      if (entry[0] === 0xe5 || entry[0] === 0x2e || (attributes & ATTRIBUTE.label)) continue; // deleted, `.`, `..`
      const view = new DataView(entry.buffer, entry.byteOffset);
      entries.push({
        name: name ?? shortName(entry),
        isFolder: (attributes & ATTRIBUTE.folder) !== 0,
        cluster: view.getUint16(20, true) * 65_536 + view.getUint16(26, true),
        size: view.getUint32(28, true),
      });
    }
  }
  return entries;
}

/** A long name, whose parts come before the entry that it is of, the last part first. */
class LongName {
  #text = "";
  #left = 0;
  #checksum = -1;

  add(entry: Uint8Array): void {
    const number = entry[0] & 0x3f;
    const isLast = (entry[0] & 0x40) !== 0;
    if (isLast) [this.#text, this.#left, this.#checksum] = ["", number, entry[13]];
    if (number !== this.#left || entry[13] !== this.#checksum) this.#checksum = -1;
    const bytes = [entry.subarray(1, 11), entry.subarray(14, 26), entry.subarray(28, 32)].flatMap((
      part,
    ) => [...part]);
    this.#text = new TextDecoder("utf-16le").decode(Uint8Array.from(bytes)) + this.#text;
    this.#left--;
  }

  /** Nothing when it is of another entry than this. */
  nameOf(entry: Uint8Array): string | undefined {
    const sum = entry.subarray(0, 11).reduce((sum, byte) => (sum >> 1 | sum << 7) + byte & 0xff, 0);
    return this.#left === 0 && this.#checksum === sum ? this.#text.replace(/\0.*$/s, "") : undefined;
  }
}

/** Where the two halves of a short name are small letters, a byte says so: an extension of Windows NT's. */
const SMALL = { name: 0x08, extension: 0x10 } as const;

function shortName(entry: Uint8Array): string {
  const text = (from: number, to: number, small: number) => {
    const text = new TextDecoder("latin1").decode(entry.subarray(from, to)).trimEnd();
    return entry[12] & small ? text.toLowerCase() : text;
  };
  const extension = text(8, 11, SMALL.extension);
  return text(0, 8, SMALL.name) + (extension === "" ? "" : `.${extension}`);
}
