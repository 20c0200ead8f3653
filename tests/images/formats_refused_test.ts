import { assertRejects, assertThrows } from "@std/assert";
import { ImageError } from "../../src/images/error.ts";
import { openImage } from "../../src/images/open_image.ts";
import { Folder } from "../e2e/vzrun.ts";
import { change, changeVHDX, type Format, HEADERS, MIB, smallImage, sumVHD, sumVHDX } from "./formats.ts";
import { assertSameAsQemu, mixedBytes, qemuImg, qemuIO, randomNumbers, toRaw } from "./qemu_img.ts";

async function assertRefused(image: string, format: Format, includes: string): Promise<void> {
  await assertRejects(
    async () => (await openImage(image, format))[Symbol.dispose](),
    ImageError,
    includes,
  );
}

Deno.test("vmdk of several files, or based on another, is refused by its type with what to do", async () => {
  using folder = new Folder();
  const make = (name: string, ...options: string[]) => {
    qemuImg("create", "-q", "-f", "vmdk", ...options, folder.file(name), "3G");
    return folder.file(name);
  };
  const refused: [subformat: string, reason: string][] = [
    [
      "monolithicFlat",
      "type monolithicFlat: its data is in 'monolithicFlat-flat.vmdk', a raw image: use that",
    ],
    ["twoGbMaxExtentSparse", "type twoGbMaxExtentSparse: convert it first (qemu-img convert"],
    ["twoGbMaxExtentFlat", "type twoGbMaxExtentFlat: convert it first (qemu-img convert"],
  ];
  for (const [subformat, reason] of refused) {
    await assertRefused(make(`${subformat}.vmdk`, "-o", `subformat=${subformat}`), "vmdk", reason);
  }
  await assertRefused(folder.file("twoGbMaxExtentSparse-s001.vmdk"), "vmdk", "a part of a VMDK image");
  make("base.vmdk");
  await assertRefused(make("over.vmdk", "-b", "base.vmdk", "-F", "vmdk"), "vmdk", "is based on 'base.vmdk'");
  const image = smallImage(folder, "vmdk", "subformat=monolithicSparse");
  const typed = (type: string) =>
    change(image, (bytes) => {
      const text = new TextDecoder("latin1").decode(bytes.subarray(0, 4096));
      const at = text.indexOf("createType=");
      bytes.set(new TextEncoder().encode(`createType="${type}"\n`.padEnd(30, "#")), at);
    });
  typed("custom\x1b[2J");
  await assertRefused(image, "vmdk", "of the type custom\\u001b[2J: convert it first");
  Deno.writeFileSync(image, new TextEncoder().encode("COWD".padEnd(512, "\0")));
  await assertRefused(image, "vmdk", "vmfsSparse");
});

Deno.test("vmdk that cannot be read is refused, and the reason is said", async () => {
  const headers: [options: string, at: number, bytes: number[], reason: string][] = [
    ["subformat=monolithicSparse", 4, [4], "version 4"],
    ["subformat=monolithicSparse", 12, [0, 0, 0, 0, 0], "no bytes"],
    ["subformat=monolithicSparse", 18, [1], "larger than 16 TiB"],
    ["subformat=monolithicSparse", 20, [100], "grains have 51200 bytes"],
    ["subformat=monolithicSparse", 22, [0x40], "grains have"],
    ["subformat=monolithicSparse", 28, [0], "a part of a VMDK image"],
    ["subformat=monolithicSparse", 31, [1], "descriptor lies outside"],
    ["subformat=monolithicSparse", 44, [0, 0], "tables have 0 entries"],
    ["subformat=monolithicSparse", 45, [9], "tables have 2304 entries"],
    ["subformat=monolithicSparse", 59, [1], "directory lies outside"],
    ["subformat=monolithicSparse", 56, Array(8).fill(255), "it may end too early"],
    ["subformat=streamOptimized", 77, [2], "compression, number 2"],
    ["subformat=streamOptimized", 77, [0], "told in two ways"],
    ["subformat=streamOptimized", 10, [1], "compressed without markers"],
    ["subformat=streamOptimized", 22, [1], "grains have"],
  ];
  for (const [options, at, bytes, reason] of headers) {
    using folder = new Folder();
    const image = smallImage(folder, "vmdk", options);
    change(image, (all) => all.set(bytes, at));
    await assertRefused(image, "vmdk", reason);
  }
});

