/** What a kernel file is, from its first bytes. */

import { ImageError } from "./error.ts";

/** The forms that can be booted as they are: a `bzImage` on Intel, an arm64 `Image` on Apple silicon. */
export type KernelFormat = "bzImage" | "Image";

/** How many bytes {@linkcode kernelFormat} looks at. */
export const KERNEL_HEAD = 4096;

/** First bytes of files that are not kernels as they stand, and what they are. */
const OTHERS: [magic: number[], what: string, remedy?: string][] = [
  [[0x1f, 0x8b], "it is compressed with gzip", "gunzip"],
  [[0x28, 0xb5, 0x2f, 0xfd], "it is compressed with zstd", "unzstd"],
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "it is compressed with xz", "unxz"],
  [[0x5d, 0x00, 0x00], "it is compressed with lzma", "unlzma"],
  [[0x02, 0x21, 0x4c, 0x18], "it is compressed with lz4", "unlz4"],
  [[0x04, 0x22, 0x4d, 0x18], "it is compressed with lz4", "unlz4"],
  [[0x42, 0x5a, 0x68], "it is compressed with bzip2", "bunzip2"],
  [[0x7f, 0x45, 0x4c, 0x46], "it is an ELF file (a vmlinux?)"],
];

function has(bytes: Uint8Array, offset: number, magic: ArrayLike<number>): boolean {
  return Array.from(magic).every((byte, i) => bytes[offset + i] === byte);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * How many bytes of command line a kernel takes; it starts with a longer one, and shows nothing.
 *
 * @param head Its first {@linkcode KERNEL_HEAD} bytes.
 */
export function commandLineLimit(head: Uint8Array, format: KernelFormat): number {
  // arm64's COMMAND_LINE_SIZE, less its zero; a bzImage says it itself, in cmdline_size.
  if (format === "Image") return 2047;
  if (head.length < 0x23c) return Infinity;
  return new DataView(head.buffer, head.byteOffset).getUint32(0x238, true) || Infinity;
}

/**
 * The form of a kernel.
 *
 * @param head Its first {@linkcode KERNEL_HEAD} bytes, or the whole of a shorter file.
 * @throws {ImageError} When it is none that can be booted as it is.
 *
 * Sources: the kernel's Documentation/arch/x86/boot.rst and Documentation/arch/arm64/booting.rst.
 */
export function kernelFormat(head: Uint8Array): KernelFormat {
  if (has(head, 56, ascii("ARM\x64"))) return "Image";
  if (has(head, 0x202, ascii("HdrS"))) return "bzImage";
  if (has(head, 0, ascii("MZ")) && has(head, 4, ascii("zimg"))) {
    throw new ImageError("it is an EFI zboot image, which holds a compressed kernel");
  }
  for (const [magic, what, remedy] of OTHERS) {
    if (!has(head, 0, magic)) continue;
    throw new ImageError(remedy ? `${what}: decompress it first (${remedy})` : what);
  }
  const isText = head.every((byte) => byte >= 0x20 || (byte >= 0x08 && byte <= 0x0d));
  throw new ImageError(
    isText ? "it is text, not a kernel" : "it is not a Linux kernel (bzImage or arm64 Image)",
  );
}
