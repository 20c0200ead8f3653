/** Files in which what is zero takes no room. */

import { Buffer } from "node:buffer";

/** What file systems allocate: so many zeros that lie together are a hole. */
export const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

/** Writes what is not zero; the rest is a hole, in a file that has had nothing there. */
export async function writeSparse(file: Deno.FsFile, offset: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const end = dataEnd(offset, bytes, at);
    if (end > at) await writeAt(file, offset + at, bytes.subarray(at, end));
    at = blockEnd(offset, bytes, end);
  }
}

/** Where the data ends that begins at `at`: at the next block of zeros, or with the bytes. */
function dataEnd(offset: number, bytes: Buffer, at: number): number {
  while (at < bytes.length) {
    const end = blockEnd(offset, bytes, at);
    if (ZEROS.subarray(0, end - at).equals(bytes.subarray(at, end))) break;
    at = end;
  }
  return at;
}

function blockEnd(offset: number, bytes: Buffer, at: number): number {
  return Math.min(at + BLOCK - (offset + at) % BLOCK, bytes.length);
}

async function writeAt(file: Deno.FsFile, offset: number, bytes: Uint8Array): Promise<void> {
  file.seekSync(offset, Deno.SeekMode.Start);
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}
