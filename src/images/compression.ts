/** What compressed files look like, and how they are opened; each library is loaded when it is needed. */

import { damaged, ImageError } from "./error.ts";
import { isSkippable } from "./magic.ts";
import type { Input, Sink } from "./byte_reader.ts";

type Decompress = (input: Input, output: Sink) => Promise<void>;

/** A form of compression. */
export interface Compression {
  name: string;
  magic: number[];
  /** Frames that are to be skipped may come before the first one. */
  skippable?: true;
  /** Its tool leaves aside what follows, as boot loaders and signers append it, with a warning at most. */
  ignoresRest?: true;
  load(): Promise<Decompress>;
}

export const COMPRESSIONS: Compression[] = [
  {
    name: "gzip",
    magic: [0x1f, 0x8b, 8],
    ignoresRest: true,
    load: async () => (await import("./gzip.ts")).gunzip,
  },
  {
    name: "zstd",
    magic: [0x28, 0xb5, 0x2f, 0xfd],
    skippable: true,
    load: async () => (await import("./zstd.ts")).unzstd,
  },
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], load: async () => (await import("./xz.ts")).unxz },
  { name: "lzma", magic: [0x5d, 0, 0], load: async () => (await import("./xz.ts")).unlzma },
  ...[[0x04, 0x22, 0x4d, 0x18], [0x02, 0x21, 0x4c, 0x18]].map((magic): Compression => ({
    name: "lz4",
    magic,
    skippable: true,
    load: async () => (await import("./lz4.ts")).unlz4,
  })),
  {
    name: "bzip2",
    magic: [0x42, 0x5a, 0x68],
    ignoresRest: true,
    load: async () => (await import("./bzip2.ts")).bunzip2,
  },
];

/** Forms that kernels are found in too, and what opens them. brotli's has no mark. */
const NOT_OPENED = [
  { magic: [0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a], what: "LZO", by: "lzop -d" },
  { magic: [0x4c, 0x5a, 0x49, 0x50], what: "lzip", by: "lzip -d" },
  { magic: [0x1f, 0x9d], what: "compress", by: "gzip -d" },
];

const LONGEST_MAGIC = 9;

/** Nobody puts more of them before what is to be read. */
const MOST_SKIPPED = 1000;

/** Where the frames end that are to be skipped. */
function afterSkippable(input: Input): number {
  const u32 = (at: number) => new DataView(input.at(at, 4).buffer).getUint32(0, true);
  let at = input.start;
  for (let i = 0; i < MOST_SKIPPED && at + 8 <= input.end && isSkippable(u32(at)); i++) at += 8 + u32(at + 4);
  return at;
}

/**
 * The form that an input is compressed in; undefined when it is none that is known.
 *
 * @throws {ImageError} For one that is known, and cannot be opened here.
 */
export function compressionOf(input: Input): Compression | undefined {
  const at = afterSkippable(input);
  if (at >= input.end) return undefined;
  const head = input.at(at, Math.min(LONGEST_MAGIC, input.end - at));
  const startsWith = ({ magic }: { magic: number[] }) => magic.every((byte, i) => head[i] === byte);
  const other = NOT_OPENED.find(startsWith);
  if (other) throw new ImageError(`it is compressed with ${other.what}: unpack it first (${other.by})`);
  return COMPRESSIONS.find((one) => startsWith(one) && (one.skippable || at === input.start));
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
export async function decompress(compression: Compression, input: Input, output: Sink): Promise<void> {
  const from = unsigned(input);
  const run = await compression.load();
  await run(from, output);
  if (!compression.ignoresRest && !isPadding(from, output.length)) throw damaged("something else follows it");
}
