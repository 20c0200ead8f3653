/** VHD images, which qemu calls vpc. Source: Microsoft's "Virtual Hard Disk Image Format Specification". */

import { type Block, BlockLayer } from "./block_layer.ts";
import { checkDiskSize } from "./disk_size.ts";
import { damaged, ImageError } from "./error.ts";
import type { ImageFile } from "./image_file.ts";
import { type Layer, RawLayer } from "./layer.ts";
import { has } from "./magic.ts";
import { Table } from "./table.ts";
import { readVHDFooter, VHD_FOOTER, VHD_TYPE, vhdChecksum, type VHDFooter } from "./vhd_footer.ts";

/** The header of a dynamic image: its fields are big-endian. */
const HEADER = { size: 1024, table: 16, entries: 28, blockSize: 32, checksum: 36 } as const;

/** An entry of the table of a block that is not there. */
const NOT_THERE = 0xffff_ffff;

/** The blocks of a file are counted in sectors, with 32 bits. */
const LARGEST_BLOCK = 2 ** 30;

/** A VHD image that grows: of each block its table says in which sector it begins. */
class DynamicVHD extends BlockLayer {
  readonly format = "vpc";
  readonly #bat: Table;
  /** A block begins with a bit for each sector, whether it was written. As in QEMU, what was not is zero anyway. */
  readonly #bitmapSize: number;

  constructor(file: ImageFile, size: number, blockSize: number, readonly tableAt: number) {
    super(file, size, blockSize);
    this.#bat = new Table(file);
    this.#bitmapSize = Math.ceil(blockSize / 512 / 8 / 512) * 512;
  }

  protected block(index: number): Block {
    const end = this.tableAt + Math.ceil(this.size / this.blockSize) * 4;
    const sector = this.#bat.view.getUint32(this.#bat.find(this.tableAt + index * 4, end));
    if (sector === NOT_THERE) return { kind: "zero", blocks: 1 };
    return { kind: "data", at: sector * 512 + this.#bitmapSize };
  }
}

/**
 * A VHD image.
 *
 * @throws {ImageError} When it is damaged, or based on another.
 */
export function vhd(file: ImageFile): Layer {
  const footer = findFooter(file);
  if (!footer.isSound) throw damaged("the checksum of its footer");
  if (footer.type === VHD_TYPE.differencing) {
    throw new ImageError(
      "it is a VHD image that is based on another: make one of both first (qemu-img convert -O qcow2)",
    );
  }
  if (footer.type !== VHD_TYPE.fixed && footer.type !== VHD_TYPE.dynamic) {
    throw new ImageError(`it is a VHD image of type ${footer.type}, which is not known here`);
  }
  checkDiskSize(footer.size);
  return footer.type === VHD_TYPE.fixed ? fixed(file, footer) : dynamic(file, footer);
}

/** A dynamic image has a copy of its footer at its beginning. */
function findFooter(file: ImageFile): VHDFooter {
  const read = (at: number) => {
    const bytes = new Uint8Array(VHD_FOOTER);
    return at < 0 ? bytes : bytes.subarray(0, file.read(at, bytes));
  };
  const footer = readVHDFooter(read(0)) ?? readVHDFooter(read(file.size - VHD_FOOTER));
  if (!footer) throw new ImageError("it is not a VHD image");
  return footer;
}

function fixed(file: ImageFile, { size }: VHDFooter): Layer {
  if (size > file.size - VHD_FOOTER) throw new ImageError("it ends too early");
  return new RawLayer(file, size);
}

function dynamic(file: ImageFile, { size, dataOffset }: VHDFooter): Layer {
  if (dataOffset + HEADER.size > file.size) throw damaged("its header lies outside the file");
  const header = new Uint8Array(HEADER.size);
  file.readWhole(dataOffset, header);
  const view = new DataView(header.buffer);
  if (!has(header, 0, "cxsparse")) throw damaged("its header does not begin as one");
  if (view.getUint32(HEADER.checksum) !== vhdChecksum(header, HEADER.checksum)) {
    throw damaged("the checksum of its header");
  }
  const [table, entries] = [Number(view.getBigUint64(HEADER.table)), view.getUint32(HEADER.entries)];
  const blockSize = view.getUint32(HEADER.blockSize);
  if (blockSize < 512 || blockSize > LARGEST_BLOCK || !Number.isInteger(Math.log2(blockSize))) {
    throw damaged(`its blocks have ${blockSize} bytes`);
  }
  const needed = Math.ceil(size / blockSize);
  if (entries < needed) throw damaged("its table is too small for its disk");
  if (table + needed * 4 > file.size) throw damaged("its table lies outside the file");
  return new DynamicVHD(file, size, blockSize, table);
}
