/** gzip, and what zlib's streams have in common. */

import type { Transform } from "node:stream";
import { createGunzip } from "node:zlib";
import { damaged } from "./error.ts";
import type { Input, Output } from "./byte_reader.ts";

/** How much comes out at a time; more costs memory, less costs time. */
export const ZLIB_CHUNK = 1 << 18;

/** Sends the rest of an input through one of node:zlib's streams. */
export async function through(
  stream: Transform & { bytesWritten: number },
  input: Input,
  output: Output,
): Promise<void> {
  const start = input.position;
  let ended = false;
  const end = Promise.withResolvers<void>();
  const settle = (error?: Error) => {
    ended = true;
    error ? end.reject(error) : end.resolve();
  };
  end.promise.catch(() => {}); // it may fail before it is awaited
  stream.on("data", (bytes: Uint8Array) => {
    try {
      if (!ended) output.write(bytes);
    } catch (error) {
      settle(error as Error);
    }
  });
  stream.on("end", () => settle());
  stream.on("error", (error) => settle(damaged(`${error.message}`)));
  try {
    while (input.left > 0 && !ended) {
      const written = new Promise((resolve) => stream.write(input.next(), resolve));
      await Promise.race([written, end.promise]);
      await input.yieldToEventLoop();
    }
    stream.end();
    await end.promise;
    input.position = start + stream.bytesWritten;
  } finally {
    stream.destroy();
  }
}

/** Decompresses gzip members, as many as there are. */
export async function gunzip(input: Input, output: Output): Promise<void> {
  await through(createGunzip({ chunkSize: ZLIB_CHUNK }), input, output);
}
