// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertRejects } from "@std/assert";
import { OPTIONS, type Settings, UsageError } from "../../src/cli/options.ts";
import { parse } from "../../src/cli/parse.ts";

const MiB = 1024 * 1024;
const NOTHING: Settings = { serial: [], mode: "run", verbosity: "normal" };

Deno.test("parse: each option, in every form that it may be written in", async () => {
  const lines: [argv: string[], settings: Partial<Settings>][] = [
    [[], {}],
    [["-kernel", "K"], { kernel: "K" }],
    [["--kernel", "K"], { kernel: "K" }],
    [["-kernel=K"], { kernel: "K" }],
    [["--kernel=K"], { kernel: "K" }],
    [["-k", "K"], { kernel: "K" }],
    [["--k=K"], { kernel: "K" }],
    [["-kernel=a=b=c"], { kernel: "a=b=c" }],
    [["-kernel="], { kernel: "" }],
    [["-kernel", ""], { kernel: "" }],
    [["-initrd", "I"], { initrd: "I" }],
    [["-initramfs", "I"], { initrd: "I" }],
    [["-i", "I"], { initrd: "I" }],
    [["-append", "console=hvc0 quiet"], { append: "console=hvc0 quiet" }],
    [["-append=console=hvc0 quiet"], { append: "console=hvc0 quiet" }],
    [["-a", ""], { append: "" }],
    [["-append", "a\nb"], { append: "a\nb" }],
    [["-append=a\nb"], { append: "a\nb" }],
    // A value may begin with a dash, unless it is an option.
    [["-append", "-unheard of"], { append: "-unheard of" }],
    [["-append=-kernel"], { append: "-kernel" }],
    [["-kernel", "-"], { kernel: "-" }],
    [["-kernel", "--"], { kernel: "--" }],
    [["-smp", "3"], { processors: 3 }],
    [["-p", "007"], { processors: 7 }],
    [["-smp=0"], { processors: 0 }],
    [["-serial", "stdio"], { serial: [{ to: "stdio" }] }],
    [["-serial", "null"], { serial: [{ to: "null" }] }],
    [["-serial", "none"], { serial: ["none"] }],
    [["-serial", "file:/tmp/a b"], { serial: [{ to: "file", path: "/tmp/a b" }] }],
    [["-serial", "file:"], { serial: [{ to: "file", path: "" }] }],
    [["-serial=file:a=b:c"], { serial: [{ to: "file", path: "a=b:c" }] }],
    [["-serial", "null", "--serial=stdio"], { serial: [{ to: "null" }, { to: "stdio" }] }],
    [["-nographic"], {}],
    [["--nographic", "-nographic"], {}],
    [["-help"], { mode: "help" }],
    [["--help"], { mode: "help" }],
    [["-h"], { mode: "help" }],
    [["-version"], { mode: "version" }],
    [["-dry-run"], { mode: "dry-run" }],
    [["--dry-run"], { mode: "dry-run" }],
    [["-quiet"], { verbosity: "quiet" }],
    [["-verbose"], { verbosity: "verbose" }],
    [["-kernel", "K", "-i", "I", "-m=1G", "--smp", "2", "-quiet"], {
      kernel: "K",
      initrd: "I",
      memory: 1024 * MiB,
      processors: 2,
      verbosity: "quiet",
    }],
  ];
  for (const [argv, settings] of lines) {
    assertEquals(await parse(argv), { ...NOTHING, ...settings }, argv.join(" "));
  }
});

Deno.test("parse: sizes are MiB, or what their letter says", async () => {
  const sizes: [text: string, bytes: number][] = [
    ["512", 512 * MiB],
    ["512M", 512 * MiB],
    ["512m", 512 * MiB],
    ["2G", 2048 * MiB],
    ["2g", 2048 * MiB],
    ["4096K", 4 * MiB],
    ["4097k", 4097 * 1024],
    ["1T", 1024 * 1024 * MiB],
    ["1.5G", 1536 * MiB],
    ["0.5", MiB / 2],
    ["0", 0],
    ["007", 7 * MiB],
  ];
  for (const [text, bytes] of sizes) assertEquals((await parse(["-m", text])).memory, bytes, text);
});

