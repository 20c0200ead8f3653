import { assert, assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { makeOnce } from "../../src/host/make_once.ts";
import type { WritableFile } from "../../src/host/new_file.ts";
import { convert } from "../../src/images/convert.ts";
import { ImageError } from "../../src/images/error.ts";
import { openQcow2, pathsOf } from "../../src/images/open_qcow2.ts";
import { diskFormat } from "../../src/images/disk_format.ts";
import type { CompressedCluster } from "../../src/images/layer.ts";
import { Folder } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { assertSameAsQemu, mixedBytes, qemuImg, randomNumbers, scribble, toRaw } from "./qemu_img.ts";

const MIB = 1024 * 1024;
const SEED = 1;

/** Not a whole number of clusters, of whatever size. */
const SIZE = 9 * MIB + 512;

/** Writes an image of mixed bytes, raw first. Returns its path. */
function mixedImage(folder: Folder, options: string, ...flags: string[]): string {
  const raw = folder.file("mixed.raw");
  Deno.writeFileSync(raw, mixedBytes(SIZE, randomNumbers(SEED)));
  const image = folder.file("mixed.qcow2");
  qemuImg("convert", "-O", "qcow2", ...flags, "-o", options, raw, image);
  return image;
}

for (const clusterSize of ["512", "1k", "4k", "64k", "1M", "2M"]) {
  for (const [compression, ...flags] of [["none"], ["zlib", "-c"], ["zstd", "-c"]]) {
    Deno.test(`qcow2 with clusters of ${clusterSize}, compression ${compression}: the guest has the same disk`, async () => {
      using folder = new Folder();
      const type = compression === "none" ? "" : `,compression_type=${compression}`;
      await assertSameAsQemu(folder, mixedImage(folder, `cluster_size=${clusterSize}${type}`, ...flags));
    });
  }
}

for (const flags of [[], ["-c"]]) {
  Deno.test(`qcow2 of version 2 ${flags}: the guest has the same disk`, async () => {
    using folder = new Folder();
    const image = mixedImage(folder, "compat=0.10", ...flags);
    using opened = openQcow2(image);
    assertEquals(opened.header.version, 2);
    await assertSameAsQemu(folder, image);
  });
}

Deno.test("qcow2 with holes of a sector each: the guest has zeros there, not what was elsewhere on the disk", async () => {
  using folder = new Folder();
  const image = mixedImage(folder, "cluster_size=512");
  const args = Array.from({ length: 200 }, (_, i) => ["-c", `write -z ${5 * MIB + i * 2048} 512`]).flat();
  new Deno.Command("qemu-io", { args: ["-f", "qcow2", ...args, image], stdout: "null" }).outputSync();
  await assertSameAsQemu(folder, image);
});

Deno.test("qcow2 with subclusters: the guest has the same disk", async () => {
  using folder = new Folder();
  const base = folder.file("base.raw");
  Deno.writeFileSync(base, mixedBytes(SIZE, randomNumbers(SEED)));
  const image = folder.file("image.qcow2");
  qemuImg("create", "-q", "-f", "qcow2", "-o", "extended_l2=on", "-b", "base.raw", "-F", "raw", image);
  scribble(image, SIZE, SEED);
  await assertSameAsQemu(folder, image);
});

Deno.test("qcow2 behind which are others, of other sizes, clusters and formats: the guest has the same disk", async () => {
  using folder = new Folder();
  const file = (name: string) => folder.file(name);
  // Of each a part is seen: the raw one is the shortest and ends within a sector, the last one the longest.
  Deno.writeFileSync(file("0.raw"), mixedBytes(SIZE, randomNumbers(SEED)).subarray(0, 5 * MIB + 100));
  const create = (options: string, below: string, format: string, image: string, size: number) => {
    qemuImg("create", "-q", "-f", "qcow2", "-o", options, "-b", below, "-F", format, file(image), `${size}`);
    scribble(file(image), size, SEED + size);
  };
  create("cluster_size=512", "0.raw", "raw", "1.qcow2", 8 * MIB);
  qemuImg("convert", "-c", "-O", "qcow2", "-B", "0.raw", "-F", "raw", file("1.qcow2"), file("2.qcow2"));
  create("cluster_size=2M", file("2.qcow2"), "qcow2", "3.qcow2", 7 * MIB);
  create("cluster_size=4k,compat=0.10", "3.qcow2", "qcow2", "4.qcow2", SIZE);
  {
    using image = openQcow2(file("4.qcow2"));
    assertEquals(pathsOf(image), ["4.qcow2", "3.qcow2", "2.qcow2", "0.raw"].map(file));
  }
  await assertSameAsQemu(folder, file("4.qcow2"));
});

Deno.test("qcow2 of 1 TiB, nearly empty: it takes no time and no room", async () => {
  using folder = new Folder();
  const image = folder.file("image.qcow2");
  qemuImg("create", "-q", "-f", "qcow2", image, "1T");
  for (const offset of ["0", "300G", "1099511627264"]) {
    new Deno.Command("qemu-io", { args: ["-f", "qcow2", "-c", `write -P 7 ${offset} 512`, image] })
      .outputSync();
  }
  const raw = folder.file("raw");
  const from = performance.now();
  await toRaw(image, raw);
  assertLess(performance.now() - from, 5000);
  assertEquals(Deno.statSync(raw).size, 1024 ** 4);
  assertLess(Deno.statSync(raw).blocks!, 100);
  using file = Deno.openSync(raw);
  for (const offset of [0, 300 * 1024 ** 3, 1024 ** 4 - 512]) {
    file.seekSync(offset, Deno.SeekMode.Start);
    const sector = new Uint8Array(512);
    assertEquals([file.readSync(sector), new Set(sector)], [512, new Set([7])]);
  }
});

Deno.test("qcow2 that is preallocated, or all zeros by its tables or its data: it takes no room", async () => {
  for (const options of ["preallocation=metadata", "preallocation=falloc", "preallocation=full"]) {
    using folder = new Folder();
    const image = folder.file("image.qcow2");
    qemuImg("create", "-q", "-f", "qcow2", "-o", options, image, "40M");
    const raw = folder.file("raw");
    await toRaw(image, raw);
    assertEquals([Deno.statSync(raw).size, Deno.statSync(raw).blocks!], [40 * MIB, 0], options);
  }
});

/** A small image, and a way to change bytes of its header. */
function smallImage(
  folder: Folder,
  options = "compat=1.1",
): { image: string; poke(at: number, ...bytes: number[]): void } {
  const image = folder.file("small.qcow2");
  qemuImg("create", "-q", "-f", "qcow2", "-o", options, image, "1M");
  const poke = (at: number, ...bytes: number[]) => {
    using file = Deno.openSync(image, { write: true });
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(bytes));
  };
  return { image, poke };
}

