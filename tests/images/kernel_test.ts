import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Cache } from "../../src/images/cache.ts";
import { ImageError } from "../../src/images/error.ts";
import {
  type Arch,
  KERNEL_HEAD,
  type KernelFormat,
  kernelFormat,
  openKernel,
} from "../../src/images/kernel.ts";
import { unifiedKernel } from "../e2e/unified_kernel.ts";
import { Folder } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { concat, guestKernel, HERE, pack, pipe, signature, STUB, TOOLS, u32, zboot } from "./pack.ts";

const NETBOOT = "/usr/lib/debian-installer/images/12";

/** A file's head with some bytes set, by offset; the rest is what machine code could be. */
function head(parts: Record<number, string>, length = KERNEL_HEAD): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length).fill(0x90).map((byte, i) => i % 3 ? byte : 0);
  for (const [offset, text] of Object.entries(parts)) {
    bytes.set(Uint8Array.from(text, (char) => char.charCodeAt(0)), Number(offset));
  }
  return bytes;
}

const bzImage = head({ 0: "MZ", 0x1fe: "\x55\xaa", 0x202: "HdrS" });
const arm64 = head({ 0: "MZ", 56: "ARM\x64" });

/** A small kernel that says how long it is: 5 sectors and 64 KiB. */
const SMALL = head({ 0x1f1: "\x04", 0x1f4: "\0\x10\0\0", 0x202: "HdrS" }, 5 * 512 + 0x10000);

/** A folder with a cache in it, and kernels written into it. */
class Kernels implements Disposable {
  readonly folder = new Folder();
  readonly cache = new Cache(this.folder.file("cache"));

  open(bytes: Uint8Array, arch: Arch = "x86_64") {
    const path = this.folder.file("kernel");
    Deno.writeFileSync(path, bytes);
    return openKernel(path, arch, this.cache);
  }

  /** Opens a kernel, and what comes out of it. */
  async bytes(bytes: Uint8Array, arch?: Arch): Promise<[content: Uint8Array<ArrayBuffer>, layers: string[]]> {
    const { kernel, layers } = await this.open(bytes, arch);
    return [Deno.readFileSync(kernel), layers];
  }

  /** What there is to say against a kernel. */
  async problem(bytes: Uint8Array, arch?: Arch): Promise<string> {
    const { message } = await assertRejects(() => this.open(bytes, arch), ImageError);
    return message;
  }

  [Symbol.dispose](): void {
    this.cache[Symbol.dispose]();
    this.folder[Symbol.dispose]();
  }
}

