/** gzip, and what zlib's streams have in common. Source: RFC 1952. */

import type { Transform } from "node:stream";
import { crc32, createInflateRaw } from "node:zlib";
import { damaged } from "./error.ts";
import { CHUNK, type Input, type Sink } from "./byte_reader.ts";

/** How much comes out at a time: less is more calls, more does not stay in a processor's cache until it is written. */
export const ZLIB_CHUNK = 1 << 19;

/** What goes into a stream at first: of one that ends soon, the rest is read again. */
const FIRST = 1 << 15;

/** What a stream's bytes come from, piece by piece; an empty one is the end. */
type Source = Pick<Input, "next" | "yieldToEventLoop">;

/** Frees a chunk of a stream when that was its last part: else tens of MiB wait for V8 to collect them. */
function free({ buffer, byteOffset, length }: Uint8Array<ArrayBuffer>): void {
  if (byteOffset + length === buffer.byteLength) buffer.transfer(0);
}

/**
 * Sends bytes through one of node:zlib's streams, until that ends.
 *
 * @returns How many of them it took.
 */
export async function through(
  stream: Transform & { bytesWritten: number },
  source: Source,
  output: Pick<Sink, "write">,
): Promise<number> {
  let ended = false;
  const end = Promise.withResolvers<void>();
  const settle = (error?: Error) => {
    ended = true;
    error ? end.reject(error) : end.resolve();
  };
  end.promise.catch(() => {}); // it may fail before it is awaited
  stream.on("data", (bytes: Uint8Array<ArrayBuffer>) => {
    try {
      if (!ended) output.write(bytes);
      free(bytes);
    } catch (error) {
      settle(error as Error);
    }
  });
  stream.on("end", () => settle());
  stream.on("error", (error) => settle(damaged(`${error.message}`)));
  try {
    for (let size = FIRST; !ended; size = Math.min(2 * size, CHUNK)) {
      const bytes = source.next(size);
      if (bytes.length === 0) break;
      const written = new Promise((resolve) => stream.write(bytes, resolve));
      await Promise.race([written, end.promise]);
      await source.yieldToEventLoop();
    }
    stream.end();
    await end.promise;
    return stream.bytesWritten;
  } finally {
    stream.destroy();
  }
}

/** Of a file's name, and a comment. */
const LONGEST_TEXT = 1 << 16;

const FLAGS = { headerCRC: 0x02, extra: 0x04, name: 0x08, comment: 0x10 };

/** Reads past a text, which ends with a zero byte. */
function takeText(input: Input): void {
  for (let length = 0; input.take(1)[0] !== 0; length++) {
    if (length === LONGEST_TEXT) throw damaged("a text of its header has no end");
  }
}

/** Reads past a member's header. */
function takeHeader(input: Input): void {
  const start = input.position;
  const [, , method, flags] = input.take(10);
  if (method !== 8) throw damaged("a member in a compression that is not known");
  if (flags & FLAGS.extra) input.take(new DataView(input.take(2).buffer).getUint16(0, true));
  for (const flag of [FLAGS.name, FLAGS.comment]) if (flags & flag) takeText(input);
  if (!(flags & FLAGS.headerCRC)) return;
  const crc = crc32(input.at(start, input.position - start)) & 0xffff;
  if (new DataView(input.take(2).buffer).getUint16(0, true) !== crc) throw damaged("its header");
}

function isBeforeMember(input: Input): boolean {
  if (input.left < 2) return false;
  const [first, second] = input.at(input.position, 2);
  return first === 0x1f && second === 0x8b;
}

/** Decompresses gzip members, as many as there are. (Deno's own takes what follows them for one that is damaged.) */
export async function gunzip(input: Input, output: Sink): Promise<void> {
  do {
    takeHeader(input);
    let [crc, size] = [0, 0];
    const start = input.position;
    input.position = start + await through(createInflateRaw({ chunkSize: ZLIB_CHUNK }), input, {
      write(bytes) {
        output.write(bytes);
        crc = crc32(bytes, crc);
        size += bytes.length;
      },
    });
    const trailer = new DataView(input.take(8).buffer);
    if (trailer.getUint32(0, true) !== crc >>> 0) throw damaged("its checksum");
    if (trailer.getUint32(4, true) !== size % 2 ** 32) throw damaged("its size");
  } while (isBeforeMember(input));
}