Deno.test("parse: what is not understood is told in one line, with the nearest option when it is a slip", async () => {
  const size = "expected a size in MiB, or with K, M or G, like 512 or 2G";
  const stray = "every value follows its option, as in -kernel FILE";
  const lines: [argv: string[], message: string][] = [
    [["-kernal", "K"], "unknown option '-kernal': did you mean -kernel?"],
    [["--kernal=K"], "unknown option '--kernal': did you mean -kernel?"],
    [["-kernels=a=b"], "unknown option '-kernels': did you mean -kernel?"],
    [["-initrds", "I"], "unknown option '-initrds': did you mean -initrd?"],
    [["-initramf"], "unknown option '-initramf': did you mean -initramfs?"],
    [["-apend", "x"], "unknown option '-apend': did you mean -append?"],
    [["-seriel"], "unknown option '-seriel': did you mean -serial?"],
    [["-nographics"], "unknown option '-nographics': did you mean -nographic?"],
    [["-dryrun"], "unknown option '-dryrun': did you mean -dry-run?"],
    [["-dry_run"], "unknown option '-dry_run': did you mean -dry-run?"],
    [["-verbos"], "unknown option '-verbos': did you mean -verbose?"],
    [["-Help"], "unknown option '-Help': did you mean -help?"],
    [["-smb", "2"], "unknown option '-smb': did you mean -smp?"],
    [["-cpu", "host"], "unknown option '-cpu'; -help lists all"],
    [["-z"], "unknown option '-z'; -help lists all"],
    [["-K"], "unknown option '-K'; -help lists all"],
    [["-enable-kvm"], "unknown option '-enable-kvm'; -help lists all"],
    [["-constructor"], "unknown option '-constructor'; -help lists all"],
    [["-__proto__"], "unknown option '-__proto__'; -help lists all"],
    [["-m512"], "unknown option '-m512'; -help lists all"],
    [["vmlinuz"], `unexpected argument 'vmlinuz': ${stray}`],
    [["-kernel", "K", "extra"], `unexpected argument 'extra': ${stray}`],
    [[""], `unexpected argument '': ${stray}`],
    [["-"], `unexpected argument '-': ${stray}`],
    [["--"], `unexpected argument '--': ${stray}`],
    [["---kernel", "K"], `unexpected argument '---kernel': ${stray}`],
    [["-=x"], `unexpected argument '-=x': ${stray}`],
    [["-kernel"], "-kernel needs a value: -kernel FILE"],
    [["--kernel"], "--kernel needs a value: --kernel FILE"],
    [["-k"], "-k needs a value: -k FILE"],
    [["-kernel", "-initrd", "I"], "-kernel needs a value: -kernel FILE"],
    [["-append", "--m=5"], "-append needs a value: -append STRING"],
    [["-m"], "-m needs a value: -m SIZE"],
    [["-smp", "-nographic"], "-smp needs a value: -smp N"],
    [["-serial"], "-serial needs a value: -serial stdio|file:PATH|null|none"],
    [["-help=yes"], "-help takes no value"],
    [["--nographic="], "--nographic takes no value"],
    [["-kernel", "K", "-kernel", "L"], "-kernel is given twice"],
    [["-kernel", "K", "-k=L"], "-k is given twice (as -kernel before)"],
    [["--initrd", "I", "-initramfs", "I"], "-initramfs is given twice (as --initrd before)"],
    [["-m", "1G", "-m", "1G"], "-m is given twice"],
    [["-m", "abc"], `-m abc: ${size}`],
    [["-m", "-5"], `-m -5: ${size}`],
    [["-m", "1e3"], `-m 1e3: ${size}`],
    [["-m", "0x100"], `-m 0x100: ${size}`],
    [["-m", "1P"], `-m 1P: ${size}`],
    [["-m", "1GB"], `-m 1GB: ${size}`],
    [["-m", "1 G"], `-m 1 G: ${size}`],
    [["-m", "G"], `-m G: ${size}`],
    [["-m", "1."], `-m 1.: ${size}`],
    [["--m=Infinity"], `--m Infinity: ${size}`],
    [["-smp", "two"], "-smp two: expected a whole number"],
    [["-smp", "1.5"], "-smp 1.5: expected a whole number"],
    [["-smp", "-1"], "-smp -1: expected a whole number"],
    [["-p", "٣"], "-p ٣: expected a whole number"],
    [["-serial", "pipe"], "-serial pipe: expected stdio, file:PATH, null or none"],
    [["-serial", "file"], "-serial file: expected stdio, file:PATH, null or none"],
    [["-serial", "Stdio"], "-serial Stdio: expected stdio, file:PATH, null or none"],
    // The first of several.
    [["-bogus", "-m", "abc"], "unknown option '-bogus'; -help lists all"],
    [["-m", "abc", "-bogus"], `-m abc: ${size}`],
  ];
  for (const [argv, message] of lines) {
    const error = await assertRejects(() => parse(argv), UsageError, undefined, argv.join(" "));
    assertEquals(error.message, message, argv.join(" "));
  }
});

Deno.test("options: no name stands for two of them, and each has its help", () => {
  const names = OPTIONS.flatMap((option) => option.names);
  assertEquals(names.length, new Set(names).size);
  for (const { names, help, value } of OPTIONS) {
    assertEquals(
      [/^[A-Z]|\.$|\n/.test(help) && !/^Linux/.test(help), help.length > 0],
      [false, true],
      names[0],
    );
    assertEquals(value === "", false, names[0]);
  }
});
