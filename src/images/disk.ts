/** What a disk image is, from its first bytes. */

import type { DiskFormat } from "../machine/machine.ts";

/** How many bytes {@linkcode diskFormat} looks at. */
export const DISK_HEAD = 4;

/** The form of a disk image. Source: QEMU's docs/interop/qcow2.txt. */
export function diskFormat(head: Uint8Array): DiskFormat {
  const isQcow2 = head.length >= DISK_HEAD &&
    new DataView(head.buffer, head.byteOffset).getUint32(0) === 0x514649fb;
  return isQcow2 ? "qcow2" : "raw";
}
