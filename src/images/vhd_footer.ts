/** The last sector of a VHD image. Source: Microsoft's "Virtual Hard Disk Image Format Specification". */

import { has } from "./magic.ts";

/** How many bytes it has. */
export const VHD_FOOTER = 512;

/** What the numbers of types stand for. */
export const VHD_TYPE = { fixed: 2, dynamic: 3, differencing: 4 } as const;

/** Fields, all of them big-endian. Cylinders have 2 bytes, heads and sectors one each. */
const FIELDS = { dataOffset: 16, creator: 28, size: 48, geometry: 56, type: 60, checksum: 64 } as const;

/** The most cylinders, heads and sectors that a geometry can say: the disk may be larger. */
const LARGEST_GEOMETRY = 65535 * 16 * 255;

/** These measure a disk by its geometry; all others, as far as is known, by its size. */
const BY_GEOMETRY = ["vpc ", "qemu"];

/** What a footer says. */
export interface VHDFooter {
  type: number;
  /** Where a dynamic image's header is. */
  dataOffset: number;
  /** Of the disk, in bytes. */
  size: number;
  isSound: boolean;
}

/** The sum by which parts of a VHD image can be told from damaged ones: of their bytes but its own, inverted. */
export function vhdChecksum(bytes: Uint8Array, at: number): number {
  const sum = bytes.reduce((sum, byte, i) => i >= at && i < at + 4 ? sum : sum + byte, 0);
  return ~sum >>> 0;
}

/** Reads a footer; undefined where there is none. */
export function readVHDFooter(bytes: Uint8Array): VHDFooter | undefined {
  if (bytes.length < VHD_FOOTER || !has(bytes, 0, "conectix")) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, VHD_FOOTER);
  const [cylinders, heads, sectors] = [view.getUint16(56), view.getUint8(58), view.getUint8(59)];
  const geometry = cylinders * heads * sectors;
  const byGeometry = geometry < LARGEST_GEOMETRY &&
    BY_GEOMETRY.some((name) => has(bytes, FIELDS.creator, name));
  return {
    type: view.getUint32(FIELDS.type),
    dataOffset: Number(view.getBigUint64(FIELDS.dataOffset)),
    size: byGeometry ? geometry * 512 : Number(view.getBigUint64(FIELDS.size)),
    isSound: view.getUint32(FIELDS.checksum) === vhdChecksum(bytes.subarray(0, VHD_FOOTER), FIELDS.checksum),
  };
}

/** Whether a file is a fixed VHD image: a raw one with a footer behind it, which fits it. */
export function isFixedVHD(tail: Uint8Array, fileSize: number): boolean {
  const footer = readVHDFooter(tail);
  return footer?.isSound === true && footer.type === VHD_TYPE.fixed && footer.size + VHD_FOOTER === fileSize;
}
