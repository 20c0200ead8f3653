/**
 * bzip2. The libraries that there are decode a whole file at a stretch, and loop for ever on a run of 32 digits.
 *
 * Source: the format as J. Seward's bzip2 has it.
 */

import { damaged, ImageError } from "./error.ts";
import type { Input, Sink } from "./byte_reader.ts";

const LONGEST_CODE = 20;
/** After so many symbols another table is in force. */
const GROUP = 50;

/** Each byte's part of a CRC-32 whose bits go from the highest to the lowest. */
const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? crc << 1 ^ 0x04c11db7 : crc << 1;
  return crc;
});

class Bits {
  readonly #input: Input;
  #chunk = new Uint8Array();
  #at = 0;
  #bits = 0;
  #count = 0;

  constructor(input: Input) {
    this.#input = input;
  }

  /** The next bits, at most 24. */
  read(count: number): number {
    while (this.#count < count) {
      if (this.#at === this.#chunk.length) this.#refill();
      this.#bits = this.#bits << 8 | this.#chunk[this.#at++];
      this.#count += 8;
    }
    this.#count -= count;
    return this.#bits >>> this.#count & (1 << count) - 1;
  }

  /** 32 bits, as a signed number. */
  read32(): number {
    return this.read(16) << 16 | this.read(16);
  }

  #refill(): void {
    this.#chunk = this.#input.next();
    this.#at = 0;
    if (this.#chunk.length === 0) throw new ImageError("it ends too early");
  }

  /** Gives back what was read beyond the byte in which the bits end. */
  end(): void {
    this.#input.position -= this.#chunk.length - this.#at;
  }
}

/** A canonical Huffman code: for each length its last code, and where the symbols of its codes are. */
class Code {
  readonly #shortest: number;
  readonly #last = new Int32Array(LONGEST_CODE + 1).fill(-1);
  readonly #shift = new Int32Array(LONGEST_CODE + 1);
  readonly #symbols: Uint16Array;

  constructor(lengths: number[]) {
    this.#shortest = Math.min(...lengths);
    this.#symbols = Uint16Array.from(lengths.keys()).sort((a, b) => lengths[a] - lengths[b] || a - b);
    for (let length = this.#shortest, code = 0, first = 0; length <= LONGEST_CODE; length++, code <<= 1) {
      const count = lengths.filter((other) => other === length).length;
      this.#shift[length] = first - code;
      this.#last[length] = code + count - 1;
      first += count;
      code += count;
    }
  }