Deno.test("vhd that cannot be read is refused, and the reason is said", async () => {
  const changed: [at: number, bytes: number[], sum: boolean, reason: string][] = [
    [63, [4], true, "is based on another"],
    [63, [9], true, "of type 9"],
    [63, [2], true, "it ends too early"],
    [63, [2], false, "the checksum of its footer"],
    [48, [1], true, "larger than 16 TiB"],
    [52, [0, 0, 0, 0], true, "no bytes"],
    [55, [1], true, "no whole sectors"],
    [50, [1], true, "its table is too small"],
    [16, [1], true, "its header lies outside"],
    [22, [0], true, "does not begin as one"],
    [512 + 16, [1], true, "its table lies outside"],
    [512 + 31, [1], true, "its table is too small"],
    [512 + 33, [3], true, "its blocks have"],
    [512 + 33, [0, 0, 0], true, "its blocks have"],
    [512 + 35, [1], false, "the checksum of its header"],
  ];
  for (const [at, with_, sum, reason] of changed) {
    using folder = new Folder();
    const image = smallImage(folder, "vpc", "force_size=on");
    change(image, (bytes) => {
      bytes.set(with_, at);
      if (sum) sumVHD(bytes, 0, 512, 64);
      if (sum) sumVHD(bytes, 512, 1024, 36);
    });
    await assertRefused(image, "vpc", reason);
  }
  using folder = new Folder();
  Deno.writeFileSync(folder.file("none"), new Uint8Array(MIB));
  await assertRefused(folder.file("none"), "vpc", "not a VHD image");
});

Deno.test("vhdx with writes in its log is refused, as by qemu-img, until these are finished", async () => {
  using folder = new Folder();
  const image = folder.file("image");
  qemuImg("create", "-q", "-f", "vhdx", image, "20M");
  qemuIO("vhdx", image, "-c", "write -P 9 0 1M");
  await assertSameAsQemu(folder, image, "vhdx");
  const log = 2 ** 20; // where its entry is; that it is not finished is all that the header lacks
  const id = Deno.readFileSync(image).slice(log + 32, log + 48);
  changeVHDX(image, (header) => id.forEach((byte, i) => header.setUint8(48 + i, byte)));
  assertThrows(() => qemuImg("convert", "-f", "vhdx", "-O", "raw", image, folder.file("raw")), Error, "log");
  await assertRefused(image, "vhdx", "qemu-img check -r all");
  qemuImg("check", "-r", "all", "-f", "vhdx", image);
  await assertSameAsQemu(folder, image, "vhdx");
  changeVHDX(image, (header) => header.setUint8(50, header.getUint8(50) ^ 1)); // none of whose entries are there
  await assertSameAsQemu(folder, image, "vhdx");
});

/** Where the items of the metadata are that qemu-img writes: parameters, size and so on. */
function metadataOf(bytes: Uint8Array): { table: number; items: Map<number, number> } {
  const view = new DataView(bytes.buffer);
  const entry = [0, 1].map((i) => 192 * 1024 + 16 + i * 32).find((at) =>
    view.getUint32(at, true) === 0x8b7ca206
  )!;
  const table = Number(view.getBigUint64(entry + 16, true));
  const items = new Map<number, number>();
  for (let i = 0; i < view.getUint16(table + 10, true); i++) {
    const at = table + 32 + i * 32;
    items.set(view.getUint32(at, true), table + view.getUint32(at + 16, true));
  }
  return { table, items };
}

