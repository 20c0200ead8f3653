import { assert, assertEquals, assertLess } from "@std/assert";
import { openImage } from "../../src/images/open_image.ts";
import { Folder } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { change, type Format, HEADERS, MIB, smallImage, sumVHD, sumVHDX } from "./formats.ts";
import { assertSameAsQemu, mixedBytes, qemuImg, qemuIO, randomNumbers, scribble, toRaw } from "./qemu_img.ts";

/** Not a whole number of grains or blocks. */
const SIZE = 9 * MIB + 512;

/** What qemu-img can write, of what is one file. */
const VARIANTS: [format: Format, options: string][] = [
  ["vmdk", "subformat=monolithicSparse"],
  ["vmdk", "subformat=monolithicSparse,adapter_type=buslogic"],
  ["vmdk", "subformat=monolithicSparse,adapter_type=lsilogic,zeroed_grain=on"],
  ["vmdk", "subformat=monolithicSparse,adapter_type=legacyESX,hwversion=10"],
  ["vmdk", "subformat=monolithicSparse,compat6=on,toolsversion=10"],
  ["vmdk", "subformat=streamOptimized"],
  ["vmdk", "subformat=streamOptimized,adapter_type=lsilogic"],
  ["vpc", "subformat=dynamic"],
  ["vpc", "subformat=dynamic,force_size=on"],
  ["vpc", "subformat=fixed"],
  ["vpc", "subformat=fixed,force_size=on"],
  ...["1M", "2M", "8M", "32M", "256M"].map((size): [Format, string] => [
    "vhdx",
    `subformat=dynamic,block_size=${size}`,
  ]),
  ["vhdx", "subformat=dynamic"],
  ["vhdx", "subformat=dynamic,log_size=4M,block_state_zero=off"],
  ["vhdx", "subformat=fixed,block_size=1M"],
];

for (const [format, options] of VARIANTS) {
  Deno.test(`${format} with ${options}: the guest has the same disk`, async () => {
    using folder = new Folder();
    const [raw, image] = [folder.file("mixed.raw"), folder.file(`mixed.${format}`)];
    Deno.writeFileSync(raw, mixedBytes(SIZE, randomNumbers(1)));
    qemuImg("convert", "-f", "raw", "-O", format, "-o", options, raw, image);
    await assertSameAsQemu(folder, image, format);
  });
}

const WRITTEN: [format: Format, options: string, kinds?: string[]][] = [
  ["vmdk", "subformat=monolithicSparse"],
  ["vmdk", "subformat=monolithicSparse,zeroed_grain=on"],
  ["vpc", "subformat=dynamic"],
  ["vpc", "subformat=fixed"],
  ["vhdx", "block_size=1M"],
];

for (const [format, options] of WRITTEN) {
  Deno.test(`${format} with ${options}, written to here and there: the guest has the same disk`, async () => {
    using folder = new Folder();
    const image = folder.file("image");
    qemuImg("create", "-q", "-f", format, "-o", options, image, `${20 * MIB}`);
    scribble(image, 20 * MIB, 5, format, ["write", "write", "write -z"]);
    await assertSameAsQemu(folder, image, format);
  });
}

