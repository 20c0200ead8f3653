/** VMDK, VHD and VHDX images, as qemu-img makes them and as they are changed in tests. */

import { crc32c } from "../../src/images/crc32c.ts";
import { vhdChecksum } from "../../src/images/vhd_footer.ts";
import type { Folder } from "../e2e/vzrun.ts";
import { mixedBytes, qemuImg, randomNumbers } from "./qemu_img.ts";

export const MIB = 1024 * 1024;

/** The forms, by the names that qemu has for them. */
export type Format = "vmdk" | "vpc" | "vhdx";

/** Makes an image of 20 MiB with something in it, and returns its path. */
export function smallImage(folder: Folder, format: Format, options: string): string {
  const [raw, image] = [folder.file("small.raw"), folder.file(`${format}-${options.replace(/\W/g, "-")}`)];
  Deno.writeFileSync(raw, mixedBytes(2 * MIB, randomNumbers(3)));
  Deno.truncateSync(raw, 20 * MIB);
  qemuImg("convert", "-f", "raw", "-O", format, "-o", options, raw, image);
  return image;
}

/** Writes an image anew with other bytes in it. */
export function change(image: string, how: (bytes: Uint8Array, view: DataView) => void): void {
  const bytes = Deno.readFileSync(image);
  how(bytes, new DataView(bytes.buffer));
  Deno.writeFileSync(image, bytes);
}

/** Sets the checksum of a part of a VHD image anew. */
export function sumVHD(bytes: Uint8Array, at: number, length: number, field: number): void {
  const part = bytes.subarray(at, at + length);
  new DataView(part.buffer, part.byteOffset).setUint32(field, vhdChecksum(part, field));
}

/** Where the headers of a VHDX image are. */
export const HEADERS = [64 * 1024, 128 * 1024];

/** Changes both headers of a VHDX image, and their checksums. */
export function changeVHDX(image: string, how: (header: DataView) => void): void {
  change(image, (bytes) => {
    for (const at of HEADERS) sumVHDX(bytes, at, 4096, how);
  });
}

/** Changes a part of a VHDX image, and sets its checksum anew. */
export function sumVHDX(bytes: Uint8Array, at: number, length: number, how: (part: DataView) => void): void {
  const part = bytes.subarray(at, at + length);
  const view = new DataView(part.buffer, part.byteOffset, length);
  how(view);
  view.setUint32(4, 0);
  view.setUint32(4, crc32c(part), true);
}
