/** What compressed files look like, and how they are opened; each library is loaded when it is needed. */

import { damaged } from "./error.ts";
import type { Input, Output } from "./byte_reader.ts";

type Decompress = (input: Input, output: Output) => Promise<void>;

/** A form of compression. */
export interface Compression {
  name: string;
  magic: number[];
  load(): Promise<Decompress>;
}

export const COMPRESSIONS: Compression[] = [
  { name: "gzip", magic: [0x1f, 0x8b, 8], load: async () => (await import("./gzip.ts")).gunzip },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], load: async () => (await import("./zstd.ts")).unzstd },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], load: async () => (await import("./xz.ts")).unxz },
  { name: "lzma", magic: [0x5d, 0, 0], load: async () => (await import("./xz.ts")).unlzma },
  { name: "lz4", magic: [0x04, 0x22, 0x4d, 0x18], load: async () => (await import("./lz4.ts")).unlz4 },
  { name: "lz4", magic: [0x02, 0x21, 0x4c, 0x18], load: async () => (await import("./lz4.ts")).unlz4 },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68], load: async () => (await import("./bzip2.ts")).bunzip2 },
];

/** The form that starts with these bytes. */
export function compressionOf(head: Uint8Array): Compression | undefined {
  return COMPRESSIONS.find(({ magic }) => magic.every((byte, i) => head[i] === byte));
}

/** The kernel's sign-file puts this at the end of what it signs, after the signature and its length. */
const SIGNED = new TextEncoder().encode("~Module signature appended~\n");

/** What an input is without a signature at its end. */
function unsigned(input: Input): Input {
  const trailer = SIGNED.length + 4;
  if (input.left < trailer) return input;
  const bytes = input.at(input.end - trailer, trailer);
  if (!SIGNED.every((byte, i) => bytes[4 + i] === byte)) return input;
  const end = input.end - trailer - 8 - new DataView(bytes.buffer).getUint32(0);
  if (end <= input.start) throw damaged("its signature is longer than it is");
  return input.stretch(input.start, end);
}

/** Whether what is left is no part of what was decompressed: zeros, or the size that the kernel's makefiles append. */
function isPadding(input: Input, size: number): boolean {
  if (input.left === 4) {
    const last = new DataView(input.at(input.position, 4).buffer).getUint32(0, true);
    if (last === size % 2 ** 32) return true;
  }
  while (input.left > 0) if (input.next().some((byte) => byte !== 0)) return false;
  return true;
}

/** Decompresses the whole of an input. */
export async function decompress(compression: Compression, input: Input, output: Output): Promise<void> {
  const from = unsigned(input);
  const run = await compression.load();
  await run(from, output);
  if (!isPadding(from, output.length)) throw damaged("something else follows it");
}
