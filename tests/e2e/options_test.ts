// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertLess, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { ENVIRONMENT, Folder, GUEST, ROOT, vzrun, within } from "./vzrun.ts";

const KERNEL = ["-kernel", `${GUEST}/vmlinuz`];

/** A folder with files of every unfit kind, and something that stands in for QEMU to tell that it was started. */
class Files extends Folder {
  readonly how = {
    cwd: this.path,
    env: { VIRTUALIZATION_QEMU: this.file("qemu") },
    // Root may read everything, until it gives up its capabilities.
    through: [
      "sh",
      "-c",
      'if [ "$(id -u)" = 0 ]; then exec setpriv --bounding-set=-all "$@"; else exec "$@"; fi',
      "sh",
    ],
  };

  constructor() {
    super();
    const write = (name: string, bytes: string | number[], mode = 0o644) => {
      const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
      Deno.writeFileSync(this.file(name), content, { mode });
    };
    write("qemu", "#!/bin/sh\n>started\n", 0o755);
    write("empty", "");
    write("text", "Linux is a kernel.\n");
    write("gzip", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    write("rubbish", [0, 1, 2, 3]);
    write("secret", "HdrS", 0);
    Deno.mkdirSync(this.file("folder"));
    Deno.symlinkSync("loop", this.file("loop"));
    const fifo = new Deno.Command("mkfifo", { args: [this.file("fifo")] }).outputSync();
    if (!fifo.success) throw new Error("mkfifo has failed");
  }

  /** What is there: whatever a run makes shows here. */
  get names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }
}

const MISTAKES: [mistake: string, args: string[], message: RegExp][] = [
  ["no arguments at all", [], /nothing to boot.*-kernel/],
  ["a kernel that is not there", ["-kernel", "missing"], /'missing': no such file/],
  ["a kernel in a file", ["-kernel", "text/vmlinuz"], /'text\/vmlinuz': a part of its path is not a folder/],
  ["a kernel that is a folder", ["-kernel", "folder"], /'folder': it is a folder/],
  ["a kernel that is a FIFO", ["-kernel", "fifo"], /'fifo': it is not a regular file/],
  ["a kernel that is a loop of links", ["-kernel", "loop"], /'loop': too many symbolic links/],
  ["an empty kernel", ["-kernel", "empty"], /'empty': it is empty/],
  ["a kernel of no name", ["-kernel", ""], /path is empty/],
  ["a text for a kernel", ["-kernel", "text"], /'text': it is text/],
  ["a compressed kernel", ["-kernel", "gzip"], /'gzip': it is compressed with gzip: .*gunzip/],
  ["rubbish for a kernel", ["-kernel", "rubbish"], /'rubbish': it is not a Linux kernel/],
  ["a kernel that may not be read", ["-kernel", "secret"], /'secret': permission denied/],
  ["an initrd that is not there", [...KERNEL, "-initrd", "missing"], /'missing': no such file/],
  ["an initrd that is a folder", [...KERNEL, "-i", "folder"], /'folder': it is a folder/],
  ["an initrd that may not be read", [...KERNEL, "--initramfs=secret"], /'secret': permission denied/],
  ["an empty initrd", [...KERNEL, "-initrd", "empty"], /'empty': it is empty/],
  ["a slip of the pen", [...KERNEL, "-initrc", "x"], /'-initrc': did you mean -initrd\?$/],
  ["a slip with two dashes and a value", ["--kernal=x"], /'--kernal': did you mean -kernel\?$/],
  ["an option that is like no other", [...KERNEL, "-frobnicate"], /'-frobnicate'.*-help/],
  ["a missing value at the end", ["-kernel"], /-kernel needs a value/],
  ["a missing value before another option", ["-kernel", "-initrd", "x"], /-kernel needs a value/],
  ["a value where none belongs", [...KERNEL, "-nographic=yes"], /-nographic takes no value/],
  ["no memory", [...KERNEL, "-m", "0"], /-m.* at least 4 MiB/],
  ["too little memory", [...KERNEL, "-m", "3"], /-m.* at least 4 MiB/],
  ["more memory than the host has", [...KERNEL, "-m", "1T"], /-m.* 1024 GiB .*more.*than this host/],
  ["memory that is no number", [...KERNEL, "-m", "abc"], /-m abc: expected a size/],
  ["negative memory", [...KERNEL, "-m=-512"], /-m -512: expected a size/],
  ["memory that is no whole MiB", [...KERNEL, "-m", "4097K"], /-m.*whole number of MiB/],
  ["no processors", [...KERNEL, "-smp", "0"], /-smp.* 0 processors.* 1 to \d+/],
  ["more processors than the host has", [...KERNEL, "-smp", "999"], /-smp.* 999 processors.* 1 to \d+/],
  ["processors that are no number", [...KERNEL, "-p", "x"], /-p x: expected a whole number/],
  ["a command line without a kernel", ["-append", "quiet"], /-append needs -kernel/],
  ["an initrd without a kernel", ["-initrd", "text"], /-initrd needs -kernel/],
  ["a console of an unknown kind", [...KERNEL, "-serial", "rubbish"], /-serial rubbish: expected stdio/],
  [
    "a console in a folder that is not there",
    [...KERNEL, "-serial", "file:no/x"],
    /'no\/x'.*no folder 'no\/'/,
  ],
  ["a console in a folder's place", [...KERNEL, "-serial", "file:folder"], /'folder': it is a folder/],
  ["a console in a file of no name", [...KERNEL, "-serial", "file:"], /path is empty/],
  [
    "a console in a file that may not be written",
    [...KERNEL, "-serial", "file:secret"],
    /'secret'.*[Pp]ermission denied/,
  ],
  ["two consoles on stdio", [...KERNEL, "-serial", "stdio", "-serial", "stdio"], /-serial stdio.* twice/],
  ["a console and none", [...KERNEL, "-serial", "none", "-serial", "null"], /-serial none stands alone/],
  ["an option twice", [...KERNEL, "-k", "text"], /-k is given twice \(as -kernel before\)/],
  ["a stray word", [...KERNEL, "vmlinuz"], /unexpected argument 'vmlinuz'/],
  ["a lone dash", [...KERNEL, "-"], /unexpected argument '-'/],
  ["a mistake in a dry run", ["-dry-run", "-kernel", "missing"], /'missing': no such file/],
  [
    "a mistake behind a good console",
    ["-serial", "file:log", "-kernel", "missing"],
    /'missing': no such file/,
  ],
];