  next(bits: Bits): number {
    let length = this.#shortest;
    for (let code = bits.read(length);; code = code << 1 | bits.read(1)) {
      if (code <= this.#last[length]) return this.#symbols[code + this.#shift[length]];
      if (++length > LONGEST_CODE) throw damaged("a code that stands for nothing");
    }
  }
}

function moveToFront(list: Uint8Array, index: number): number {
  const value = list[index];
  list.copyWithin(1, 0, index);
  list[0] = value;
  return value;
}

/** The bytes that a block has. */
function readAlphabet(bits: Bits): Uint8Array {
  const ranges = bits.read(16);
  const bytes: number[] = [];
  for (let range = 0; range < 16; range++) {
    const used = ranges >> 15 - range & 1 ? bits.read(16) : 0;
    for (let i = 0; i < 16; i++) if (used >> 15 - i & 1) bytes.push(range * 16 + i);
  }
  if (bytes.length === 0) throw damaged("a block of no bytes");
  return Uint8Array.from(bytes);
}

/** The codes that a block uses, one for each group of symbols. */
function readCodes(bits: Bits, symbols: number): Code[] {
  const codeCount = bits.read(3);
  const groups = bits.read(15);
  if (codeCount < 2 || codeCount > 6 || groups === 0) throw damaged("the number of its codes");
  const order = Uint8Array.from({ length: codeCount }, (_, i) => i);
  const selectors = Array.from({ length: groups }, () => {
    let index = 0;
    while (bits.read(1)) if (++index === codeCount) throw damaged("a code that is not there");
    return moveToFront(order, index);
  });
  const codes = Array.from({ length: codeCount }, () => {
    let length = bits.read(5);
    return new Code(Array.from({ length: symbols }, () => {
      while (true) {
        if (length < 1 || length > LONGEST_CODE) throw damaged("the length of a code");
        if (!bits.read(1)) return length;
        length += bits.read(1) ? -1 : 1;
      }
    }));
  });
  return selectors.map((selector) => codes[selector]);
}

/** Reads a block's bytes, in the order of the Burrows-Wheeler transform; how many there are. */
function readBlock(bits: Bits, block: Uint32Array): number {
  const alphabet = readAlphabet(bits);
  const end = alphabet.length + 1;
  const codes = readCodes(bits, end + 1);
  let [length, run, digit] = [0, 0, 1];
  for (let count = 0;; count++) {
    const code = codes[count / GROUP | 0];
    if (!code) throw damaged("a block without end");
    const symbol = code.next(bits);
    if (symbol < 2) { // a digit of a run's length: 1 or 2 times a power of two
      run += digit << symbol;
      digit <<= 1;
      if (length + run > block.length) throw damaged("a block is too long");
      continue;
    }
    block.fill(alphabet[0], length, length += run);
    [run, digit] = [0, 1];
    if (symbol === end) return length;
    if (length === block.length) throw damaged("a block is too long");
    block[length++] = moveToFront(alphabet, symbol - 1);
  }
}

/** Undoes the transform: each entry becomes a byte, and above it where the next one is. */
function link(block: Uint32Array): void {
  const next = new Uint32Array(257);
  for (const byte of block) next[byte + 1]++;
  for (let byte = 1; byte < 256; byte++) next[byte] += next[byte - 1];
  for (let i = 0; i < block.length; i++) block[next[block[i] & 0xff]++] |= i << 8;
}

/** Writes a block's bytes, where four equal ones are followed by the number of more of them; their CRC. */
function writeBlock(block: Uint32Array, origin: number, output: Sink): number {
  const buffer = new Uint8Array(1 << 16);
  let [filled, crc, equal, last] = [0, -1, 0, -1];
  for (let i = 0, entry = block[origin] >>> 8; i < block.length; i++) {
    const byte = block[entry] & 0xff;
    entry = block[entry] >>> 8;
    const times = equal === 4 ? byte : 1;
    const value = equal === 4 ? last : byte;
    if (filled + times > buffer.length) {
      output.write(buffer.subarray(0, filled));
      filled = 0;
    }
    for (let k = 0; k < times; k++) {
      buffer[filled++] = value;
      crc = crc << 8 ^ CRC[crc >>> 24 ^ value];
    }
    equal = equal === 4 ? 0 : byte === last ? equal + 1 : 1;
    last = equal === 0 ? -1 : byte;
  }
  output.write(buffer.subarray(0, filled));
  return ~crc;
}

async function decompressStream(input: Input, output: Sink): Promise<void> {
  const bits = new Bits(input);
  bits.read(24);
  const level = bits.read(8) - 0x30;
  if (level < 1 || level > 9) throw damaged("its block size");
  const block = new Uint32Array(level * 100_000);
  for (let streamCRC = 0;;) {
    const magic = [bits.read(24), bits.read(24)];
    const crc = bits.read32();
    if (magic[0] === 0x177245 && magic[1] === 0x385090) {
      if (crc !== streamCRC) throw damaged("its checksum");
      return bits.end();
    }
    if (magic[0] !== 0x314159 || magic[1] !== 0x265359) throw damaged("a block does not start as one");
    if (bits.read(1)) throw damaged("a block as bzip2 0.9 made it");
    const origin = bits.read(24);
    const bytes = block.subarray(0, readBlock(bits, block));
    if (origin >= bytes.length) throw damaged("a block starts outside of it");
    link(bytes);
    if (writeBlock(bytes, origin, output) !== crc) throw damaged("a block's checksum");
    streamCRC = (streamCRC << 1 | streamCRC >>> 31) ^ crc;
    await input.yieldToEventLoop();
  }
}

/** Whether another stream follows: `BZh` and a digit. */
function isBeforeStream(input: Input): boolean {
  if (input.left < 4) return false;
  return /^BZh[1-9]$/.test(new TextDecoder("latin1").decode(input.at(input.position, 4)));
}

/** Decompresses bzip2 streams, as many as there are. */
export async function bunzip2(input: Input, output: Sink): Promise<void> {
  do await decompressStream(input, output); while (isBeforeStream(input));
}