function assertRefused(image: string, includes: string): void {
  assertThrows(() => openQcow2(image)[Symbol.dispose](), ImageError, includes);
}

Deno.test("qcow2 is told from other files by its first bytes", () => {
  assertEquals(diskFormat(new Uint8Array([0x51, 0x46, 0x49, 0xfb])), "qcow2");
  assertEquals(diskFormat(new Uint8Array([0x51, 0x46, 0x49])), "raw");
});

Deno.test("qcow2 that cannot be read is refused, and the reason is said", () => {
  const headers: [at: number, bytes: number[], reason: string][] = [
    [7, [1], "version 1"],
    [20, [0, 0, 0, 22], "clusters have 2^22 bytes"],
    [24, [0, 0, 0x10, 0, 0, 0, 2, 0], "larger than 16 TiB"],
    [24, [0x10, 0, 0, 0, 0, 0, 0, 0], "larger than 16 TiB"],
    [24, [0, 0, 0, 0, 0x40, 0, 0, 0], "L1 table is too small"],
    [30, [1, 1], "no whole sectors"],
    [35, [1], "encrypted"],
    [35, [2], "encrypted"],
    [36, [0, 0x80, 0, 0], "L1 table is larger than 32 MiB"],
    [40, [0, 0, 0, 1], "L1 table lies outside the file"],
    [79, [1], "qemu-img check -r all"],
    [79, [2], "marked as corrupt"],
    [79, [4], "data_file"],
    [79, [8], "compression"],
    [79, [0x20], "bit 5"],
    [103, [106], "header is said to have 106 bytes"],
    [116, [0, 1, 0, 0], "an extension of its header is too long"],
  ];
  for (const [at, bytes, reason] of headers) {
    using folder = new Folder();
    const { image, poke } = smallImage(folder);
    poke(at, ...bytes);
    assertRefused(image, reason);
  }
  using folder = new Folder();
  const { image, poke } = smallImage(folder);
  poke(79, 1 << 4); // a feature that the image itself has a name for
  const name = new TextDecoder("latin1").decode(Deno.readFileSync(image)).indexOf("extended L2");
  poke(name - 1, 6);
  poke(79, 1 << 6);
  assertRefused(image, "a feature that is not known here: extended L2 entries");
});

