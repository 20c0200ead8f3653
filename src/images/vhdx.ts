/** VHDX images. Source: Microsoft's [MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format". */

import { type Block, BlockLayer } from "./block_layer.ts";
import type { ImageFile } from "./image_file.ts";
import type { Layer } from "./layer.ts";
import { Table } from "./table.ts";
import { readVHDXHeader, type VHDXHeader } from "./vhdx_header.ts";

/** Lower bits of an entry of the table: what there is of a block. */
const STATE = { notPresent: 0, undefined: 1, zero: 2, unmapped: 3, unmappedOnce: 5, present: 6 };
const ZERO: readonly number[] = [
  STATE.notPresent,
  STATE.undefined,
  STATE.zero,
  STATE.unmapped,
  STATE.unmappedOnce,
];

/** The rest of an entry counts in these. */
const MIB = 2 ** 20;

/** A VHDX image: of each block its table says where it is. */
class VHDX extends BlockLayer {
  readonly format = "vhdx";
  readonly #bat: Table;

  constructor(file: ImageFile, readonly header: VHDXHeader) {
    super(file, header.size, header.blockSize);
    this.#bat = new Table(file);
  }

  protected block(index: number): Block {
    const { bat, batSize, chunkRatio } = this.header;
    // After so many blocks comes the entry of their sectors' bits, of use only with another image behind it.
    const entry = index + Math.floor(index / chunkRatio);
    const at = this.#bat.find(bat + entry * 8, bat + batSize);
    const { view } = this.#bat;
    const low = view.getUint32(at, true);
    const state = low & 7;
    if (ZERO.includes(state)) return { kind: "zero", blocks: 1 };
    if (state !== STATE.present) {
      throw this.damaged(index, `is in a state, number ${state}, that is not known`);
    }
    return { kind: "data", at: ((low >>> 20) + view.getUint32(at + 4, true) * 2 ** 12) * MIB };
  }
}

/**
 * A VHDX image.
 *
 * @throws {ImageError} When it is damaged or based on another, or was not closed.
 */
export function vhdx(file: ImageFile): Layer {
  return new VHDX(file, readVHDXHeader(file));
}
