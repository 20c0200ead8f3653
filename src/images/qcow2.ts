/** qcow2 images: where in their files the bytes of a disk are. Source: QEMU's docs/interop/qcow2.txt. */

import { damaged, ImageError } from "./error.ts";
import type { ImageFile } from "./image_file.ts";
import type { Layer, Run } from "./layer.ts";
import type { Qcow2Header } from "./qcow2_header.ts";
import { Table } from "./table.ts";

/** The offset in an entry of a table: its bits 9 to 55. */
function offsetIn(view: DataView, at: number): number {
  return (view.getUint32(at) & 0xff_ffff) * 2 ** 32 + ((view.getUint32(at + 4) & ~0x1ff) >>> 0);
}

/** What a table says of a cluster or, where there are any, of a subcluster. */
type Unit =
  | { kind: "unallocated" | "zero" | "data"; at: number }
  | { kind: "compressed"; at: number; sectors: number };

/** A qcow2 image, and those behind it. */
export class Qcow2 implements Layer {
  readonly format = "qcow2";
  readonly size: number;
  readonly #l1: Table;
  readonly #l2: Table;
  /** Bytes of the disk that an L2 table has the clusters of. */
  readonly #tableSpan: number;
  readonly #entrySize: number;
  readonly #unitsPerEntry: number;

  constructor(readonly file: ImageFile, readonly header: Qcow2Header, readonly backing?: Layer) {
    const { clusterSize, subclusters } = header;
    this.size = header.size;
    this.#l1 = new Table(file);
    this.#l2 = new Table(file);
    this.#entrySize = subclusters ? 16 : 8;
    this.#unitsPerEntry = subclusters ? 32 : 1;
    this.#tableSpan = clusterSize / this.#entrySize * clusterSize;
  }

  run(offset: number, length: number): Run {
    const table = this.#l2Table(offset);
    if (table === 0) return { kind: "unallocated", length: this.#withoutTable(offset, length) };
    const inTable = offset % this.#tableSpan;
    return this.#runIn(table, offset, Math.min(length, this.#tableSpan - inTable));
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
    this.backing?.[Symbol.dispose]();
  }

  #damaged(offset: number, how: string): ImageError {
    return damaged(`what it has for byte ${offset} of the disk ${how}`);
  }

  /** Where the L2 table of an offset of the disk is; 0 when there is none. */
  #l2Table(offset: number): number {
    const { l1Offset, l1Entries, clusterSize } = this.header;
    const at = l1Offset + Math.floor(offset / this.#tableSpan) * 8;
    const table = offsetIn(this.#l1.view, this.#l1.find(at, l1Offset + l1Entries * 8));
    if (table % clusterSize !== 0) throw this.#damaged(offset, "is in an L2 table across clusters");
    if (table + clusterSize > this.file.size) {
      throw this.#damaged(offset, "is in an L2 table outside the file");
    }
    return table;
  }

  /** How many bytes from an offset on have no L2 table. */
  #withoutTable(offset: number, length: number): number {
    let end = offset - offset % this.#tableSpan + this.#tableSpan;
    while (end < offset + length && this.#l2Table(end) === 0) end += this.#tableSpan;
    return Math.min(end - offset, length);
  }

  /** Units that lie together, within one L2 table. */
  #runIn(table: number, offset: number, most: number): Run {
    const { clusterSize } = this.header;
    const unitSize = clusterSize / this.#unitsPerEntry;
    const first = this.#unit(table, offset);
    if (first.kind === "compressed") return this.#compressed(first, offset, most);
    const skip = offset % unitSize;
    let length = unitSize - skip;
    while (length < most && this.#continues(first, this.#unit(table, offset + length), skip + length)) {
      length += unitSize;
    }
    length = Math.min(length, most);
    if (first.kind !== "data") return { kind: first.kind, length };
    const at = first.at + skip;
    if (at + length > this.file.size) throw this.#damaged(offset, "lies outside the file");
    return { kind: "data", length, file: this.file, at };
  }

  #continues(first: Unit, next: Unit, distance: number): boolean {
    return next.kind === first.kind && (first.kind !== "data" || next.at === first.at + distance);
  }

  #unit(table: number, offset: number): Unit {
    const { clusterSize, version, subclusters } = this.header;
    const entry = table + Math.floor(offset % this.#tableSpan / clusterSize) * this.#entrySize;
    const at = this.#l2.find(entry, table + clusterSize);
    const { view } = this.#l2;
    if (view.getUint32(at) & 0x4000_0000) return this.#compressedUnit(at);
    const host = offsetIn(view, at);
    if (host % clusterSize !== 0) throw this.#damaged(offset, "lies across clusters");
    if (subclusters) return this.#subcluster(at, host, offset);
    if (view.getUint32(at + 4) & 1) {
      if (version === 2) throw this.#damaged(offset, "is zero in a way that version 2 does not know");
      return { kind: "zero", at: 0 };
    }
    return { kind: host === 0 ? "unallocated" : "data", at: host };
  }

  /** The entry's second half has two bits for each: whether it is zero, whether it is allocated. */
  #subcluster(at: number, host: number, offset: number): Unit {
    const { view } = this.#l2;
    const size = this.header.clusterSize / 32;
    const index = Math.floor(offset / size) % 32;
    const zero = (view.getUint32(at + 8) >>> index) & 1;
    const allocated = (view.getUint32(at + 12) >>> index) & 1;
    if (allocated && (zero || host === 0)) throw this.#damaged(offset, "contradicts itself");
    if (allocated) return { kind: "data", at: host + index * size };
    return { kind: zero ? "zero" : "unallocated", at: 0 };
  }

  /** The entry's lower bits are the offset; where they end depends on the size of clusters. */
  #compressedUnit(at: number): Unit {
    const { view } = this.#l2;
    const high = view.getUint32(at) & 0x3fff_ffff;
    const sectorsShift = 38 - Math.log2(this.header.clusterSize);
    const offsetHigh = high & (2 ** sectorsShift - 1);
    return {
      kind: "compressed",
      at: offsetHigh * 2 ** 32 + view.getUint32(at + 4),
      sectors: high >>> sectorsShift,
    };
  }

  #compressed(unit: Unit & { kind: "compressed" }, offset: number, most: number): Run {
    const { compression, clusterSize } = this.header;
    const { at, sectors } = unit;
    if (at >= this.file.size) throw this.#damaged(offset, "lies outside the file");
    // It ends somewhere in the last of the sectors that it touches, which the file need not have whole.
    const before = sectors * 512 - at % 512;
    const skip = offset % clusterSize;
    return {
      kind: "compressed",
      length: Math.min(clusterSize - skip, most),
      skip,
      cluster: {
        compression,
        file: this.file,
        at,
        atLeast: Math.max(before + 1, 1),
        atMost: Math.min(before + 512, this.file.size - at),
        size: clusterSize,
      },
    };
  }
}
