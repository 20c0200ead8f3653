import { assertEquals, assertMatch } from "@std/assert";
import { concat, guestKernel, pack, TOOLS, zboot } from "../images/pack.ts";
import { Terminal } from "./terminal.ts";
import { unifiedKernel } from "./unified_kernel.ts";
import { eventually, Folder, GUEST, SOONER, Vzrun, vzrun } from "./vzrun.ts";

/** A folder of kernels, with a cache of its own. */
class Kernels extends Folder {
  readonly how = { cwd: this.path, env: { XDG_CACHE_HOME: this.path } };

  write(name: string, bytes: Uint8Array): void {
    Deno.writeFileSync(this.file(name), bytes);
  }

  /** What has been unpacked. */
  get cached(): string[] {
    try {
      return [...Deno.readDirSync(this.file("vzrun"))].filter(({ isFile }) => isFile).map(({ name }) => name);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      return [];
    }
  }

  /** What vzrun says that a kernel is. */
  async boot(kernel: string, ...args: string[]) {
    const { code, out, err } = await vzrun(["-dry-run", "-kernel", kernel, ...args], this.how, 60);
    assertEquals([code, err], [0, ""]);
    return JSON.parse(out).boot;
  }
}

const MACHINE = ["-initrd", `${GUEST}/initrd`, "-m", "256", "-smp", "1", "-nographic"];
const UP = [...MACHINE, "-append", `console=hvc0 quiet ${SOONER} run="echo up; uname -m"`];
const plain = Deno.readFileSync(`${GUEST}/vmlinuz`);
const up = { code: 0, out: `up\r\n${Deno.build.arch}\r\n`, err: "" };

for (const tool of Object.keys(TOOLS)) {
  Deno.test(`kernel: one that is compressed with ${tool} boots`, async () => {
    using kernels = new Kernels();
    kernels.write("kernel", await pack(tool, plain));
    assertEquals(await vzrun(["-kernel", "kernel", ...UP], kernels.how), up);
  });
}

const NETBOOT = "/usr/lib/debian-installer/images";