for (
  const [format, options, size] of [
    ["vmdk", "subformat=monolithicSparse", 2 ** 40],
    ["vpc", "force_size=on", 2040 * 2 ** 30],
    ["vhdx", "block_size=1M", 2 ** 40],
    ["vhdx", "block_size=32M", 2 ** 40],
  ] as const
) {
  Deno.test(`${format} of ${size} bytes, nearly empty, ${options}: it takes no time and no room`, async () => {
    using folder = new Folder();
    const [image, raw] = [folder.file("image"), folder.file("raw")];
    qemuImg("create", "-q", "-f", format, "-o", options, image, `${size}`);
    // Far from each other, so that tables and bitmaps lie between them.
    const offsets = [0, 5 * 2 ** 30 + 512, 300 * 2 ** 30, size - 512];
    qemuIO(format, image, ...offsets.flatMap((offset, i) => ["-c", `write -P ${7 + i} ${offset} 512`]));
    const from = performance.now();
    await toRaw(image, raw, undefined, format);
    assertLess(performance.now() - from, 5000);
    assertEquals(Deno.statSync(raw).size, size);
    assertLess(Deno.statSync(raw).blocks!, 100);
    using file = Deno.openSync(raw);
    for (const [i, offset] of offsets.entries()) {
      file.seekSync(offset, Deno.SeekMode.Start);
      const sector = new Uint8Array(512);
      assertEquals([file.readSync(sector), new Set(sector)], [512, new Set([7 + i])]);
    }
  });
}

Deno.test("vmdk whose directory is behind its grains, as a stream is written, has the same disk", async () => {
  using folder = new Folder();
  const image = smallImage(folder, "vmdk", "subformat=streamOptimized");
  change(image, (bytes, view) => {
    const header = bytes.slice(0, 512);
    const tail = new Uint8Array(4 * 512);
    const marker = new DataView(tail.buffer);
    marker.setUint32(12, 3, true); // of a footer
    marker.setUint32(0, 1, true);
    tail.set(header, 512);
    view.setBigUint64(56, 0xffff_ffff_ffff_ffffn, true);
    Deno.writeFileSync(folder.file("tail"), tail.subarray(0, 3 * 512));
  });
  Deno.writeFileSync(image, Deno.readFileSync(folder.file("tail")), { append: true });
  await assertSameAsQemu(folder, image, "vmdk");
});

Deno.test("vhd is as long as its maker says: by geometry or by size", async () => {
  for (const maker of ["vpc ", "qemu", "qem2", "win ", "d2v ", "tap\0", "CTXS", "wa\0\0", "vbox"]) {
    using folder = new Folder();
    const image = smallImage(folder, "vpc", "subformat=dynamic,force_size=on");
    change(image, (bytes) => {
      bytes.set(new TextEncoder().encode(maker), 28);
      bytes.set([0, 100, 4, 17], 56); // 100 cylinders of 4 heads of 17 sectors
      sumVHD(bytes, 0, 512, 64);
    });
    // qemu-img 7.2 does not know the last ones, whose disks it cuts off.
    if (maker !== "wa\0\0" && maker !== "vbox") await assertSameAsQemu(folder, image, "vpc");
    using opened = await openImage(image, "vpc");
    assertEquals(opened.size, ["vpc ", "qemu"].includes(maker) ? 100 * 4 * 17 * 512 : 20 * MIB, maker);
  }
});

Deno.test("vhdx is read by the header that is sound, and by the later of two", async () => {
  using folder = new Folder();
  const image = smallImage(folder, "vhdx", "block_size=1M");
  const sound = Deno.readFileSync(image);
  await toRaw(image, folder.file("raw"), undefined, "vhdx");
  for (const at of [...HEADERS, 192 * 1024, 256 * 1024]) { // qemu-img knows one of the latter
    const bytes = sound.slice();
    bytes[at + 5] ^= 1;
    Deno.writeFileSync(image, bytes);
    await toRaw(image, folder.file(`${at}`), undefined, "vhdx");
    assert(
      equalBytes(Deno.readFileSync(folder.file(`${at}`)), Deno.readFileSync(folder.file("raw"))),
      `${at}`,
    );
  }
  for (const [later, other] of [[0, 1], [1, 0]]) {
    const bytes = sound.slice();
    sumVHDX(bytes, HEADERS[later], 4096, (header) => header.setUint32(12, 1, true));
    sumVHDX(bytes, HEADERS[other], 4096, (header) => header.setUint16(66, 9, true));
    Deno.writeFileSync(image, bytes);
    (await openImage(image, "vhdx"))[Symbol.dispose]();
  }
});