for (const options of ["compat=0.10", "compat=1.1", "extended_l2=on,cluster_size=16k"]) {
  Deno.test(`qcow2 with snapshots, ${options}: the guest has the present state`, async () => {
    using folder = new Folder();
    const image = mixedImage(folder, options);
    qemuImg("snapshot", "-c", "before", image);
    scribble(image, SIZE, 7);
    qemuImg("snapshot", "-c", "between", image);
    scribble(image, SIZE, 8);
    await assertSameAsQemu(folder, image);
    qemuImg("snapshot", "-a", "before", image);
    qemuImg("snapshot", "-d", "between", image);
    await assertSameAsQemu(folder, image);
  });
}

Deno.test("qcow2 whose backing file is missing, not told, a protocol or behind itself is refused by its name", () => {
  using folder = new Folder();
  const on = (name: string, backing: string, ...format: string[]) => {
    qemuImg("create", "-q", "-u", "-f", "qcow2", "-b", backing, ...format, folder.file(name), "1M");
    return folder.file(name);
  };
  assertRefused(
    on("a", "gone.img", "-F", "raw"),
    `'${folder.file("gone.img")}' cannot be used: there is no such file`,
  );
  assertRefused(on("b", "a", "-F", "qcow2"), `'${folder.file("a")}' cannot be used: its backing file`);
  assertRefused(on("c", "nbd:host:10809", "-F", "raw"), "'nbd:host:10809' is not a path");
  assertRefused(on("d", "/dev/null", "-F", "raw"), "'/dev/null' cannot be used: it is not a regular file");
  assertRefused(on("e", "f", "-F", "qcow2"), "no such file");
  assertRefused(on("f", "e", "-F", "qcow2"), "it is behind itself");
  assertRefused(on("g", "f", "-F", "vmdk"), "its format is 'vmdk'");
  const { image } = smallImage(folder);
  const untold = on("h", image, "-F", "raw");
  const bytes = Deno.readFileSync(untold);
  const at = bytes.findIndex((_, i) => [0xe2, 0x79, 0x2a, 0xca].every((byte, k) => bytes[i + k] === byte));
  bytes[at] = 1; // what was the format is now an extension that nobody knows
  Deno.writeFileSync(untold, bytes);
  assertRefused(untold, "its format is not told");
});

Deno.test("qcow2 that is half a download is refused, wherever it ends", async () => {
  using folder = new Folder();
  const image = mixedImage(folder, "cluster_size=64k");
  const whole = Deno.readFileSync(image);
  for (const length of [0, 3, 100, 60_000, 300_000, MIB, whole.length - 65536 * 2]) {
    Deno.writeFileSync(image, whole.subarray(0, length));
    await assertRejects(() => toRaw(image, folder.file(`${length}.raw`)), ImageError);
  }
});