Deno.test("vhdx that cannot be read is refused, and the reason is said", async () => {
  using folder = new Folder();
  const image = smallImage(folder, "vhdx", "block_size=1M");
  const sound = Deno.readFileSync(image);
  const { table, items } = metadataOf(sound);
  const [parameters, size, sector] = [0xcaa16737, 0x2fa54224, 0x8141bf1d].map((id) => items.get(id)!);
  const both = (bytes: Uint8Array, how: (part: DataView) => void) => {
    for (const at of HEADERS) sumVHDX(bytes, at, 4096, how);
  };
  const regions = (bytes: Uint8Array, how: (part: DataView) => void) => {
    for (const at of [192 * 1024, 256 * 1024]) sumVHDX(bytes, at, 64 * 1024, how);
  };
  const changed: [how: (bytes: Uint8Array) => void, reason: string][] = [
    [(bytes) => bytes[0] = 0, "not a VHDX image"],
    [(bytes) => HEADERS.forEach((at) => bytes[at + 100] = 1), "both of its headers"],
    [(bytes) => both(bytes, (header) => header.setUint16(66, 2, true)), "version 2"],
    [(bytes) =>
      both(bytes, (header) => {
        header.setUint8(48, 1);
        header.setUint32(76, 1, true);
      }), "its log lies outside"],
    [(bytes) => [192, 256].forEach((at) => bytes[at * 1024 + 9000] = 1), "both of its tables of regions"],
    [(bytes) => regions(bytes, (part) => part.setUint32(8, 2048, true)), "2048 regions"],
    [(bytes) => regions(bytes, (part) => part.setUint32(8, 1, true)), "a region is missing"],
    [(bytes) => regions(bytes, (part) => part.setUint32(36, 1, true)), "a region lies outside"],
    [
      (bytes) =>
        regions(bytes, (part) => {
          part.setUint32(16, 1, true);
          part.setUint32(44, 1, true);
        }),
      "a region that is not known here: 00000001-",
    ],
    [(bytes) => bytes[table] = 0, "metadata does not begin"],
    [(bytes) => bytes[table + 11] = 8, "items of metadata"],
    [(bytes) => bytes[table + 32] = 1, "is not known here"],
    [(bytes) => bytes[table + 50] = 0, "an item of its metadata lies outside"],
    [(bytes) => bytes[table + 10] = 1, "something is missing"],
    [(bytes) => bytes[parameters + 4] = 2, "is based on another"],
    [(bytes) => bytes[parameters + 2] = 0x30, "its blocks have"],
    [(bytes) => bytes[size + 6] = 1, "larger than 16 TiB"],
    [(bytes) => bytes[size + 5] = 1, "table of blocks is too small"],
    [(bytes) => bytes[sector + 1] = 16, "its sectors have 4096 bytes"],
  ];
  for (const [how, reason] of changed) {
    const bytes = sound.slice();
    how(bytes);
    Deno.writeFileSync(image, bytes);
    await assertRefused(image, "vhdx", reason);
  }
});

Deno.test("an image that is half a download is refused, wherever it ends", async () => {
  const whole: [format: Format, options: string][] = [
    ["vmdk", "subformat=monolithicSparse"],
    ["vmdk", "subformat=streamOptimized"],
    ["vpc", "subformat=dynamic"],
    ["vpc", "subformat=fixed"],
    ["vhdx", "block_size=1M"],
  ];
  for (const [format, options] of whole) {
    using folder = new Folder();
    const [raw, image] = [folder.file("raw"), folder.file("image")];
    Deno.writeFileSync(raw, mixedBytes(4 * MIB, randomNumbers(3)).map((byte) => byte | 1));
    qemuImg("convert", "-f", "raw", "-O", format, "-o", options, raw, image);
    const bytes = Deno.readFileSync(image);
    for (const length of [1, 100, 511, 512, 60_000, 300_000, bytes.length / 2, bytes.length - 65536 * 2]) {
      Deno.writeFileSync(image, bytes.subarray(0, length));
      const raw = folder.file(`${length}.raw`);
      await assertRejects(() => toRaw(image, raw, undefined, format), ImageError, "", `${format} ${length}`);
    }
  }
});

Deno.test("tables that name a block again and again are refused before they fill the host's disk", async () => {
  using folder = new Folder();
  for (const options of ["subformat=monolithicSparse", "subformat=streamOptimized"]) {
    const image = smallImage(folder, "vmdk", options);
    change(image, (_, view) => {
      const table = view.getUint32(Number(view.getBigUint64(56, true)) * 512, true) * 512;
      const first = Array.from({ length: 512 }, (_, i) => view.getUint32(table + i * 4, true)).find((at) =>
        at > 1
      )!;
      for (let i = 0; i < 320; i++) view.setUint32(table + i * 4, first, true);
    });
    const raw = folder.file(options);
    await assertRejects(() => toRaw(image, raw, undefined, "vmdk"), ImageError, "more of the disk than");
  }
});
