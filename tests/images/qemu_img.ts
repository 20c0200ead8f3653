/** Disks made and read by qemu-img, which says what is right. */

import { assert, assertEquals, assertLess } from "@std/assert";
import type { ConvertedFormat } from "../../src/images/disk_format.ts";
import { openImage } from "../../src/images/open_image.ts";
import type { Work } from "../../src/images/progress.ts";
import type { Folder } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";

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

/** Converts an image to a raw one, as vzrun does. */
export async function toRaw(
  image: string,
  raw: string,
  work?: Work,
  format: ConvertedFormat = "qcow2",
): Promise<void> {
  using source = await openImage(image, format);
  using file = Deno.openSync(raw, { write: true, createNew: true });
  await source.write(file, work);
}

/** That both make the same of an image, and that neither's takes more room than the other's by a little. */
export async function assertSameAsQemu(
  folder: Folder,
  image: string,
  format: ConvertedFormat = "qcow2",
): Promise<void> {
  const [theirs, ours] = [folder.file("theirs.raw"), folder.file("ours.raw")];
  qemuImg("convert", "-f", format, "-O", "raw", image, theirs);
  await toRaw(image, ours, undefined, format);
  const size = Deno.statSync(theirs).size;
  assertEquals(Deno.statSync(ours).size, size);
  if (size < 1024 ** 3) assert(equalBytes(Deno.readFileSync(ours), Deno.readFileSync(theirs)), "other bytes");
  else qemuImg("compare", "-f", "raw", "-F", "raw", ours, theirs);
  const blocks = (path: string) => Deno.statSync(path).blocks!;
  assertLess(blocks(ours), blocks(theirs) * 1.02 + 64);
  for (const path of [theirs, ours]) Deno.removeSync(path);
}

/** Writes random bytes into an image here and there, through qemu-io. */
export function scribble(image: string, size: number, seed: number, format = "qcow2", kinds = KINDS): void {
  const random = randomNumbers(seed);
  const commands = Array.from({ length: 40 }, () => {
    const offset = random() % (size / 512) * 512;
    const length = Math.min(512 * (1 + random() % 100), size - offset);
    return `${kinds[random() % kinds.length]} ${offset} ${length}`;
  });
  const args = commands.flatMap((
    command,
    i,
  ) => ["-c", command.replace(/^write (?!-)/, `write -P ${i + 1} `)]);
  qemuIO(format, image, ...args);
}

const KINDS = ["write -z", "write", "write", "discard"];

/** Runs qemu-io on an image to its end. */
export function qemuIO(format: string, image: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command("qemu-io", { args: ["-f", format, ...args, image] })
    .outputSync();
  assert(success, new TextDecoder().decode(stderr));
}
