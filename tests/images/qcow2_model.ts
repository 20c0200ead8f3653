/**
 * The disk of a qcow2 image by the letter of QEMU's docs/interop/qcow2.txt: one cluster after the other, without a
 * thought for speed or damage. What vzrun makes of an image is compared with it.
 */

import { inflateRawSync } from "node:zlib";

const OFFSET = 0x00ff_ffff_ffff_fe00n;

/**
 * The first `most` bytes of a disk.
 *
 * @param base What the backing file holds, if the image has one.
 * @throws {RangeError} And others, when something lies outside the file.
 */
export function modelDisk(image: Uint8Array, base: Uint8Array, most: number): Uint8Array {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const u64 = (at: bigint) => view.getBigUint64(Number(at));
  const isExtended = view.getUint32(4) === 3 && (u64(72n) & 16n) !== 0n;
  const bits = BigInt(view.getUint32(20));
  const clusterSize = 1n << bits;
  const entrySize = isExtended ? 16n : 8n;
  const perTable = clusterSize / entrySize;
  const size = Math.min(Number(u64(24n)), most);
  const disk = new Uint8Array(size);
  const hasBase = u64(8n) !== 0n && view.getUint32(16) !== 0;
  if (hasBase) disk.set(base.subarray(0, size));
  const unit = Number(clusterSize) / (isExtended ? 32 : 1);

  for (let offset = 0; offset < size; offset += unit) {
    const cluster = BigInt(offset) / clusterSize;
    const table = u64(u64(40n) + cluster / perTable * 8n) & OFFSET;
    if (table === 0n) continue;
    const entry = u64(table + cluster % perTable * entrySize);
    const into = disk.subarray(offset, Math.min(offset + unit, size));
    const inCluster = BigInt(offset) % clusterSize;
    if (entry & (1n << 62n)) {
      const at = entry & ((1n << (62n - (bits - 8n))) - 1n);
      const whole = inflateRawSync(image.subarray(Number(at)), { maxOutputLength: Number(clusterSize) });
      into.set(whole.subarray(Number(inCluster)).subarray(0, into.length));
      continue;
    }
    let isZero = (entry & 1n) !== 0n;
    let isThere = (entry & OFFSET) !== 0n;
    if (isExtended) {
      const bitmap = u64(table + cluster % perTable * entrySize + 8n) >> (inCluster / BigInt(unit));
      [isZero, isThere] = [((bitmap >> 32n) & 1n) !== 0n, (bitmap & 1n) !== 0n];
    }
    if (isZero) into.fill(0);
    else if (isThere) {
      const at = Number((entry & OFFSET) + inCluster);
      if (at + into.length > image.length) throw new RangeError("a cluster lies outside the file");
      into.set(image.subarray(at, at + into.length));
    }
  }
  return disk;
}
