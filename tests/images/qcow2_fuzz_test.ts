import { assert, assertGreater, assertLess } from "@std/assert";
import { ImageError } from "../../src/images/error.ts";
import { Folder, IN_MEMORY } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { modelDisk } from "./qcow2_model.ts";
import { mixedBytes, qemuImg, randomNumbers, toRaw } from "./qemu_img.ts";

/** How many damaged images of each kind; more by hand: `FUZZ=100000 deno task test tests/images/qcow2_fuzz_test.ts`. */
const IMAGES = Number(Deno.env.get("FUZZ") ?? 2500);
const SIZE = 300 * 1024;
/** So much of a disk is compared, should damage have made it larger. */
const COMPARED = 2 * 1024 * 1024;
/** Every so many images whose disk is another, qemu-img is asked, too. */
const ASK_QEMU = 15;

const KINDS: Record<string, { options: string; flags: string[]; onBase?: boolean }> = {
  "on a backing file": { options: "cluster_size=4k", flags: [], onBase: true },
  "of version 2": { options: "cluster_size=512,compat=0.10", flags: [] },
  "with subclusters": { options: "extended_l2=on,cluster_size=16k", flags: [], onBase: true },
  "compressed with zlib": { options: "cluster_size=4k", flags: ["-c"] },
  "compressed with zstd": { options: "cluster_size=4k,compression_type=zstd", flags: ["-c"] },
};

/** Makes an image in which there is some of everything, and returns its path. */
function makeImage(
  folder: Folder,
  { options, flags, onBase }: (typeof KINDS)[string],
  base: Uint8Array,
): string {
  const [raw, image] = [folder.file("raw"), folder.file("image.qcow2")];
  const bytes = mixedBytes(SIZE, randomNumbers(2));
  if (onBase) { for (let at = 0; at < SIZE / 2; at += 20_480) bytes.set(base.subarray(at, at + 10_240), at); }
  Deno.writeFileSync(raw, bytes);
  Deno.writeFileSync(folder.file("base"), base);
  const backing = onBase ? ["-B", "base", "-F", "raw"] : [];
  qemuImg("convert", "-f", "raw", "-O", "qcow2", ...flags, ...backing, "-o", options, raw, image);
  return image;
}

/** Damages an image in one to three places, mostly in its header and its tables. Returns how long it is then. */
function damage(image: Uint8Array, random: () => number): number {
  const view = new DataView(image.buffer);
  const l1 = Number(view.getBigUint64(40));
  const l2 = Number(view.getBigUint64(l1) & 0xff_ffff_ffff_fe00n);
  const places = [
    () => random() % 48, // behind it is what nobody needs who only reads
    () => 72 + random() % 48,
    () => l1 + random() % 16,
    () => l2 + random() % 512,
    () => l2 + random() % 512,
    () => random() % image.length,
  ];
  const values = [
    () => BigInt(random()),
    () => BigInt(random() % (image.length / 512)) * 512n,
    () => 0xffff_ffff_ffff_ffffn,
    () => 0n,
    () => view.getBigUint64(l2 + random() % 64 * 8),
  ];
  for (let times = 1 + random() % 3; times > 0; times--) {
    const at = Math.min(places[random() % places.length](), image.length - 8);
    const how = random() % 3;
    if (how === 0) image[at] = random();
    else if (how === 1) image[at] ^= 1 << (random() % 8);
    else view.setBigUint64(at - at % 8, values[random() % values.length]());
  }
  return random() % 20 === 0 ? random() % image.length : image.length;
}

function read(path: string): Uint8Array {
  using file = Deno.openSync(path);
  const bytes = new Uint8Array(Math.min(COMPARED, file.statSync().size));
  file.readSync(bytes);
  return bytes;
}

/** What vzrun makes of an image; nothing when it refuses it. */
async function disk(image: string, raw: string): Promise<Uint8Array | undefined> {
  try {
    await toRaw(image, raw);
    return read(raw);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  } finally {
    try {
      Deno.removeSync(raw);
    } catch { /* it was refused before */ }
  }
}

/** What qemu-img makes of it; nothing when it refuses it. */
function diskOfQemu(image: string, raw: string): Uint8Array | undefined {
  try {
    qemuImg("convert", "-f", "qcow2", "-O", "raw", image, raw);
    return read(raw);
  } catch {
    return undefined;
  }
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`qcow2 ${name}, damaged: it is refused, or the guest has the disk that it says`, async () => {
    using folder = new Folder(IN_MEMORY);
    const base = mixedBytes(SIZE - 1024, randomNumbers(3));
    const image = makeImage(folder, kind, base);
    const whole = Deno.readFileSync(image);
    const sound = (await disk(image, folder.file("ours")))!;
    const random = randomNumbers(4);
    const memory = Deno.memoryUsage().rss;
    const count = { refused: 0, same: 0, other: 0 };
    const asked = { converted: 0, refused: 0 };
    for (let i = 0; i < IMAGES; i++) {
      const bytes = whole.slice();
      const damaged = bytes.subarray(0, damage(bytes, random));
      Deno.writeFileSync(image, damaged);
      const from = performance.now();
      const ours = await disk(image, folder.file("ours"));
      assertLess(performance.now() - from, 5000, `image ${i} takes too long`);
      const outcome = !ours ? "refused" : equalBytes(ours, sound) ? "same" : "other";
      const nth = count[outcome]++;
      if (!ours || outcome === "same") continue;
      const isModelled = !name.endsWith("zstd");
      if (isModelled) {
        assert(equalBytes(ours, modelDisk(damaged, base, COMPARED)), `image ${i} has other bytes`);
      }
      if (isModelled && nth % ASK_QEMU !== 0) continue;
      // It also refuses what is damaged where only whoever writes to an image looks.
      const theirs = diskOfQemu(image, folder.file("theirs"));
      if (theirs) assert(equalBytes(ours, theirs), `image ${i} has other bytes than qemu-img says`);
      asked[theirs ? "converted" : "refused"]++;
    }
    assertGreater(asked.converted, 2 * asked.refused);
    for (const number of Object.values(count)) assertGreater(number, IMAGES / 50);
    assertLess(Deno.memoryUsage().rss - memory, 200 * 1024 * 1024);
  });
}
