/** VMDK images that are one file. Source: VMware's "Virtual Disk Format 5.0". */

import { type Block, BlockLayer } from "./block_layer.ts";
import { checkDiskSize } from "./disk_size.ts";
import { damaged, ImageError } from "./error.ts";
import type { ImageFile } from "./image_file.ts";
import type { Layer } from "./layer.ts";
import { has } from "./magic.ts";
import { Table } from "./table.ts";
import { checkDescriptor, LONGEST_DESCRIPTOR, partOf, refuseDescriptor } from "./vmdk_descriptor.ts";

const SECTOR = 512;

/** The header's fields, which are little-endian and count in sectors. */
const HEADER = {
  version: 4,
  flags: 8,
  capacity: 12,
  grainSize: 20,
  descriptor: 28,
  descriptorSize: 36,
  entriesPerTable: 44,
  directory: 56,
  compression: 77,
} as const;

const FLAGS = { zeroedGrain: 1 << 2, compressed: 1 << 16, markers: 1 << 17 };

/** In place of the directory's offset: it is in a copy of the header at the end of the file, behind the grains. */
const AT_END = 0xffff_ffff_ffff_ffffn;

/** What stands at the end then: a marker of type 3, the header, and a marker of type 0. */
const FOOTER = { size: 3 * SECTOR, marker: 3, type: 12 } as const;

/** A grain that is compressed begins with its place in the disk, and its length. */
const GRAIN_MARKER = { size: 12, length: 8 } as const;

/** As in QEMU. */
const MOST_ENTRIES = 512;
const LARGEST_GRAIN = 2 ** 30;
/** A grain that is compressed is in memory as a whole. */
const LARGEST_COMPRESSED = 2 ** 21;

interface Header {
  flags: number;
  /** In bytes. */
  size: number;
  grainSize: number;
  entriesPerTable: number;
  directory: number;
}

/** A VMDK image: its directory says where tables are, which say where the grains of the disk are. */
class SparseVMDK extends BlockLayer {
  readonly format = "vmdk";
  readonly #directory: Table;
  readonly #tables: Table;
  readonly #marker = new Uint8Array(GRAIN_MARKER.size);

  constructor(file: ImageFile, readonly header: Header) {
    super(file, header.size, header.grainSize);
    this.#directory = new Table(file);
    this.#tables = new Table(file);
  }

  protected block(index: number): Block {
    const { entriesPerTable, flags } = this.header;
    const table = this.#table(Math.floor(index / entriesPerTable));
    const inTable = index % entriesPerTable;
    if (table === 0) return { kind: "zero", blocks: entriesPerTable - inTable };
    const tableEnd = table + entriesPerTable * 4;
    if (tableEnd > this.file.size) throw this.damaged(index, "is in a table outside the file");
    const sector = this.#tables.view.getUint32(this.#tables.find(table + inTable * 4, tableEnd), true);
    if (sector === 0 || (sector === 1 && flags & FLAGS.zeroedGrain)) return { kind: "zero", blocks: 1 };
    const at = sector * SECTOR;
    return flags & FLAGS.compressed ? this.#compressed(index, at) : { kind: "data", at };
  }

  #table(number: number): number {
    const { directory } = this.header;
    const end = directory + directoryEntries(this.header) * 4;
    return this.#directory.view.getUint32(this.#directory.find(directory + number * 4, end), true) * SECTOR;
  }

  #compressed(index: number, at: number): Block {
    if (at + GRAIN_MARKER.size > this.file.size) throw this.damaged(index, "lies outside the file");
    this.file.readWhole(at, this.#marker);
    const length = new DataView(this.#marker.buffer).getUint32(GRAIN_MARKER.length, true);
    const start = at + GRAIN_MARKER.size;
    const size = this.blockSize;
    if (length === 0 || length > 2 * size) throw this.damaged(index, `is compressed to ${length} bytes`);
    if (start + length > this.file.size) throw this.damaged(index, "lies outside the file");
    // The last one may hold no more than the disk does.
    const shortest = Math.min(size, this.size - index * size);
    const cluster = { file: this.file, at: start, atLeast: length, atMost: length, size, shortest };
    return { kind: "compressed", cluster: { ...cluster, compression: "zlib" } };
  }
}

