/**
 * lz4, its frames and the older form that the kernel's makefiles make.
 *
 * Sources: lz4_Frame_format.md and lz4_Block_format.md of lz4.
 */

import createHasher from "xxhash-wasm";
import { damaged } from "./error.ts";
import { isSkippable } from "./magic.ts";
import type { Input, Sink } from "./byte_reader.ts";

const FRAME = 0x184d2204;
const LEGACY = 0x184c2102;
const LEGACY_BLOCK = 8 << 20;
const HISTORY = 64 << 10;

function u32(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer).getUint32(0, true);
}

/**
 * Decompresses one block into `to` from `start` on, where what went before it lies before it.
 *
 * @returns Where it ends.
 */
function block(from: Uint8Array, to: Uint8Array, start: number, end: number): number {
  let [i, at] = [0, start];
  const length = (nibble: number): number => {
    let sum = nibble;
    for (let byte = nibble === 15 ? 255 : 0; byte === 255; sum += byte) {
      if (i >= from.length) throw damaged("a length has no end");
      byte = from[i++];
    }
    return sum;
  };
  while (i < from.length) {
    const token = from[i++];
    const literals = length(token >> 4);
    if (i + literals > from.length || at + literals > end) throw damaged("literals go too far");
    if (literals > 16) to.set(from.subarray(i, i + literals), at);
    else for (let k = 0; k < literals; k++) to[at + k] = from[i + k];
    i += literals;
    at += literals;
    if (i === from.length) return at; // the last sequence has literals only
    if (i + 2 > from.length) throw damaged("a match has no offset");
    const offset = from[i] | from[i + 1] << 8;
    i += 2;
    const match = length(token & 15) + 4;
    if (offset === 0 || offset > at || at + match > end) throw damaged("a match goes too far");
    if (match > 32 && offset >= match) to.copyWithin(at, at - offset, at - offset + match);
    else for (let k = at; k < at + match; k++) to[k] = to[k - offset];
    at += match;
  }
  throw damaged("a block has no end");
}

async function frame(input: Input, output: Sink): Promise<void> {
  const hasher = await createHasher();
  const [flags, descriptor] = input.take(2);
  const has = (bit: number) => (flags & bit) !== 0;
  const sizes = input.take((has(0x08) ? 8 : 0) + (has(0x01) ? 4 : 0));
  const header = Uint8Array.of(flags, descriptor, ...sizes);
  if (input.take(1)[0] !== (hasher.h32Raw(header) >>> 8 & 0xff)) throw damaged("its header");
  if (flags >> 6 !== 1 || (descriptor >> 4 & 7) < 4) {
    throw damaged("a version or block size that is not known");
  }
  const blockSize = 1 << 8 + 2 * (descriptor >> 4 & 7);
  const buffer = new Uint8Array(HISTORY + blockSize);
  const content = hasher.create32();
  let history = 0;
  const start = output.length;
  for (let size = u32(input.take(4)); size !== 0; size = u32(input.take(4))) {
    const stored = size >>> 31 === 1;
    size &= 0x7fffffff;
    if (size > blockSize) throw damaged("a block is too large");
    const bytes = input.take(size);
    if (has(0x10) && hasher.h32Raw(bytes) !== u32(input.take(4))) throw damaged("a block's checksum");
    let end = history + size;
    if (stored) buffer.set(bytes, history);
    else end = block(bytes, buffer, history, history + blockSize);
    const made = buffer.subarray(history, end);
    output.write(made);
    if (has(0x04)) content.update(made);
    const kept = has(0x20) ? 0 : Math.min(end, HISTORY); // 0x20: blocks do not refer to each other
    buffer.copyWithin(0, end - kept, end);
    history = kept;
    await input.yieldToEventLoop();
  }
  if (has(0x08) && Number(new DataView(sizes.buffer).getBigUint64(0, true)) !== output.length - start) {
    throw damaged("its size");
  }
  if (has(0x04) && content.digest() !== u32(input.take(4))) throw damaged("its checksum");
}

async function legacy(input: Input, output: Sink): Promise<void> {
  const buffer = new Uint8Array(Math.min(LEGACY_BLOCK, 255 * input.left)); // 255 times is the most
  // What is left at the end may be no block: padding, or the size.
  while (input.left > 4) {
    const size = u32(input.at(input.position, 4));
    if (size === 0 || size === LEGACY || size === FRAME) return;
    if (size > LEGACY_BLOCK + LEGACY_BLOCK / 255 + 16) throw damaged("a block is too large");
    input.take(4);
    output.write(buffer.subarray(0, block(input.take(size), buffer, 0, buffer.length)));
    await input.yieldToEventLoop();
  }
}

/** Decompresses lz4 frames of both kinds, as many as there are. */
export async function unlz4(input: Input, output: Sink): Promise<void> {
  while (input.left >= 4) {
    const magic = u32(input.at(input.position, 4));
    if (isSkippable(magic)) {
      input.take(8 + u32(input.at(input.position + 4, 4)));
      await input.yieldToEventLoop();
    } else if (magic === FRAME || magic === LEGACY) {
      input.take(4);
      await (magic === FRAME ? frame : legacy)(input, output);
    } else return;
  }
}
