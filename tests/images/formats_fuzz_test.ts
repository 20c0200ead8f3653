import { assert, assertGreater, assertLess } from "@std/assert";
import { ImageError } from "../../src/images/error.ts";
import { Folder, IN_MEMORY } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { type Format, HEADERS, MIB, sumVHD, sumVHDX } from "./formats.ts";
import { mixedBytes, qemuImg, randomNumbers, toRaw } from "./qemu_img.ts";

/** How many damaged images of each format; more by hand: `FUZZ=100000 deno task test tests/images/formats_fuzz_test.ts`. */
const IMAGES = Number(Deno.env.get("FUZZ") ?? 10_000);
/** Of a disk; something else than zeros is in three places. */
const SIZE = 512 * 1024;
const DATA = 20 * 1024;
/** So much of a disk is compared, should damage have made it larger. */
const COMPARED = 2 * MIB;
/** So many images whose disk is another are shown to qemu-img, too. */
const ASKED = 30;

/** Where an image is damaged: a place, and how many bytes from there on. */
type Place = [at: number, length: number];

interface Kind {
  format: Format;
  options: string;
  /** Of the images. */
  share: number;
  size?: number;
  /** Where it says what it is. */
  places(image: DataView): Place[];
  /** Where its checksums are. */
  sums?(image: DataView): number[];
  /** Sets them anew. */
  mend?(image: Uint8Array, changed: number[]): void;
}

/** Where the tables of regions of a VHDX image are. */
const REGIONS = [192 * 1024, 256 * 1024];

const VMDK_PLACES = (image: DataView): Place[] => {
  const directory = Number(image.getBigUint64(56, true)) * 512;
  const table = image.getUint32(directory, true) * 512;
  const grain = image.getUint32(table, true) * 512;
  return [[0, 80], [512, 400], [directory, 8], [table, 48], [table, 48], [grain, 40]];
};

const KINDS: Record<string, Kind> = {
  "vmdk, monolithicSparse": {
    format: "vmdk",
    options: "subformat=monolithicSparse,zeroed_grain=on",
    share: 0.5,
    places: VMDK_PLACES,
  },
  "vmdk, streamOptimized": {
    format: "vmdk",
    options: "subformat=streamOptimized",
    share: 0.5,
    places: VMDK_PLACES,
  },
  "vpc, dynamic": {
    format: "vpc",
    options: "subformat=dynamic,force_size=on",
    share: 0.75,
    // Not its maker: to those that are not known qemu-img ascribes another size.
    places: (image) => [[0, 28], [40, 48], [512, 48], [Number(image.getBigUint64(512 + 16)), 12]],
    sums: () => [64, 512 + 36],
    mend(image) {
      sumVHD(image, 0, 512, 64);
      sumVHD(image, 512, 1024, 36);
    },
  },
  "vpc, fixed": {
    format: "vpc",
    options: "subformat=fixed,force_size=on",
    share: 0.25,
    places: (image) => [[image.byteLength - 512, 28], [image.byteLength - 472, 48], [0, DATA]],
    sums: (image) => [image.byteLength - 448],
    mend: (image) => sumVHD(image, image.length - 512, 512, 64),
  },
  "vhdx": {
    format: "vhdx",
    options: "block_size=1M",
    share: 1,
    size: 1.25 * MIB, // two blocks
    places(image) {
      const regions = [0, 1].map((i) => 192 * 1024 + 16 + i * 32);
      const [first, second] = regions.map((at) => Number(image.getBigUint64(at + 16, true)));
      const [bat, metadata] = image.getUint32(regions[0], true) === 0x2dc27766
        ? [first, second]
        : [second, first];
      return [
        [64 * 1024, 88],
        [128 * 1024, 88],
        [192 * 1024, 88],
        [metadata, 200],
        [metadata + 64 * 1024, 64],
        [bat, 48],
        [bat, 48],
      ];
    },
    sums: () => [...HEADERS, ...REGIONS].map((at) => at + 4),
    mend(image, changed) {
      const parts = [...HEADERS.map((at) => [at, 4096]), ...REGIONS.map((at) => [at, 64 * 1024])];
      for (const [at, length] of parts) {
        if (changed.some((place) => place >= at && place < at + length)) sumVHDX(image, at, length, () => {});
      }
    },
  },
};

/** An image that is damaged, and made whole again, where it lies. */
class Damaged {
  readonly #image: Uint8Array;
  readonly #view: DataView;
  readonly #places: Place[];
  readonly #sums: number[];
  #before: { at: number; bytes: Uint8Array }[] = [];

  constructor(readonly path: string, readonly kind: Kind) {
    this.#image = Deno.readFileSync(path);
    this.#view = new DataView(this.#image.buffer);
    this.#places = kind.places(this.#view);
    this.#sums = kind.sums?.(this.#view) ?? [];
  }

