/** What a disk image is, from its first bytes and its last ones. */

import { ImageError } from "./error.ts";
import { has } from "./magic.ts";
import { describeTar } from "./tar.ts";
import { isFixedVHD, VHD_FOOTER } from "./vhd_footer.ts";

/**
 * The form of a disk image; the framework reads raw ones and, since macOS 26, ASIF. The names are qemu's, whose `vpc`
 * is VHD, and for raw images that are compressed those of the compression.
 */
export type DiskFormat =
  | "raw"
  | "qcow2"
  | "vmdk"
  | "vpc"
  | "vhdx"
  | "gzip"
  | "xz"
  | "zstd"
  | "bzip2"
  | "asif";

/** All of them. */
export const DISK_FORMATS: readonly DiskFormat[] = [
  "raw",
  "qcow2",
  "vmdk",
  "vpc",
  "vhdx",
  "gzip",
  "xz",
  "zstd",
  "bzip2",
  "asif",
];

/** Those of which a raw image is made. */
export type ConvertedFormat = Exclude<DiskFormat, "raw" | "asif">;

/** Whether a raw image has to be made of one. */
export function isConverted(format: DiskFormat): format is ConvertedFormat {
  return format !== "raw" && format !== "asif";
}

/** How many bytes {@linkcode diskFormat} looks at, of the beginning and of the end. */
export const DISK_ENDS = { head: 512, tail: VHD_FOOTER } as const;

/** Sources: QEMU's docs/interop, and the formats' own specifications. */
const MAGIC: readonly (readonly [magic: string, format: DiskFormat])[] = [
  ["QFI\xfb", "qcow2"],
  ["shdw", "asif"],
  ["KDMV", "vmdk"],
  ["COWD", "vmdk"],
  ["# Disk DescriptorFile", "vmdk"],
  ["vhdxfile", "vhdx"],
  ["conectix", "vpc"],
  ["\x1f\x8b\x08", "gzip"],
  ["\xfd7zXZ\0", "xz"],
  ["\x28\xb5\x2f\xfd", "zstd"],
  ["\x50\x2a\x4d\x18", "zstd"], // a frame to be skipped, which pzstd begins with
  ["BZh", "bzip2"],
];

const CONVERT = "`qemu-img convert -O qcow2` makes one that can be used";
const UNPACK = "unpack it first";

/** What a guest would only find rubbish in. */
const OTHERS: readonly (readonly [offset: number, magic: string, what: string, remedy: string])[] = [
  [64, "\x7f\x10\xda\xbe", "a VDI image", CONVERT],
  [0, "QED\0", "a QED image", CONVERT],
  [0, "\x04\x22\x4d\x18", "compressed with lz4", UNPACK],
  [0, "\x89LZO\0\r\n\x1a\n", "compressed with LZO", UNPACK],
  [0, "PK\x03\x04", "a zip archive", UNPACK],
];

/** The form whose mark an image begins with. */
export function markedFormat(head: Uint8Array): DiskFormat | undefined {
  return MAGIC.find(([magic]) => has(head, 0, magic))?.[1];
}

/**
 * The form of a disk image that is not said.
 *
 * @param head Its first {@linkcode DISK_ENDS} bytes, or the whole of a shorter file.
 * @param tail Its last ones.
 * @throws {ImageError} When it is of another form than can be used.
 */
export function diskFormat(head: Uint8Array, tail: Uint8Array = new Uint8Array(), size = 0): DiskFormat {
  const marked = markedFormat(head);
  if (marked) return marked;
  const other = OTHERS.find(([offset, magic]) => has(head, offset, magic));
  if (other) throw new ImageError(`it is ${other[2]}: ${other[3]}`);
  const tar = describeTar(head);
  if (tar) throw new ImageError(`it is ${tar}: unpack it first (tar -xf), and use the disk in it`);
  return isFixedVHD(tail, size) ? "vpc" : "raw";
}