for (const [mistake, args, message] of MISTAKES) {
  Deno.test(`options: ${mistake} gives one line and exit code 2, and starts nothing`, async () => {
    using files = new Files();
    const { names } = files;
    const { code, out, err } = await vzrun(args, files.how, 10);
    assertEquals({ code, out }, { code: 2, out: "" }, err);
    assertMatch(err, /^vzrun: \P{Cc}+\n$/u);
    assertMatch(err.trimEnd(), message);
    assertEquals(files.names, names);
  });
}

Deno.test("options: what stands in for QEMU here is what a run would have started", async () => {
  using files = new Files();
  const { code, err } = await vzrun([...KERNEL, "-m", "64"], files.how, 10);
  assertEquals(files.names.includes("started"), true, err);
  assertEquals(code, 1);
  assertMatch(err, /^vzrun: [^\n]+\n$/);
});

Deno.test("options: a missing QEMU is named, with the package that has it", async () => {
  const { code, out, err } = await vzrun(KERNEL, { env: { VIRTUALIZATION_QEMU: "no-qemu" } }, 10);
  assertEquals({ code, out }, { code: 1, out: "" });
  assertMatch(err, /^vzrun: [^\n]*“no-qemu”[^\n]*qemu-system-[^\n]*\n$/);
});

Deno.test("options: -dry-run prints the machine as JSON and starts nothing", async () => {
  using files = new Files();
  const { names } = files;
  const boot = ["-dry-run", ...KERNEL, "-i=text", "--append", "a='b'", "-m", "65536K", "-smp", "1"];
  const args = [...boot, "-serial", "file:log", "-serial", "stdio", "-serial", "null"];
  const { code, out, err } = await vzrun(args, files.how, 10);
  assertEquals({ code, err }, { code: 0, err: "" });
  const machine = JSON.parse(out);
  assertEquals(machine.boot, { kernel: `${GUEST}/vmlinuz`, initrd: "text", commandLine: "a='b'" });
  assertEquals([machine.memory, machine.processors], [64 * 1024 * 1024, 1]);
  assertEquals(machine.serial, [{ to: "file", path: "log" }, { to: "stdio" }, { to: "null" }]);
  assertEquals(files.names, names);
});

Deno.test("options: without -append and -serial the console is hvc0 on stdio", async () => {
  const { code, out } = await vzrun(["-dry-run", ...KERNEL], {}, 10);
  const { boot, serial } = JSON.parse(out);
  assertEquals({ code, serial }, { code: 0, serial: [{ to: "stdio" }] });
  assertEquals(boot.commandLine, "console=hvc0");
});

Deno.test("options: -help lists every option on stdout, and -version tells the version", async () => {
  for (const help of ["-help", "--help", "-h"]) {
    const { code, out, err } = await vzrun([help], {}, 10);
    assertEquals({ code, err }, { code: 0, err: "" });
    const names = "kernel initrd append m smp serial nographic help version dry-run quiet verbose".split(" ");
    for (const name of names) assertMatch(out, new RegExp(`^  -${name}\\b`, "m"));
    for (const line of out.split("\n")) assertLess(line.length, 120);
    assertNotMatch(out, /[^\P{Cc}\n]/u);
  }
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const { code, out, err } = await vzrun(["-version"], {}, 10);
  assertEquals({ code, err }, { code: 0, err: "" });
  assertStringIncludes(out, `vzrun ${version} `);
});

Deno.test("options: ./dev run takes paths from the current folder and keeps the exit code", async () => {
  const dev = async (...args: string[]) => {
    const how = { ...ENVIRONMENT, cwd: GUEST, stdin: "null" } as const;
    const command = new Deno.Command(`${ROOT}/dev`, { ...how, args: ["run", ...args] });
    const { code, stdout, stderr } = await within("./dev run", command.output());
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  };
  const files = ["-kernel", "vmlinuz", "-initrd", "./initrd", "-m", "256", "-smp", "1"];
  assertEquals(await dev(...files, "-append", "console=hvc0 quiet run=\"echo   spaces; echo '*'\""), {
    code: 0,
    out: "spaces\r\n*\r\n",
    err: "",
  });
  const { code, out, err } = await dev("-kernel", "missing");
  assertEquals({ code, out }, { code: 2, out: "" });
  assertMatch(err, /^vzrun: [^\n]*'missing': no such file\n$/);
});
