/** Disks made and read by qemu-img, which says what is right. */

import { convert } from "../../src/images/convert.ts";
import { openQcow2 } from "../../src/images/open_qcow2.ts";
import type { Work } from "../../src/images/progress.ts";

/** Runs qemu-img to its end. Throws what it says when it fails. */
export function qemuImg(...args: string[]): void {
  const { success, stderr } = new Deno.Command("qemu-img", { args, stdout: "null" }).outputSync();
  if (!success) throw new Error(`qemu-img ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Numbers below 2^32 from a seed, the same every time. */
export function randomNumbers(seed: number): () => number {
  return () => {
    seed = (seed + 0x9e37_79b9) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 16), 0x21f0_aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
}

/**
 * Bytes of a disk: stretches of 1 to 200 sectors that are text, random or zero.
 *
 * @param size A multiple of 512.
 */
export function mixedBytes(size: number, random: () => number): Uint8Array {
  const bytes = new Uint8Array(size);
  const stretch = [
    (part: Uint8Array) => part.forEach((_, i) => part[i] = 97 + (i * i) % 26),
    (part: Uint8Array) => part.forEach((_, i) => part[i] = random()),
    () => {},
  ];
  for (let at = 0; at < size;) {
    const length = 512 * (1 + random() % 200);
    stretch[random() % 3](bytes.subarray(at, at + length));
    at += length;
  }
  return bytes;
}

/** Converts a qcow2 image to a raw one, as vzrun does. */
export async function toRaw(image: string, raw: string, work?: Work): Promise<void> {
  using layers = openQcow2(image);
  using file = Deno.openSync(raw, { write: true, createNew: true });
  await convert(layers, file, work);
}