function directoryEntries({ size, grainSize, entriesPerTable }: Header): number {
  return Math.ceil(size / (grainSize * entriesPerTable));
}

/**
 * A VMDK image.
 *
 * @throws {ImageError} When it is damaged, in several files or based on another.
 */
export function vmdk(file: ImageFile): Layer {
  const head = new Uint8Array(SECTOR);
  const length = file.read(0, head);
  if (has(head, 0, "# Disk DescriptorFile")) throw refuseDescriptor(readText(file, 0, file.size));
  if (has(head, 0, "COWD")) {
    throw new ImageError(
      "it is a VMDK image of the type vmfsSparse: convert it first (qemu-img convert -O qcow2)",
    );
  }
  if (!has(head, 0, "KDMV")) throw new ImageError("it is not a VMDK image");
  if (length < SECTOR) throw new ImageError("it ends too early");
  const view = new DataView(head.buffer);
  const version = view.getUint32(HEADER.version, true);
  if (version < 1 || version > 3) {
    throw new ImageError(`it is a VMDK image of version ${version}, not 1 to 3`);
  }
  checkDescriptor(descriptorOf(file, view));
  const header = readHeader(headerWithDirectory(file, view));
  checkHeader(header, file.size);
  return new SparseVMDK(file, header);
}

function sectors(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true)) * SECTOR;
}

function readText(file: ImageFile, at: number, length: number): string {
  const bytes = new Uint8Array(Math.min(length, LONGEST_DESCRIPTOR));
  return new TextDecoder().decode(bytes.subarray(0, file.read(at, bytes))).replace(/\0.*/s, "");
}

function descriptorOf(file: ImageFile, view: DataView): string {
  const [at, length] = [sectors(view, HEADER.descriptor), sectors(view, HEADER.descriptorSize)];
  if (at === 0) throw partOf();
  if (at + length > file.size) throw damaged("its descriptor lies outside the file");
  return readText(file, at, length);
}

function headerWithDirectory(file: ImageFile, view: DataView): DataView {
  if (view.getBigUint64(HEADER.directory, true) !== AT_END) return view;
  if (file.size < FOOTER.size) throw new ImageError("it ends too early");
  const footer = new Uint8Array(FOOTER.size);
  file.readWhole(file.size - FOOTER.size, footer);
  const isFooter = new DataView(footer.buffer).getUint32(FOOTER.type, true) === FOOTER.marker &&
    has(footer, SECTOR, "KDMV");
  if (!isFooter) {
    throw damaged("the footer that says where its tables are is not there: it may end too early");
  }
  return new DataView(footer.buffer, SECTOR, SECTOR);
}

function readHeader(view: DataView): Header {
  const flags = view.getUint32(HEADER.flags, true);
  const compression = view.getUint16(HEADER.compression, true);
  if (compression > 1) throw new ImageError(`its compression, number ${compression}, is not known here`);
  if ((flags & FLAGS.compressed) !== 0 !== (compression === 1)) {
    throw damaged("its compression is told in two ways");
  }
  if (flags & FLAGS.compressed && !(flags & FLAGS.markers)) {
    throw damaged("its grains are compressed without markers");
  }
  return {
    flags,
    size: sectors(view, HEADER.capacity),
    grainSize: sectors(view, HEADER.grainSize),
    entriesPerTable: view.getUint32(HEADER.entriesPerTable, true),
    directory: sectors(view, HEADER.directory),
  };
}

function checkHeader(header: Header, fileSize: number): void {
  const { flags, size, grainSize, entriesPerTable, directory } = header;
  checkDiskSize(size);
  const largest = flags & FLAGS.compressed ? LARGEST_COMPRESSED : LARGEST_GRAIN;
  if (grainSize < SECTOR || grainSize > largest || !Number.isInteger(Math.log2(grainSize))) {
    throw damaged(`its grains have ${grainSize} bytes`);
  }
  if (entriesPerTable === 0 || entriesPerTable > MOST_ENTRIES) {
    throw damaged(`its tables have ${entriesPerTable} entries`);
  }
  if (directory === 0 || directory + directoryEntries(header) * 4 > fileSize) {
    throw damaged("its directory lies outside the file");
  }
}
