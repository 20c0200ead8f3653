import { assert, assertEquals, assertGreater, assertLess, assertRejects } from "@std/assert";
import { diskFormat } from "../../src/images/disk_format.ts";
import { ImageError } from "../../src/images/error.ts";
import type { DiskCompression } from "../../src/images/packed_disk.ts";
import { Folder } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { concat, pack, pipe } from "./pack.ts";
import { mixedBytes, qemuImg, randomNumbers, toRaw } from "./qemu_img.ts";

/** How many damaged files of each compression; the decompressors alone are tried in kernel_fuzz_test.ts. */
const FILES = Number(Deno.env.get("FUZZ") ?? 10_000) / 4;

const MIB = 1024 * 1024;
const COMPRESSIONS: DiskCompression[] = ["gzip", "xz", "zstd", "bzip2"];

/** What a file becomes, as vzrun makes it. */
async function unpack(folder: Folder, packed: Uint8Array, format: DiskCompression): Promise<Uint8Array> {
  const [file, raw] = [folder.file("packed"), folder.file("raw")];
  Deno.writeFileSync(file, packed);
  try {
    await toRaw(file, raw, undefined, format);
    return Deno.readFileSync(raw);
  } finally {
    try {
      Deno.removeSync(raw);
    } catch { /* it was refused before */ }
  }
}

for (const format of COMPRESSIONS) {
  Deno.test(`disk in ${format}: the guest has the same, and what is zero takes no room`, async () => {
    using folder = new Folder();
    const [raw, packed, theirs, ours] = ["raw", "packed", "theirs", "ours"].map((name) => folder.file(name));
    Deno.writeFileSync(raw, mixedBytes(3 * MIB + 512, randomNumbers(1)));
    Deno.truncateSync(raw, 12 * MIB + 512);
    const bytes = Deno.readFileSync(raw);
    Deno.writeFileSync(packed, await pack(format, bytes));
    await toRaw(packed, ours, undefined, format);
    assert(equalBytes(Deno.readFileSync(ours), bytes));
    qemuImg("convert", "-f", "raw", "-O", "raw", raw, theirs); // looks for zeros, too
    assertLess(Deno.statSync(ours).blocks!, Deno.statSync(theirs).blocks! * 1.02 + 64);
  });

  Deno.test(`disk in several streams of ${format}, one of them of nothing: the guest has all of them`, async () => {
    using folder = new Folder();
    const bytes = mixedBytes(2 * MIB, randomNumbers(2));
    const cuts = [0, 512, 700, 700, 100_000, MIB, MIB + 1, bytes.length];
    const parts = await Promise.all(
      cuts.slice(1).map((end, i) => pack(format, bytes.subarray(cuts[i], end))),
    );
    assert(equalBytes(await unpack(folder, concat(...parts), format), bytes));
    assert(equalBytes(await unpack(folder, concat(...parts, new Uint8Array(1024)), format), bytes));
    const more = concat(...parts, new TextEncoder().encode("more"));
    await assertRejects(() => unpack(folder, more, format), ImageError, "something else follows it");
    const [last] = parts.splice(-1);
    const cut = concat(...parts, last.subarray(0, last.length / 2));
    await assertRejects(() => unpack(folder, cut, format), ImageError);
  });

  Deno.test(`disk in ${format}: unpacking tells how far it has come, and can be ended`, async () => {
    using folder = new Folder();
    const [packed, raw] = [folder.file("packed"), folder.file("raw")];
    const part = await pack(format, mixedBytes(2 * MIB, randomNumbers(5)));
    Deno.writeFileSync(packed, concat(part, part, part));
    const told: [done: number, total: number][] = [];
    await toRaw(packed, raw, { progress: (done, total) => told.push([done, total]) }, format);
    const size = Deno.statSync(packed).size;
    assertEquals(told.at(-1), [size, size]);
    for (let i = 1; i < told.length; i++) {
      assertEquals(told[i][1], size);
      assert(told[i - 1][0] <= told[i][0] + 40_000, `${told[i - 1]} before ${told[i]}`); // a stream's end is looked for
    }
    Deno.removeSync(raw);
    const ending = new AbortController();
    const progress = (done: number) => {
      if (done > size / 2) ending.abort(new RangeError("enough"));
    };
    const work = () => toRaw(packed, raw, { signal: ending.signal, progress }, format);
    await assertRejects(work, RangeError, "enough");
  });

  Deno.test(`file in ${format} that holds no raw disk is refused by what it is`, async () => {
    using folder = new Folder();
    const image = folder.file("image");
    qemuImg("create", "-q", "-f", "qcow2", image, "1M");
    Deno.writeFileSync(folder.file("disk.raw"), new Uint8Array(MIB));
    const tar = await pipe(["tar", "-C", folder.path, "-cf", "-", "disk.raw"], new Uint8Array());
    const head = (at: number, text: string) => {
      const bytes = new Uint8Array(8192);
      bytes.set(new TextEncoder().encode(text), at);
      return bytes;
    };
    const refused: [bytes: Uint8Array, reason: string][] = [
      [
        Deno.readFileSync(image),
        `it is a qcow2 image that is compressed with ${format}: unpack it first (${format} -d)`,
      ],
      [tar, "a tar archive that begins with 'disk.raw': unpack it first (tar -xf)"],
      [head(0x202, "HdrS"), `it is a kernel that is compressed with ${format}, not a disk`],
      [head(56, "ARM\x64"), "it is a kernel"],
      [head(0, "\x7fELF"), "it is a kernel"],
      [head(0, "070701"), "it is an initial RAM disk"],
      [head(0, "QED\0"), `compressed with ${format}, and in that it is a QED image`],
      [await pack("xz", tar), `compressed with xz and compressed with ${format}: unpack it first`],
      [new Uint8Array(), "no bytes"],
      [new Uint8Array(513), "no whole sectors"],
    ];
    for (const [bytes, reason] of refused) {
      const packed = await pack(format, bytes);
      await assertRejects(() => unpack(folder, packed, format), ImageError, reason);
    }
    const other = await pack(format === "xz" ? "gzip" : "xz", new Uint8Array(512));
    await assertRejects(
      () => unpack(folder, other, format),
      ImageError,
      `it is not compressed with ${format}`,
    );
  });

  Deno.test(`disk in ${format}, damaged: it is refused, or the guest has the disk`, async () => {
    using folder = new Folder();
    const bytes = mixedBytes(8192, randomNumbers(3));
    const whole = await pack(format, bytes);
    const random = randomNumbers(4);
    const count = { refused: 0, same: 0 };
    for (let i = 0; i < FILES; i++) {
      const packed = whole.slice();
      for (let times = 1 + random() % 3; times > 0; times--) {
        packed[random() % (random() % 2 ? packed.length : 40)] ^= 1 << (random() % 8);
      }
      const length = random() % 10 === 0 ? random() % packed.length : packed.length;
      try {
        const disk = await unpack(folder, packed.subarray(0, length), format);
        assert(equalBytes(disk, bytes), `file ${i} has other bytes`);
        count.same++;
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        count.refused++;
      }
    }
    assertGreater(count.refused, FILES / 2);
  });
}