  /** Damages it in one to three places, mostly in its headers and tables. */
  damage(random: () => number): void {
    this.#before = [];
    for (let times = 1 + random() % 3; times > 0; times--) this.#damageOnce(random);
    const changed = this.#before.map(({ at }) => at);
    for (const at of this.#sums) this.#keep(at);
    if (random() % 4 > 0) this.kind.mend?.(this.#image, changed);
    using file = Deno.openSync(this.path, { write: true });
    this.#write(file);
    if (random() % 20 === 0) file.truncateSync(random() % this.#image.length);
  }

  #damageOnce(random: () => number): void {
    const places = [...this.#places, [0, this.#image.length] as Place];
    const [start, length] = places[random() % places.length];
    const at = Math.min(start + random() % length, this.#image.length - 8);
    this.#keep(at - at % 4);
    const values = [random(), random() % (this.#image.length / 512), 0xffff_ffff, 0, 1];
    const how = random() % 3;
    if (how === 0) this.#image[at] = random();
    else if (how === 1) this.#image[at] ^= 1 << (random() % 8);
    else this.#view.setUint32(at - at % 4, values[random() % values.length], random() % 2 === 0);
  }

  #keep(at: number): void {
    this.#before.push({ at, bytes: this.#image.slice(at, at + 4) });
  }

  #write(file: Deno.FsFile): void {
    for (const { at, bytes } of this.#before) {
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(this.#image.subarray(at, at + bytes.length));
    }
  }

  /** Undoes the damage. */
  mend(): void {
    for (const { at, bytes } of this.#before.reverse()) this.#image.set(bytes, at);
    using file = Deno.openSync(this.path, { write: true });
    if (file.statSync().size === this.#image.length) this.#write(file);
    else file.writeSync(this.#image);
  }
}

const buffers = { ours: new Uint8Array(COMPARED), theirs: new Uint8Array(COMPARED) };

/** The beginning of a file, good until that of the next one is read. */
function read(path: string, whose: keyof typeof buffers): Uint8Array {
  using file = Deno.openSync(path);
  return buffers[whose].subarray(0, file.readSync(buffers[whose]) ?? 0);
}

/** What vzrun makes of an image; nothing when it refuses it. */
async function disk(image: string, raw: string, format: Format): Promise<Uint8Array | undefined> {
  try {
    await toRaw(image, raw, undefined, format);
    return read(raw, "ours");
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
  } finally {
    try {
      Deno.removeSync(raw);
    } catch { /* it was refused before */ }
  }
}

/** What qemu-img makes of it; nothing when it refuses it. */
function diskOfQemu(image: string, raw: string, format: Format): Uint8Array | undefined {
  try {
    qemuImg("convert", "-f", format, "-O", "raw", image, raw);
    return read(raw, "theirs");
  } catch {
    return undefined;
  }
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`${name}, damaged: it is refused, or the guest has the disk that it says`, async () => {
    using folder = new Folder(IN_MEMORY);
    const { format, options, share } = kind;
    const [raw, image] = [folder.file("raw"), folder.file("image")];
    const bytes = new Uint8Array(kind.size ?? SIZE);
    for (const at of [0, 300 * 1024, bytes.length - DATA]) bytes.set(mixedBytes(DATA, randomNumbers(at)), at);
    Deno.writeFileSync(raw, bytes);
    qemuImg("convert", "-f", "raw", "-O", format, "-o", options, raw, image);
    const sound = (await disk(image, folder.file("ours"), format))!.slice();
    const damaged = new Damaged(image, kind);
    const random = randomNumbers(4);
    const memory = Deno.memoryUsage().rss;
    const count = { refused: 0, same: 0, other: 0 };
    let asked = 0;
    const images = IMAGES * share;
    for (let i = 0; i < images; i++) {
      damaged.damage(random);
      const from = performance.now();
      const ours = await disk(image, folder.file("ours"), format);
      assertLess(performance.now() - from, 5000, `image ${i} takes too long`);
      const outcome = !ours ? "refused" : equalBytes(ours, sound) ? "same" : "other";
      count[outcome]++;
      if (ours && outcome === "other" && asked < ASKED) {
        asked++;
        const theirs = diskOfQemu(image, folder.file("theirs"), format);
        if (theirs) assert(equalBytes(ours, theirs), `image ${i} has other bytes than qemu-img says`);
      }
      damaged.mend();
    }
    for (const [outcome, number] of Object.entries(count)) assertGreater(number, images / 100, outcome);
    assertLess(Deno.memoryUsage().rss - memory, 200 * MIB);
  });
}