/** Where a version of Debian's installer has its kernel and RAM disk; nothing on other distributions. */
function installer(arch: "amd64" | "arm64"): string | undefined {
  try {
    const [version] = [...Deno.readDirSync(NETBOOT)].map(({ name }) => name);
    return version && `${NETBOOT}/${version}/${arch}/text/debian-installer/${arch}`;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A script for a RAM disk, as the newc format of cpio has it. */
function withScript(initrd: Uint8Array, name: string, script: string): Uint8Array {
  const text = new TextEncoder();
  const padded = (bytes: Uint8Array) => concat(bytes, new Uint8Array(-bytes.length & 3));
  const entry = (name: string, mode: number, content: Uint8Array) => {
    const fields = [1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
    return concat(padded(text.encode(header)), padded(content));
  };
  const end = entry("TRAILER!!!", 0, new Uint8Array());
  return concat(padded(initrd), entry(name, 0o100755, text.encode(script)), end);
}

/** What the installer does only after it has asked: its console is the one of virtio. */
const SCRIPT = `#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
modprobe virtio_pci; modprobe virtio_console
while [ ! -e /dev/hvc0 ]; do sleep 1; done
exec >/dev/hvc0
echo up; uname -m
poweroff -f
`;

for (const [arch, machine] of [["amd64", "x86_64"], ["arm64", "aarch64"]] as const) {
  Deno.test({
    name: `kernel: that of Debian's installer for ${arch} boots, with its RAM disk`,
    ignore: installer(arch) === undefined,
    fn: async () => {
      using kernels = new Kernels();
      const initrd = Deno.readFileSync(`${installer(arch)}/initrd.gz`);
      kernels.write("initrd", withScript(initrd, "script", SCRIPT));
      const how = { ...kernels.how, env: { VIRTUALIZATION_GUEST_ARCH: machine } };
      const append = ["-append", `console=hvc0 quiet ${SOONER} rdinit=/script`];
      const args = [
        "-kernel",
        `${installer(arch)}/linux`,
        "-initrd",
        "initrd",
        ...append,
        "-m",
        "1024",
        "-smp",
        "1",
      ];
      const { code, out, err } = await vzrun(args, how, 120);
      assertEquals([code, out.split("\r\n").slice(0, 2), err], [0, ["up", machine], ""]);
    },
  });
}

Deno.test("kernel: a plain one boots as it is, and nothing is kept of it", async () => {
  using kernels = new Kernels();
  assertEquals(
    await vzrun(["-kernel", `${GUEST}/vmlinuz`, ...UP], { ...kernels.how, env: { HOME: "" } }),
    up,
  );
  assertEquals((await kernels.boot(`${GUEST}/vmlinuz`)).kernel, `${GUEST}/vmlinuz`);
  assertEquals(kernels.cached, []);
});

Deno.test("kernel: arm64's EFI zboot boots", async () => {
  using kernels = new Kernels();
  const image = Deno.readFileSync(guestKernel("aarch64"));
  kernels.write("kernel", zboot("zstd", await pack("zstd", image), image.length));
  const how = { ...kernels.how, env: { ...kernels.how.env, VIRTUALIZATION_GUEST_ARCH: "aarch64" } };
  const guest = guestKernel("aarch64").replace("vmlinuz", "initrd");
  const args = ["-kernel", "kernel", ...UP, "-m", "512"].map((arg) => arg === MACHINE[1] ? guest : arg);
  args.splice(args.indexOf("256") - 1, 2);
  assertEquals(await vzrun(args, how, 120), { ...up, out: "up\r\naarch64\r\n" });
});

Deno.test("kernel: a unified kernel image boots with its own RAM disk and command line, or with those that are given", async () => {
  using kernels = new Kernels();
  const text = new TextEncoder();
  const uefi = Deno.build.arch === "aarch64" ? "aa64" : "x64";
  const unified = unifiedKernel(Deno.readFileSync(`/usr/lib/systemd/boot/efi/linux${uefi}.efi.stub`), {
    ".cmdline": text.encode(`console=hvc0 quiet ${SOONER} run="echo its own"\n\0`),
    ".linux": plain,
    ".initrd": Deno.readFileSync(`${GUEST}/initrd`),
  });
  kernels.write("unified.efi.gz", await pack("gzip", unified));
  const machine = ["-kernel", "unified.efi.gz", "-m", "256", "-smp", "1", "-nographic"];
  assertEquals(await vzrun(machine, kernels.how), { code: 0, out: "its own\r\n", err: "" });
  const given = ["-append", `console=hvc0 quiet ${SOONER} run="echo given"`];
  assertEquals(await vzrun([...machine, ...given], kernels.how), { code: 0, out: "given\r\n", err: "" });
});

Deno.test("kernel: a command line without a console, which nobody has given, is told", async () => {
  using kernels = new Kernels();
  const stub = Deno.readFileSync("/usr/lib/systemd/boot/efi/linuxx64.efi.stub");
  const unified = {
    ".cmdline": new TextEncoder().encode("quiet"),
    ".linux": Deno.readFileSync(guestKernel("x86_64")),
  };
  kernels.write("kernel", unifiedKernel(stub, unified));
  const how = { ...kernels.how, env: { ...kernels.how.env, VIRTUALIZATION_GUEST_ARCH: "x86_64" } };
  const { code, err } = await vzrun(["-dry-run", "-kernel", "kernel"], how);
  assertEquals([code, err], [
    0,
    "vzrun: the command line in 'kernel' has no console=, so nothing may be seen: quiet\n",
  ]);
});

Deno.test("kernel: -dry-run says what a file is, layer by layer, and what would be booted", async () => {
  using kernels = new Kernels();
  kernels.write("kernel", await pack("xz", await pack("lz4", await pack("bzip2", plain))));
  const { kind, source, kernel, initrd, commandLine } = await kernels.boot("kernel", ...MACHINE);
  const format = Deno.build.arch === "aarch64" ? "arm64 Image" : "bzImage";
  assertEquals({ kind, source, initrd, commandLine }, {
    kind: "linux",
    source: { file: "kernel", layers: ["xz", "lz4", "bzip2", format] },
    initrd: `${GUEST}/initrd`,
    commandLine: "console=hvc0",
  });
  assertEquals(Deno.readFileSync(kernel), plain);
});

Deno.test("kernel: one for another processor is refused by the names of both, and a damaged one as such", async () => {
  using kernels = new Kernels();
  const other = Deno.readFileSync(guestKernel(Deno.build.arch === "aarch64" ? "x86_64" : "aarch64"));
  kernels.write("other", await pack("gzip", other));
  const packed = await pack("xz", plain);
  kernels.write("short", packed.subarray(0, packed.length / 2));
  packed[packed.length / 2] ^= 1;
  kernels.write("damaged", packed);
  const refused: [file: string, message: RegExp][] = [
    ["other", /it is a kernel for .*(x86_64.*arm64|arm64.*x86_64)/],
    ["short", /it (is damaged|ends too early)/],
    ["damaged", /it is damaged/],
  ];
  for (const [file, message] of refused) {
    const { code, out, err } = await vzrun(["-kernel", file, ...UP], kernels.how, 60);
    assertEquals([code, out], [2, ""]);
    assertMatch(err, new RegExp(`^vzrun: cannot boot kernel '${file}': [^\\n]*\\n$`));
    assertMatch(err, message);
  }
  assertEquals(kernels.cached.filter((name) => name.endsWith(".partial") || name.endsWith(".xz")), []);
});

Deno.test("kernel: what takes long shows how far it has come on a terminal, and Ctrl-C leaves nothing of it", async () => {
  using kernels = new Kernels();
  // A kernel may have anything behind it; this takes a while to unpack.
  const more = new Uint8Array(24e6);
  for (let i = 0; i < more.length; i += 50_000) crypto.getRandomValues(more.subarray(i, i + 50_000));
  for (let i = 0; i < more.length; i++) more[i] &= 15;
  kernels.write("kernel", await pack("xz", concat(plain, more)));
  await using terminal = new Terminal();
  await using interrupted = new Vzrun(["-kernel", "kernel", ...UP], {
    ...terminal.how(true),
    ...kernels.how,
  });
  await terminal.screen.until(
    /vzrun: opening kernel 'kernel' [█░]{20} \d+% of \d[^\r]*B, \d[^\r]*B\/s/,
  );
  await eventually("the making", () => kernels.cached.some((name) => name.endsWith(".partial")), 20);
  await terminal.type("\x03");
  assertEquals(await interrupted.end(10), 130);
  assertEquals(kernels.cached, []);
  await eventually("the end of the line", () => terminal.screen.text.endsWith("\r\x1b[K"), 10);

  const { source } = await kernels.boot("kernel"); // and its stderr, which is no terminal, has nothing of this
  assertEquals(source.layers[0], "xz");
});
