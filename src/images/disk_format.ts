/** What a disk image is, from its first bytes. */

import { ImageError } from "./error.ts";
import { has } from "./magic.ts";

/** The form of a disk image; the framework reads raw ones and, since macOS 26, ASIF. */
export type DiskFormat = "raw" | "qcow2" | "asif";

/** All of them. */
export const DISK_FORMATS: readonly DiskFormat[] = ["raw", "qcow2", "asif"];

/** How many bytes {@linkcode diskFormat} looks at. */
export const DISK_HEAD = 68;

/** What a guest would only find rubbish in. Sources: QEMU's docs/interop, and the formats' own specifications. */
const OTHERS: readonly (readonly [offset: number, magic: string, what: string])[] = [
  [0, "KDMV", "a VMDK image"],
  [0, "COWD", "a VMDK image"],
  [0, "# Disk DescriptorFile", "a VMDK image"],
  [64, "\x7f\x10\xda\xbe", "a VDI image"],
  [0, "vhdxfile", "a VHDX image"],
  [0, "conectix", "a VHD image"],
  [0, "QED\0", "a QED image"],
  [0, "\x1f\x8b\x08", "compressed with gzip"],
  [0, "\xfd7zXZ\0", "compressed with xz"],
  [0, "\x28\xb5\x2f\xfd", "compressed with zstd"],
  [0, "BZh", "compressed with bzip2"],
  [0, "\x04\x22\x4d\x18", "compressed with lz4"],
  [0, "\x89LZO\0\r\n\x1a\n", "compressed with LZO"],
];

/**
 * The form of a disk image that is not said.
 *
 * @throws {ImageError} When it is of another form than can be used.
 */
export function diskFormat(head: Uint8Array): DiskFormat {
  if (has(head, 0, "QFI\xfb")) return "qcow2";
  if (has(head, 0, "shdw")) return "asif";
  const [, , other] = OTHERS.find(([offset, magic]) => has(head, offset, magic)) ?? [];
  if (!other) return "raw";
  const remedy = other.startsWith("compressed")
    ? "unpack it first"
    : "`qemu-img convert -O qcow2` makes one that can be used";
  throw new ImageError(`it is ${other}: ${remedy}`);
}