Deno.test("qcow2 whose tables name the same cluster again and again is refused before it fills the host's disk", async () => {
  using folder = new Folder();
  for (const flags of [[], ["-c"]]) {
    const image = mixedImage(folder, "cluster_size=4k", ...flags);
    const bytes = Deno.readFileSync(image);
    const view = new DataView(bytes.buffer);
    const table = Number(view.getBigUint64(Number(view.getBigUint64(40))) & 0xff_ffff_ffff_fe00n);
    for (let i = 1; i < 512; i++) bytes.copyWithin(table + i * 8, table, table + 8);
    for (let i = 1; i < 5; i++) {
      bytes.copyWithin(
        Number(view.getBigUint64(40)) + i * 8,
        Number(view.getBigUint64(40)),
        Number(view.getBigUint64(40)) + 8,
      );
    }
    Deno.writeFileSync(image, bytes);
    const raw = folder.file(`raw${flags}`);
    await assertRejects(() => toRaw(image, raw), ImageError, "more of the disk than");
    Deno.removeSync(image);
  }
});

/** Does something before a write of a file, and after so many others. */
function beforeWrite(file: WritableFile, others: number, act: () => void): void {
  const { writeSync } = file;
  file.writeSync = (bytes) => {
    if (others-- === 0) act();
    return writeSync.call(file, bytes);
  };
}

for (const flags of [[], ["-c"]]) {
  Deno.test(`converting onto a full disk says so ${flags}`, async () => {
    using folder = new Folder();
    using layers = openQcow2(mixedImage(folder, "cluster_size=64k", ...flags));
    using file = Deno.openSync(folder.file("raw"), { write: true, createNew: true });
    beforeWrite(file, 4, () => {
      throw new RangeError("full");
    });
    await assertRejects(() => convert(layers, file), RangeError, "full");
  });

  Deno.test(`converting that is ended in the middle leaves nothing, and can be begun anew ${flags}`, async () => {
    using folder = new Folder();
    const image = mixedImage(folder, "cluster_size=512", ...flags);
    using layers = openQcow2(image);
    const raw = folder.file("made.raw");
    const ending = new AbortController();
    const make = (signal?: AbortSignal) =>
      makeOnce(raw, (file) => {
        beforeWrite(file, 4, () => ending.abort(new RangeError("enough")));
        return convert(layers, file, { signal });
      }, signal);
    await assertRejects(() => make(ending.signal), RangeError, "enough");
    assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), [
      "mixed.qcow2",
      "mixed.raw",
    ]);
    await make();
    assert(equalBytes(Deno.readFileSync(raw), Deno.readFileSync(folder.file("mixed.raw"))), "other bytes");
  });
}

Deno.test("qcow2 of which one cluster among many is broken: it is refused by the place of that", async () => {
  using folder = new Folder();
  const image = mixedImage(folder, "cluster_size=4k,compression_type=zstd", "-c");
  const broken: CompressedCluster[] = [];
  {
    using layers = openQcow2(image);
    for (let offset = 0; offset < SIZE;) {
      const run = layers.run(offset, SIZE - offset);
      if (run.kind === "compressed") broken.push(run.cluster);
      offset += run.length;
    }
  }
  const { at } = broken[broken.length >> 1];
  {
    using file = Deno.openSync(image, { write: true });
    file.seekSync(at, Deno.SeekMode.Start);
    file.writeSync(new Uint8Array(4));
  }
  const work = toRaw(image, folder.file("raw"));
  await assertRejects(() => work, ImageError, `the compressed cluster at byte ${at} of '${image}' is broken`);
});

Deno.test("converting tells how far it has come, and can be ended", async () => {
  using folder = new Folder();
  const image = mixedImage(folder, "cluster_size=512", "-c");
  const told: [done: number, total: number][] = [];
  await toRaw(image, folder.file("a"), { progress: (done, total) => told.push([done, total]) });
  assertEquals(told.at(-1), [SIZE, SIZE]);
  for (let i = 1; i < told.length; i++) assertLess(told[i - 1][0], told[i][0]);
  const ending = new AbortController();
  setTimeout(() => ending.abort(new RangeError("enough")));
  const work = toRaw(image, folder.file("b"), { signal: ending.signal });
  await assertRejects(() => work, RangeError, "enough");
});
