import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { openImage } from "../../src/images/open_image.ts";
import { Folder } from "../e2e/vzrun.ts";
import { assertSameAsQemu, mixedBytes, qemuImg, qemuIO, randomNumbers, scribble, toRaw } from "./qemu_img.ts";

const MIB = 1024 * 1024;

/** Not a whole number of grains or blocks. */
const SIZE = 9 * MIB + 512;

type Format = "vmdk" | "vpc" | "vhdx";

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
