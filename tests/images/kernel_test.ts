// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { ImageError } from "../../src/images/error.ts";
import { KERNEL_HEAD, type KernelFormat, kernelFormat } from "../../src/images/kernel.ts";

/** A file's head with some bytes set, by offset; the rest is what machine code could be. */
function head(parts: Record<number, string>, length = KERNEL_HEAD): Uint8Array {
  const bytes = new Uint8Array(length).fill(0x90).map((byte, i) => i % 3 ? byte : 0);
  for (const [offset, text] of Object.entries(parts)) {
    bytes.set(Uint8Array.from(text, (char) => char.charCodeAt(0)), Number(offset));
  }
  return bytes;
}

const bzImage = head({ 0: "MZ", 0x1fe: "\x55\xaa", 0x202: "HdrS" });
const arm64 = head({ 0: "MZ", 56: "ARM\x64" });

Deno.test("kernel: forms that can be booted are known by their heads", () => {
  const forms: [head: Uint8Array, format: KernelFormat][] = [
    [bzImage, "bzImage"],
    [head({ 0x202: "HdrS" }), "bzImage"],
    [arm64, "Image"],
    [head({ 56: "ARM\x64" }), "Image"],
    [bzImage.subarray(0, 0x206), "bzImage"],
    [arm64.subarray(0, 60), "Image"],
  ];
  for (const [bytes, format] of forms) assertEquals(kernelFormat(bytes), format);
});

Deno.test("kernel: the guests that the tests boot are known", () => {
  for (const [arch, format] of [["x86_64", "bzImage"], ["aarch64", "Image"]] as const) {
    using file = Deno.openSync(new URL(`../../build/guest/${arch}/vmlinuz`, import.meta.url));
    const bytes = new Uint8Array(KERNEL_HEAD);
    assertEquals(file.readSync(bytes), KERNEL_HEAD);
    assertEquals(kernelFormat(bytes), format);
  }
});

Deno.test("kernel: other files are told apart, with what would help", () => {
  const unfit: [parts: Record<number, string>, message: string][] = [
    [{ 0: "\x1f\x8b" }, "it is compressed with gzip: decompress it first (gunzip)"],
    [{ 0: "\x28\xb5\x2f\xfd" }, "it is compressed with zstd: decompress it first (unzstd)"],
    [{ 0: "\xfd7zXZ\0" }, "it is compressed with xz: decompress it first (unxz)"],
    [{ 0: "\x5d\0\0" }, "it is compressed with lzma: decompress it first (unlzma)"],
    [{ 0: "\x02\x21\x4c\x18" }, "it is compressed with lz4: decompress it first (unlz4)"],
    [{ 0: "\x04\x22\x4d\x18" }, "it is compressed with lz4: decompress it first (unlz4)"],
    [{ 0: "BZh9" }, "it is compressed with bzip2: decompress it first (bunzip2)"],
    [{ 0: "\x7fELF" }, "it is an ELF file (a vmlinux?)"],
    [{ 0: "MZ\0\0zimg" }, "it is an EFI zboot image, which holds a compressed kernel"],
    [{}, "it is not a Linux kernel (bzImage or arm64 Image)"],
    [{ 0: "MZ" }, "it is not a Linux kernel (bzImage or arm64 Image)"],
  ];
  for (const [parts, message] of unfit) {
    assertEquals(assertThrows(() => kernelFormat(head(parts)), ImageError).message, message);
  }
  for (const text of ["#!/bin/sh\nexit 0\n", "hello", "größe\r\n\ttab", "a"]) {
    const error = assertThrows(() => kernelFormat(new TextEncoder().encode(text)), ImageError);
    assertEquals(error.message, "it is text, not a kernel");
  }
});

Deno.test("kernel: a head that is cut anywhere is known or refused, and nothing else", () => {
  const heads = [bzImage, arm64, head({ 0: "MZ\0\0zimg" }), head({ 0: "\x1f\x8b" }), head({ 0: "\x7fELF" })];
  for (const [i, bytes] of heads.entries()) {
    for (let length = 0; length <= KERNEL_HEAD; length++) {
      let format: KernelFormat | undefined;
      try {
        format = kernelFormat(bytes.subarray(0, length));
      } catch (error) {
        assert(error instanceof ImageError, `${i} cut at ${length}: ${error}`);
      }
      const expected = i === 0 && length >= 0x206 ? "bzImage" : i === 1 && length >= 60 ? "Image" : undefined;
      assertEquals(format, expected, `${i} cut at ${length}`);
    }
  }
});

Deno.test("kernel: a head with any one byte wrong is known or refused", () => {
  for (const [bytes, magic, format] of [[bzImage, 0x202, "bzImage"], [arm64, 56, "Image"]] as const) {
    for (let at = 0; at < 0x220; at++) {
      const damaged = bytes.slice();
      damaged[at] ^= 0xff;
      if (at < magic || at >= magic + 4) assertEquals(kernelFormat(damaged), format, `byte ${at}`);
      else assertThrows(() => kernelFormat(damaged), ImageError, undefined, `byte ${at}`);
    }
  }
});
