/** Files in which what is zero takes no room. */

import { Buffer } from "node:buffer";
import type { WritableFile } from "../host/new_file.ts";

/** What file systems allocate: so many zeros that lie together are a hole. */
export const BLOCK = 4096;

const ZEROS = Buffer.alloc(BLOCK);

/**
 * The stretches of bytes that are not holes.
 *
 * @param offset Where the bytes are in their file.
 */
function* withoutHoles(bytes: Uint8Array, offset: number): Generator<[start: number, end: number]> {
  for (let at = 0; at < bytes.length;) {
    const end = dataEnd(offset, bytes, at);
    if (end > at) yield [at, end];
    at = blockEnd(offset, bytes, end);
  }
}

/** Where the data ends that begins at `at`: at the next block of zeros, or with the bytes. */
function dataEnd(offset: number, bytes: Uint8Array, at: number): number {
  while (at < bytes.length) {
    const end = blockEnd(offset, bytes, at);
    // Few blocks of data begin and end with a zero: only those are looked through.
    const mayBeZero = bytes[at] === 0 && bytes[end - 1] === 0;
    if (mayBeZero && ZEROS.subarray(0, end - at).equals(bytes.subarray(at, end))) break;
    at = end;
  }
  return at;
}

function blockEnd(offset: number, bytes: Uint8Array, at: number): number {
  return Math.min(at + BLOCK - (offset + at) % BLOCK, bytes.length);
}

/** Writes what is not zero; the rest is a hole, in a file that has had nothing there. */
export function writeSparse(file: WritableFile, offset: number, bytes: Uint8Array): void {
  for (const [start, end] of withoutHoles(bytes, offset)) {
    file.seekSync(offset + start, Deno.SeekMode.Start);
    for (let at = start; at < end;) at += file.writeSync(bytes.subarray(at, end));
  }
}