/** Compares without printing megabytes. */
function assertSame(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assertEquals(actual.length, expected.length, what);
  assert(equalBytes(actual, expected), `${what}: other bytes`);
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

Deno.test("kernel: forms that can be booted are known by their heads", () => {
  const forms: [head: Uint8Array, format: KernelFormat | undefined][] = [
    [bzImage, "bzImage"],
    [head({ 0x202: "HdrS" }), "bzImage"],
    [arm64, "Image"],
    [head({ 56: "ARM\x64" }), "Image"],
    [bzImage.subarray(0, 0x206), "bzImage"],
    [bzImage.subarray(0, 0x205), undefined],
    [arm64.subarray(0, 60), "Image"],
    [arm64.subarray(0, 59), undefined],
    [head({ 0: "MZ" }), undefined],
  ];
  for (const [bytes, format] of forms) assertEquals(kernelFormat(bytes), format);
});

Deno.test("kernel: a plain kernel is opened where it is, and nothing is copied", async () => {
  using kernels = new Kernels();
  const files: [path: string, arch: Arch][] = [
    [guestKernel("x86_64"), "x86_64"],
    [guestKernel("aarch64"), "aarch64"],
  ];
  for (const [path, arch] of files) {
    const layers = [arch === "x86_64" ? "bzImage" : "arm64 Image"];
    const format = arch === "x86_64" ? "bzImage" : "Image";
    const { commandLineLimit, version, ...opened } = await openKernel(path, arch, kernels.cache);
    assertEquals(opened, { kernel: path, format, layers });
    assertMatch(version ?? "none", format === "bzImage" ? /^\d+\.\d+\S* / : /^none$/);
    assert(commandLineLimit >= 255, `${commandLineLimit}`);
  }
  assertEquals([...Deno.readDirSync(kernels.folder.path)].length, 0);
});

Deno.test({
  name: "kernel: the kernels of Debian's installer are opened where they are",
  ignore: !isThere(NETBOOT),
  fn: async () => {
    using kernels = new Kernels();
    for (const [name, arch] of [["amd64", "x86_64"], ["arm64", "aarch64"]] as const) {
      const path = `${NETBOOT}/${name}/text/debian-installer/${name}/linux`;
      assertEquals((await openKernel(path, arch, kernels.cache)).kernel, path);
    }
  },
});

Deno.test("kernel: a kernel for the other processor is refused before it starts and shows nothing", async () => {
  using kernels = new Kernels();
  assertEquals(
    await kernels.problem(SMALL, "aarch64"),
    "it is a kernel for x86_64, and this machine is arm64 (aarch64)",
  );
  assertEquals(
    await kernels.problem(await pack("zstd", arm64)),
    "it is a kernel for arm64 (aarch64), and this machine is x86_64",
  );
});

for (const tool of Object.keys(TOOLS)) {
  Deno.test(`kernel: Debian's kernel comes whole out of ${tool}`, async () => {
    using kernels = new Kernels();
    const kernel = Deno.readFileSync(guestKernel("x86_64"));
    const packed = await pack(tool, kernel);
    const [content, layers] = await kernels.bytes(packed);
    assertSame(content, kernel, tool);
    assertEquals(layers, [tool.replace(" legacy", ""), "bzImage"]);
  });

  Deno.test(`kernel: ${tool} in several parts, padded or signed is opened, with a tail as its tool does`, async () => {
    using kernels = new Kernels();
    const packed = await pack(tool, SMALL);
    const parts = [await pack(tool, SMALL.subarray(0, 999)), await pack(tool, SMALL.subarray(999))];
    const whole = {
      padded: concat(packed, new Uint8Array(1000)),
      signed: concat(packed, signature()),
      "with its size": concat(packed, u32(SMALL.length)),
      ...tool !== "lzma" && { "in two parts": concat(...parts) }, // nothing tells where one starts
    };
    for (const [what, bytes] of Object.entries(whole)) {
      assertSame((await kernels.bytes(bytes))[0], SMALL, what);
    }
    // gzip and bzip2 warn of what follows, and go on.
    const ignoresTail = ["gzip", "bzip2"].includes(tool);
    const tails = {
      "with a tail": concat(packed, new TextEncoder().encode("something else")),
      "with a tail behind zeros": concat(
        packed,
        new Uint8Array(64),
        new TextEncoder().encode("BZ is no stream"),
      ),
      "with a long tail": concat(packed, new Uint8Array(3 << 20).fill(0x42)),
    };
    for (const [what, bytes] of ignoresTail ? Object.entries(tails) : []) {
      assertSame((await kernels.bytes(bytes))[0], SMALL, what);
    }
    const damaged = {
      cut: packed.subarray(0, packed.length - 5),
      ...!ignoresTail && tails,
    };
    for (const [what, bytes] of Object.entries(damaged)) {
      const problem = await kernels.problem(bytes);
      assert(/^it (is damaged|ends too early)/.test(problem), `${what}: ${problem}`);
    }
  });
}

Deno.test("kernel: frames that are to be skipped may come before zstd's and lz4's, and nobody else's", async () => {
  using kernels = new Kernels();
  const skipped = [0x184d2a50, 0x184d2a5f].flatMap((
    magic,
  ) => [u32(magic), u32(5), new Uint8Array(5).fill(7)]);
  for (const tool of ["zstd", "lz4", "lz4 legacy"]) {
    const bytes = concat(...skipped, await pack(tool, SMALL));
    const [content, layers] = await kernels.bytes(bytes);
    assertSame(content, SMALL, tool);
    assertEquals(layers, [tool.replace(" legacy", ""), "bzImage"]);
    const inside = await kernels.bytes(zboot("zstd", bytes, SMALL.length));
    assertSame(inside[0], SMALL, `${tool} in zboot`);
  }
  for (const tool of ["gzip", "xz", "bzip2"]) {
    assertMatch(
      await kernels.problem(concat(...skipped, await pack(tool, SMALL))),
      /nor anything that one is packed in/,
    );
  }
  const endless = concat(u32(0x184d2a50), u32(0xffffffff), new Uint8Array(100));
  assertMatch(await kernels.problem(endless), /nor anything that one is packed in/);
});

Deno.test("kernel: xz streams may have zeros between them, as many as are a multiple of four", async () => {
  using kernels = new Kernels();
  const parts = [await pack("xz", SMALL.subarray(0, 999)), await pack("xz", SMALL.subarray(999))];
  const padded = (zeros: number) => concat(parts[0], new Uint8Array(zeros), parts[1], new Uint8Array(zeros));
  for (const zeros of [4, 8, 2 << 20]) {
    assertSame((await kernels.bytes(padded(zeros)))[0], SMALL, `${zeros} zeros`);
  }
  assertEquals(await kernels.problem(padded(6)), "it is damaged: something else follows it");
});

Deno.test("kernel: a compression that cannot be opened is named, and what opens it", async () => {
  using kernels = new Kernels();
  const lzop = Uint8Array.from([
    0x89,
    0x4c,
    0x5a,
    0x4f,
    0,
    0x0d,
    0x0a,
    0x1a,
    0x0a,
    ...new Array(100).fill(1),
  ]);
  const problem = "it is compressed with LZO: unpack it first (lzop -d)";
  assertEquals(await kernels.problem(lzop), problem);
  assertEquals(await kernels.problem(zboot("lzo", lzop, 1)), problem);
  assertEquals(await kernels.problem(await pack("gzip", lzop)), problem);
});

Deno.test("kernel: what tools can do beyond their defaults is opened", async () => {
  using kernels = new Kernels();
  const kernel = Deno.readFileSync(guestKernel("x86_64")).subarray(0, 3 << 20);
  new DataView(kernel.buffer).setUint32(0x1f4, 0, true); // it is cut, and must not say so
  kernel.set([0, 0]);
  const tools = [
    ["gzip", "-1", "--name"],
    ["zstd", "-q", "--no-check", "--no-content-size"],
    ["zstd", "-q", "-19", "--ultra", "--long=27"],
    ["xz", "--check=sha256", "--block-size=500000"],
    ["xz", "--check=crc32", "--x86", "--lzma2=dict=128MiB"],
    ["xz", "--check=none", "-0"],
    ["lz4", "-q", "-z", "-BD", "-B4"],
    ["lz4", "-q", "-z", "-B6", "-BX", "--content-size"],
    ["lz4", "-q", "-z", "--no-frame-crc"],
    ["bzip2", "-9"],
  ];
  for (const tool of tools) {
    assertSame((await kernels.bytes(await pipe(tool, kernel)))[0], kernel, tool.join(" "));
  }
});

Deno.test("kernel: lz4 that copies from before its beginning is damaged, and not filled with zeros", async () => {
  using kernels = new Kernels();
  for (const offset of [0, 2, 0xffff]) {
    const block = [0x10, 0x61, offset & 0xff, offset >> 8, 0x10, 0x62]; // a literal, a match, a literal
    const bytes = concat(u32(0x184c2102), u32(block.length), Uint8Array.from(block));
    assertEquals(await kernels.problem(bytes), "it is damaged: a match goes too far");
  }
});

Deno.test("kernel: a run in bzip2 that is longer than any block ends as an error, not in a loop", async () => {
  using kernels = new Kernels();
  const bits = (value: number, count: number) => value.toString(2).padStart(count, "0");
  const lengths = bits(1, 5) + "0" + "100" + "0"; // of three codes: 0, 10 and 11
  const text = [
    bits(0x425a6839, 32) + bits(0x314159, 24) + bits(0x265359, 24) + bits(0, 32 + 1 + 24),
    bits(0x8000, 16) + bits(0x8000, 16), // the only byte is 0
    bits(2, 3) + bits(1, 15) + "0" + lengths + lengths,
    "0".repeat(32) + "11", // 32 digits of a run's length, and the end
  ].join("");
  const bytes = text.match(/.{1,8}/g)!.map((byte) => parseInt(byte.padEnd(8, "0"), 2));
  assertEquals(await kernels.problem(Uint8Array.from(bytes)), "it is damaged: a block is too long");
});

Deno.test("kernel: Debian's arm64 kernel comes out of an EFI zboot image", async () => {
  using kernels = new Kernels();
  const kernel = Deno.readFileSync(guestKernel("aarch64"));
  const image = zboot("zstd22", await pack("zstd", kernel), kernel.length);
  const [content, layers] = await kernels.bytes(image, "aarch64");
  assertSame(content, kernel, "zstd");
  assertEquals(layers, ["EFI zboot (zstd)", "arm64 Image"]);
});

Deno.test("kernel: EFI zboot is opened in each of its compressions, and refused by name in others", async () => {
  using kernels = new Kernels();
  const names = { gzip: "gzip", lz4: "lz4 legacy", lzma: "lzma", xzkern: "xz", zstd22: "zstd" };
  for (const [name, tool] of Object.entries(names)) {
    const image = zboot(name, await pack(tool, arm64), arm64.length);
    assertSame((await kernels.bytes(image, "aarch64"))[0], arm64, name);
    assertEquals(await kernels.problem(image.subarray(0, 4096 + 20), "aarch64"), "it ends too early");
  }
  assertEquals(
    await kernels.problem(zboot("lzo", new Uint8Array(100), 4096), "aarch64"),
    "it is an EFI zboot image whose compression is not known: lzo",
  );
});

Deno.test("kernel: a unified kernel image gives its kernel, initial RAM disk and command line", async () => {
  using kernels = new Kernels();
  const kernel = Deno.readFileSync(guestKernel(HERE));
  const initrd = crypto.getRandomValues(new Uint8Array(12345));
  const image = unifiedKernel(Deno.readFileSync(STUB), {
    ".osrel": new TextEncoder().encode("ID=debian\n"),
    ".cmdline": new TextEncoder().encode("console=hvc0 größe=1\n\0"),
    ".initrd": initrd,
    ".linux": kernel,
  });
  const opened = await kernels.open(image, HERE);
  assertSame(Deno.readFileSync(opened.kernel), kernel, "the kernel");
  assertSame(Deno.readFileSync(opened.initrd!), initrd, "the initial RAM disk");
  assertEquals(opened.commandLine, "console=hvc0 größe=1");
  assertEquals(opened.layers, ["unified kernel image", HERE === "x86_64" ? "bzImage" : "arm64 Image"]);
  const bare = await kernels.open(
    unifiedKernel(Deno.readFileSync(STUB), { ".linux": await pack("xz", HERE === "x86_64" ? SMALL : arm64) }),
    HERE,
  );
  assertEquals([bare.initrd, bare.commandLine], [undefined, undefined]);
  assertEquals(bare.layers.slice(0, 2), ["unified kernel image", "xz"]);
  const other = HERE === "x86_64" ? "aarch64" : "x86_64";
  assertMatch(await kernels.problem(image, other), /^it is a kernel for .* and this machine is /);
  assertEquals(await kernels.problem(image.subarray(0, image.length - 4096), HERE), "it ends too early");
  assertEquals(
    await kernels.problem(Deno.readFileSync(STUB), HERE),
    "it is an EFI or DOS program without a kernel in it",
  );
});

/** A vmlinux of assembler code, linked as the kernel is: an Image's head, and two segments with a gap. */
async function vmlinux(folder: Folder): Promise<string> {
  const [source, script, path] = ["code.s", "vmlinux.lds", "vmlinux"].map((name) => folder.file(name));
  Deno.writeTextFileSync(
    source,
    `.section .head, "ax"\n.fill 56, 1, 0x1f\n.ascii "ARM\\x64"\n.fill 9000, 1, 0x90\n` +
      `.section .payload, "aw"\n.fill 5000, 1, 7\n.bss\n.fill 4000\n`,
  );
  Deno.writeTextFileSync(
    script,
    `PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); }
     SECTIONS {
       . = 0xffff800008000000;
       .head : AT(0x40000000) { *(.head) } :text
       . = ALIGN(0x10000);
       .payload : AT(0x40010000) { *(.payload) } :data
       .bss : { *(.bss) } :data
     }`,
  );
  for (const args of [["as", source, "-o", `${source}.o`], ["ld", "-T", script, `${source}.o`, "-o", path]]) {
    const { success } = await new Deno.Command(args[0], { args: args.slice(1) }).output();
    assert(success, args.join(" "));
  }
  return path;
}

Deno.test("kernel: an arm64 vmlinux becomes the Image that objcopy makes of it", async () => {
  using kernels = new Kernels();
  const path = await vmlinux(kernels.folder);
  const image = kernels.folder.file("Image");
  await new Deno.Command("objcopy", { args: ["-O", "binary", path, image] }).output();
  const elf = Deno.readFileSync(path);
  elf[0x12] = 62; // e_machine, whatever the assembler is for: x86-64
  assertEquals(
    await kernels.problem(elf),
    "it is an ELF file, and even a vmlinux cannot be booted: take the bzImage that was made of it",
  );
  elf[0x12] = 183; // and AArch64
  const [content, layers] = await kernels.bytes(await pack("gzip", elf), "aarch64");
  assertSame(content, Deno.readFileSync(image), "the Image");
  assertEquals(layers, ["gzip", "vmlinux", "arm64 Image"]);
  assertEquals(await kernels.problem(elf.subarray(0, 0x2000), "aarch64"), "it ends too early");
});

Deno.test("kernel: layers are opened to a depth, and what has no end is refused", async () => {
  using kernels = new Kernels();
  let packed: Uint8Array<ArrayBuffer> = SMALL;
  const outer = Object.keys(TOOLS);
  for (const tool of outer) packed = await pack(tool, packed);
  const [content, layers] = await kernels.bytes(packed);
  assertSame(content, SMALL, "the kernel");
  assertEquals(layers, [...outer.toReversed().map((tool) => tool.replace(" legacy", "")), "bzImage"]);
  assertEquals(await kernels.problem(await pack("gzip", packed)), "it is packed more than 8 times");
});

Deno.test("kernel: a kernel that says it is longer than its file is not booted", async () => {
  using kernels = new Kernels();
  assertEquals(await kernels.problem(SMALL.subarray(0, SMALL.length - 1)), "it ends too early");
  for (const arch of ["x86_64", "aarch64"] as const) {
    const kernel = Deno.readFileSync(guestKernel(arch));
    assertEquals(
      await kernels.problem(kernel.subarray(0, kernel.length - 10_000), arch),
      "it ends too early",
    );
  }
});

Deno.test("kernel: a bomb stops before it fills the disk, and leaves nothing", async () => {
  using kernels = new Kernels();
  const gigabyte = new Deno.Command("sh", {
    args: ["-c", 'head -c 1100M /dev/zero | zstd -q > "$0"', kernels.folder.file("bomb")],
  });
  assert((await gigabyte.output()).success);
  await assertRejects(
    () => openKernel(kernels.folder.file("bomb"), "x86_64", kernels.cache),
    ImageError,
    "it unpacks to more than 1024 MiB, which no kernel has",
  );
  assertEquals([...Deno.readDirSync(kernels.folder.file("cache"))].filter(({ isFile }) => isFile).length, 0);
});

Deno.test("kernel: a signal stops the work, and leaves nothing", async () => {
  using kernels = new Kernels();
  const path = kernels.folder.file("kernel");
  Deno.writeFileSync(path, await pack("bzip2", Deno.readFileSync(guestKernel("x86_64"))));
  const stop = new AbortController();
  const work = {
    signal: stop.signal,
    progress: (done: number, total: number) => void (done > total / 3 && stop.abort(new Error("enough"))),
  };
  await assertRejects(() => openKernel(path, "x86_64", kernels.cache, work), Error, "enough");
  assertEquals([...Deno.readDirSync(kernels.folder.file("cache"))].filter(({ isFile }) => isFile).length, 0);
});

Deno.test("kernel: other files are told apart", async () => {
  using kernels = new Kernels();
  for (const text of ["#!/bin/sh\nexit 0\n", "hello", "größe\r\n\ttab", "a"]) {
    assertEquals(await kernels.problem(new TextEncoder().encode(text)), "it is text, not a kernel");
  }
  const none = "it is not a Linux kernel, nor anything that one is packed in";
  assertEquals(await kernels.problem(head({})), none);
  assertEquals(await kernels.problem(head({ 0: "\x7fELF" }, 20)), none);
  assertEquals(
    await kernels.problem(head({ 0: "MZ" })),
    "it is an EFI or DOS program without a kernel in it",
  );
  assertEquals(
    await kernels.problem(head({ 0: "\x7fELF" })),
    "it is a kernel for another processor, and this machine is x86_64",
  );
});

Deno.test("kernel: a head that is cut anywhere is known or refused, and nothing else", async () => {
  using kernels = new Kernels();
  const heads = [
    bzImage,
    arm64,
    head({ 0: "MZ\0\0zimg" }),
    head({ 0: "\x1f\x8b\x08" }),
    head({ 0: "\x7fELF" }),
  ];
  for (const [i, bytes] of heads.entries()) {
    for (let length = 0; length <= 0x240; length++) {
      const expected = i === 0 && length >= 0x206 ? "bzImage" : i === 1 && length >= 60 ? "Image" : undefined;
      assertEquals(kernelFormat(bytes.subarray(0, length)), expected, `${i} cut at ${length}`);
      if (!expected) await kernels.problem(bytes.subarray(0, length));
    }
  }
});