Deno.test("disk in zstd whose window would take all memory is refused with what to do", async () => {
  using folder = new Folder();
  const packed = await pipe(["zstd", "-q", "-1", "--ultra", "--long=31"], mixedBytes(MIB, randomNumbers(7)));
  await assertRejects(() => unpack(folder, packed, "zstd"), ImageError, "zstd -d --long=31");
});

Deno.test("disk compressed in hundreds of small streams takes no more memory than in one", async () => {
  using folder = new Folder();
  const disk = mixedBytes(16 * 1024, randomNumbers(6));
  for (const format of COMPRESSIONS) {
    const part = await pack(format, disk);
    const packed = concat(...Array<Uint8Array>(300).fill(part));
    const memory = Deno.memoryUsage().rss;
    assertEquals((await unpack(folder, packed, format)).length, 300 * disk.length);
    assertLess(Deno.memoryUsage().rss - memory, 300 * MIB, format);
  }
});

Deno.test("a disk is told from others by its content, whatever its name", async () => {
  using folder = new Folder();
  const text = (text: string) => new TextEncoder().encode(text);
  for (const format of COMPRESSIONS) assertEquals(diskFormat(await pack(format, text("x"))), format);
  assertEquals(diskFormat(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0)), "zstd"); // pzstd's
  const made: [qemu: string, options: string, format: string][] = [
    ["vmdk", "subformat=monolithicSparse", "vmdk"],
    ["vmdk", "subformat=monolithicFlat", "vmdk"],
    ["vpc", "subformat=dynamic", "vpc"],
    ["vpc", "subformat=fixed", "vpc"],
    ["vpc", "subformat=fixed,force_size=on", "vpc"],
    ["vhdx", "subformat=fixed", "vhdx"],
    ["qcow2", "compat=0.10", "qcow2"],
    ["raw", "preallocation=off", "raw"],
  ];
  for (const [qemu, options, format] of made) {
    const image = folder.file("image");
    qemuImg("create", "-q", "-f", qemu, "-o", options, image, "1M");
    const bytes = Deno.readFileSync(image);
    assertEquals(diskFormat(bytes.subarray(0, 512), bytes.subarray(-512), bytes.length), format, options);
    if (!options.startsWith("subformat=fixed") || format !== "vpc") continue;
    const grown = diskFormat(bytes.subarray(0, 512), bytes.subarray(-512), bytes.length + 512);
    assertEquals(grown, "raw", "a footer that does not fit its file is none");
  }
});
