// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { checkMachine, formatBytes, MachineError } from "../../src/machine/check.ts";
import type { Machine } from "../../src/machine/machine.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const limits = {
  memory: { minimum: 4 * MiB, maximum: 8 * GiB + 512 * MiB },
  processors: { minimum: 1, maximum: 4 },
};

/** A folder of files, good and bad, that is gone afterwards. */
async function withFiles(body: (path: (name: string) => string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const path = (name: string) => `${folder}/${name}`;
  const kernel = new Uint8Array(8192);
  kernel.set(new TextEncoder().encode("HdrS"), 0x202);
  try {
    await Deno.writeFile(path("kernel"), kernel);
    await Deno.writeFile(path("short"), kernel.subarray(0, 0x204));
    await Deno.writeFile(path("gzip"), Uint8Array.of(0x1f, 0x8b, 8, 0));
    await Deno.writeTextFile(path("text"), "hello\n");
    await Deno.writeTextFile(path("empty"), "");
    await Deno.mkdir(path("folder"));
    await Deno.symlink(path("loop"), path("loop"));
    await Deno.symlink(path("kernel"), path("link"));
    await body(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function machine(kernel: string, some: Partial<Machine> = {}, boot: Partial<Machine["boot"]> = {}): Machine {
  return {
    boot: { kernel, commandLine: "", ...boot },
    memory: 512 * MiB,
    processors: 1,
    serial: [{ to: "stdio" }],
    network: [],
    ...some,
  };
}

function problemOf(what: Machine): string | undefined {
  try {
    checkMachine(what, limits);
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    return error.message;
  }
}

Deno.test("check: numbers that the host allows pass, and others are told with what it allows", () =>
  withFiles((path) => {
    const numbers: [some: Partial<Machine>, problem: string | undefined][] = [
      [{ memory: 4 * MiB }, undefined],
      [{ memory: limits.memory.maximum }, undefined],
      [{ memory: 0 }, "-m: 0 MiB is too little memory: a machine needs at least 4 MiB"],
      [{ memory: 3 * MiB }, "-m: 3 MiB is too little memory: a machine needs at least 4 MiB"],
      [{ memory: 4 * MiB + 1 }, "-m: memory must be a whole number of MiB"],
      [{ memory: 4097 * 1024 }, "-m: memory must be a whole number of MiB"],
      [{ memory: 512.5 }, "-m: memory must be a whole number of MiB"],
      [{ memory: 9 * GiB }, "-m: 9 GiB is more memory than this host allows (8.5 GiB)"],
      [{ memory: 1024 * GiB }, "-m: 1024 GiB is more memory than this host allows (8.5 GiB)"],
      [{ processors: 1 }, undefined],
      [{ processors: 4 }, undefined],
      [{ processors: 0 }, "-smp: 0 processors: this host allows 1 to 4"],
      [{ processors: 5 }, "-smp: 5 processors: this host allows 1 to 4"],
      [{ processors: 999 }, "-smp: 999 processors: this host allows 1 to 4"],
    ];
    for (const [some, problem] of numbers) {
      assertEquals(problemOf(machine(path("kernel"), some)), problem, JSON.stringify(some));
    }
  }));

Deno.test("check: memory that is beyond every number is refused", () =>
  withFiles((path) => {
    for (const memory of [Infinity, Number("9".repeat(30)) * GiB, 1e400]) {
      assertThrows(() => checkMachine(machine(path("kernel"), { memory }), limits), MachineError, "-m: ");
    }
  }));

Deno.test("check: a kernel that is none, or cannot be read, is told by its path", () =>
  withFiles((path) => {
    const open = (name: string, problem: string) => `cannot open kernel '${path(name)}': ${problem}`;
    const boot = (name: string, problem: string) => `cannot boot kernel '${path(name)}': ${problem}`;
    const kernels: [name: string, problem: string | undefined][] = [
      ["kernel", undefined],
      ["link", undefined],
      ["missing", open("missing", "no such file")],
      ["missing/kernel", open("missing/kernel", "no such file")],
      ["text/kernel", open("text/kernel", "a part of its path is not a folder")],
      ["folder", open("folder", "it is a folder")],
      ["empty", open("empty", "it is empty")],
      ["loop", open("loop", "too many symbolic links")],
      ["short", boot("short", "it is not a Linux kernel (bzImage or arm64 Image)")],
      ["text", boot("text", "it is text, not a kernel")],
      ["gzip", boot("gzip", "it is compressed with gzip: decompress it first (gunzip)")],
    ];
    for (const [name, problem] of kernels) assertEquals(problemOf(machine(path(name))), problem, name);
    assertEquals(problemOf(machine("/dev/null")), "cannot open kernel '/dev/null': it is not a regular file");
    assertEquals(problemOf(machine("")), "cannot open kernel '': the path is empty");
    const long = "x".repeat(5000);
    assertEquals(problemOf(machine(long)), `cannot open kernel '${long}': File name too long`);
  }));

Deno.test("check: a command line that is longer than the kernel takes is refused", () =>
  withFiles((path) => {
    const kernel = new Uint8Array(4096);
    kernel.set(new TextEncoder().encode("HdrS"), 0x202);
    new DataView(kernel.buffer).setUint32(0x238, 2047, true);
    Deno.writeFileSync(path("limited"), kernel);
    const given = (length: number) => {
      const described = machine(path("limited"));
      return problemOf({ ...described, boot: { ...described.boot, commandLine: "a".repeat(length) } });
    };
    assertEquals(given(2047), undefined);
    assertEquals(given(2048), `-append: 2048 bytes: kernel '${path("limited")}' takes 2047`);
  }));

Deno.test("check: a FIFO as kernel is refused at once, and not waited for", () =>
  withFiles(async (path) => {
    const { success } = await new Deno.Command("mkfifo", { args: [path("fifo")] }).output();
    assertEquals(success, true);
    assertEquals(
      problemOf(machine(path("fifo"))),
      `cannot open kernel '${path("fifo")}': it is not a regular file`,
    );
  }));

Deno.test("check: an initial RAM disk is a file with something in it", () =>
  withFiles((path) => {
    const open = (name: string, problem: string) =>
      `cannot open initial RAM disk '${path(name)}': ${problem}`;
    const disks: [name: string, problem: string | undefined][] = [
      ["text", undefined],
      ["missing", open("missing", "no such file")],
      ["folder", open("folder", "it is a folder")],
      ["empty", open("empty", "it is empty")],
    ];
    for (const [name, problem] of disks) {
      assertEquals(problemOf(machine(path("kernel"), {}, { initrd: path(name) })), problem, name);
    }
    const none = machine(path("kernel"), {}, { initrd: "" });
    assertEquals(problemOf(none), "cannot open initial RAM disk '': the path is empty");
  }));

Deno.test("check: a file for a console needs a folder to be in, and is not made by the check", () =>
  withFiles((path) => {
    const write = (name: string, problem: string) => `cannot write '${path(name)}': ${problem}`;
    const outputs: [name: string, problem: string | undefined][] = [
      ["new", undefined],
      ["text", undefined],
      ["folder/new", undefined],
      ["folder", write("folder", "it is a folder")],
      ["missing/new", write("missing/new", `no folder '${path("missing/")}'`)],
      ["text/new", write("text/new", "a part of its path is not a folder")],
      ["loop", write("loop", "too many symbolic links")],
    ];
    for (const [name, problem] of outputs) {
      const ports: Machine["serial"] = [{ to: "stdio" }, { to: "file", path: path(name) }, { to: "null" }];
      assertEquals(problemOf(machine(path("kernel"), { serial: ports })), problem, name);
    }
    assertThrows(() => Deno.statSync(path("new")), Deno.errors.NotFound);
    const empty: Machine["serial"] = [{ to: "file", path: "" }];
    assertEquals(problemOf(machine(path("kernel"), { serial: empty })), "cannot write '': the path is empty");
  }));

Deno.test("check: numbers of bytes are told in people's units, and never as more than they are", () => {
  const bytes: [number: number, text: string][] = [
    [4 * MiB, "4 MiB"],
    [1023 * MiB, "1023 MiB"],
    [GiB, "1 GiB"],
    [1.5 * GiB, "1.5 GiB"],
    [23.59 * GiB, "23.5 GiB"],
    [1.99 * GiB, "1.9 GiB"],
  ];
  for (const [number, text] of bytes) assertEquals(formatBytes(number), text);
});
