import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path/posix/from-file-url";
import { wordError } from "../../src/cli/qemu/word_error.ts";
import type { LinuxBoot } from "../../src/machine/boot.ts";
import type { Disk } from "../../src/machine/disk.ts";
import { MachineError } from "../../src/machine/error.ts";
import { DISK_DEFAULTS } from "../../src/machine/disk.ts";
import { formatBytes } from "../../src/machine/format_bytes.ts";
import { ended } from "../objc/child.ts";
import { checkMachine, type Machine } from "../../src/machine/machine.ts";
import type { Share } from "../../src/machine/share.ts";

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
    await Deno.writeTextFile(path("text"), "hello\n");
    await Deno.writeTextFile(path("empty"), "");
    const image = new Uint8Array(64 * 1024);
    await Deno.writeFile(path("disk"), image);
    await Deno.writeFile(path("odd"), image.subarray(0, 513));
    image.set(new TextEncoder().encode("CD001"), 16 * 2048 + 1);
    await Deno.writeFile(path("iso"), image);
    await Deno.mkdir(path("folder"));
    await Deno.symlink(path("loop"), path("loop"));
    await Deno.symlink(path("kernel"), path("link"));
    await body(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function machine(kernel: string, some: Partial<Machine> = {}, boot: Partial<LinuxBoot> = {}): Machine {
  return {
    boot: { kind: "linux", kernel, commandLine: "", ...boot },
    memory: 512 * MiB,
    processors: 1,
    disks: [],
    shares: [],
    serial: [{ kind: "stdio" }],
    network: [],
    ...some,
  };
}

async function problemOf(what: Machine): Promise<string | undefined> {
  try {
    await checkMachine(what, limits);
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    return wordError(error);
  }
}

Deno.test("check: numbers that the host allows pass, and others are told with what it allows", () =>
  withFiles(async (path) => {
    const numbers: [some: Partial<Machine>, problem: string | undefined][] = [
      [{ memory: 4 * MiB }, undefined],
      [{ memory: limits.memory.maximum }, undefined],
      [{ memory: 0 }, "-m: 0 B is too little memory: a machine needs at least 4 MiB"],
      [{ memory: 3 * MiB }, "-m: 3 MiB is too little memory: a machine needs at least 4 MiB"],
      [{ memory: 4 * MiB + 1 }, "-m: memory must be a whole number of MiB"],
      [{ memory: 4097 * 1024 }, "-m: memory must be a whole number of MiB"],
      [{ memory: 512.5 }, "-m: memory must be a whole number of MiB"],
      [{ memory: 9 * GiB }, "-m: 9 GiB is more memory than this host allows (8.5 GiB)"],
      [{ memory: 1024 * GiB }, "-m: 1 TiB is more memory than this host allows (8.5 GiB)"],
      [{ processors: 1 }, undefined],
      [{ processors: 4 }, undefined],
      [{ processors: 0 }, "-smp: 0 processors: this host allows 1 to 4"],
      [{ processors: 5 }, "-smp: 5 processors: this host allows 1 to 4"],
      [{ processors: 999 }, "-smp: 999 processors: this host allows 1 to 4"],
    ];
    for (const [some, problem] of numbers) {
      assertEquals(await problemOf(machine(path("kernel"), some)), problem, JSON.stringify(some));
    }
  }));

Deno.test("check: memory that is beyond every number is refused", () =>
  withFiles(async (path) => {
    for (const memory of [Infinity, Number("9".repeat(30)) * GiB, 1e400]) {
      assertMatch(await problemOf(machine(path("kernel"), { memory })) ?? "", /^-m: /);
    }
  }));

Deno.test("check: a kernel that cannot be read is told by its path", () =>
  withFiles(async (path) => {
    const open = (name: string, problem: string) => `cannot open kernel '${path(name)}': ${problem}`;
    const kernels: [name: string, problem: string | undefined][] = [
      ["kernel", undefined],
      ["link", undefined],
      ["missing", open("missing", "no such file")],
      ["missing/kernel", open("missing/kernel", "no such file")],
      ["text/kernel", open("text/kernel", "a part of its path is not a folder")],
      ["folder", open("folder", "it is a folder")],
      ["empty", open("empty", "it is empty")],
      ["loop", open("loop", "too many symbolic links")],
    ];
    for (const [name, problem] of kernels) assertEquals(await problemOf(machine(path(name))), problem, name);
    assertEquals(
      await problemOf(machine("/dev/null")),
      "cannot open kernel '/dev/null': it is not a regular file",
    );
    assertEquals(await problemOf(machine("")), "cannot open kernel '': the path is empty");
    const long = "x".repeat(5000);
    assertEquals(await problemOf(machine(long)), `cannot open kernel '${long}': File name too long`);
  }));

Deno.test("check: a FIFO as kernel is refused at once, and not waited for", () =>
  withFiles(async (path) => {
    const { success } = await new Deno.Command("mkfifo", { args: [path("fifo")] }).output();
    assertEquals(success, true);
    assertEquals(
      await problemOf(machine(path("fifo"))),
      `cannot open kernel '${path("fifo")}': it is not a regular file`,
    );
  }));

Deno.test("check: an initial RAM disk is a file with something in it", () =>
  withFiles(async (path) => {
    const open = (name: string, problem: string) =>
      `cannot open initial RAM disk '${path(name)}': ${problem}`;
    const disks: [name: string, problem: string | undefined][] = [
      ["text", undefined],
      ["missing", open("missing", "no such file")],
      ["folder", open("folder", "it is a folder")],
      ["empty", open("empty", "it is empty")],
    ];
    for (const [name, problem] of disks) {
      assertEquals(await problemOf(machine(path("kernel"), {}, { initrd: path(name) })), problem, name);
    }
    const none = machine(path("kernel"), {}, { initrd: "" });
    assertEquals(await problemOf(none), "cannot open initial RAM disk '': the path is empty");
  }));

Deno.test("check: a file for a console needs a folder to be in, and is not made by the check", () =>
  withFiles(async (path) => {
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
      const ports: Machine["serial"] = [{ kind: "stdio" }, { kind: "file", path: path(name) }, {
        kind: "null",
      }];
      assertEquals(await problemOf(machine(path("kernel"), { serial: ports })), problem, name);
    }
    assertThrows(() => Deno.statSync(path("new")), Deno.errors.NotFound);
    const empty: Machine["serial"] = [{ kind: "file", path: "" }];
    assertEquals(
      await problemOf(machine(path("kernel"), { serial: empty })),
      "cannot write '': the path is empty",
    );
  }));

/** What is wrong with a machine that has these disks. */
function problemWithDisks(
  kernel: string,
  ...disks: (Partial<Disk> & { file: string })[]
): Promise<string | undefined> {
  const whole = disks.map((disk): Disk => ({
    interface: "virtio",
    readOnly: false,
    cache: "writeback",
    snapshot: false,
    ...disk,
  }));
  return problemOf(machine(kernel, { disks: whole }));
}

Deno.test("check: a disk is a file of whole sectors, which size= makes when it is missing", () =>
  withFiles(async (path) => {
    const open = (name: string, problem: string) => `cannot open disk '${path(name)}': ${problem}`;
    const disks: [disk: Partial<Disk> & { file: string }, problem: string | undefined][] = [
      [{ file: "disk" }, undefined],
      [{ file: "disk", readOnly: true }, undefined],
      [{ file: "disk", size: 65536 }, undefined],
      [{ file: "new", size: 512 }, undefined],
      [{ file: "folder/new", size: 1024 * GiB }, undefined],
      [{ file: "missing" }, open("missing", "no such file")],
      [{ file: "folder" }, open("folder", "it is a folder")],
      [{ file: "folder", size: 512 }, open("folder", "it is a folder")],
      [{ file: "empty" }, open("empty", "it is empty")],
      [{ file: "empty", size: 512 }, open("empty", "it is empty")],
      [{ file: "loop" }, open("loop", "too many symbolic links")],
      [{ file: "loop", size: 512 }, open("loop", "too many symbolic links")],
      [{ file: "odd" }, `cannot use disk '${path("odd")}': it is no whole number of 512-byte sectors`],
      [
        { file: "disk", size: GiB },
        `disk '${path("disk")}' is there and has 64 kiB, not 1 GiB: size= only makes new images`,
      ],
      [
        { file: "disk", size: 512 },
        `disk '${path("disk")}' is there and has 64 kiB, not 512 B: size= only makes new images`,
      ],
      [{ file: "new", size: 513 }, `disk '${path("new")}': size= must be a whole number of 512-byte sectors`],
      [{ file: "new", size: 0.5 }, `disk '${path("new")}': size= must be a whole number of 512-byte sectors`],
      [{ file: "new", size: 0 }, `disk '${path("new")}': size= must be a whole number of 512-byte sectors`],
      [
        { file: "missing/new", size: 512 },
        `cannot write '${path("missing/new")}': no folder '${path("missing/")}'`,
      ],
    ];
    for (const [disk, problem] of disks) {
      const found = await problemWithDisks(path("kernel"), { ...disk, file: path(disk.file) });
      assertEquals(found, problem, JSON.stringify(disk));
    }
    assertEquals(
      await problemWithDisks(path("kernel"), { file: "" }),
      "cannot open disk '': the path is empty",
    );
    assertThrows(() => Deno.statSync(path("new")), Deno.errors.NotFound);
  }));

Deno.test("check: what is given as a CD is an ISO image", () =>
  withFiles(async (path) => {
    const cd = (name: string) =>
      problemWithDisks(path("kernel"), {
        file: path(name),
        interface: "usb",
        readOnly: true,
        media: "cdrom",
      });
    assertEquals(await cd("iso"), undefined);
    assertEquals(await cd("missing"), `cannot open disk '${path("missing")}': no such file`);
    for (const name of ["disk", "kernel", "text"]) {
      assertEquals(await cd(name), `cannot boot CD '${path(name)}': it is not an ISO image`, name);
    }
  }));

Deno.test("check: a disk that is written is there once, by whatever name", () =>
  withFiles(async (path) => {
    await Deno.link(path("disk"), path("hard"));
    await Deno.symlink("disk", path("soft"));
    const two = (other: string, first: boolean, second: boolean) =>
      problemWithDisks(
        path("kernel"),
        { file: path("disk"), readOnly: first },
        { file: path("iso") },
        { file: path(other), readOnly: second },
      );
    for (const other of ["disk", "hard", "soft"]) {
      assertEquals(await two(other, true, true), undefined, other);
      for (const [first, second] of [[false, false], [true, false], [false, true]]) {
        const problem = `'${
          path(other)
        }' is given twice, as a disk and as a disk: only what is not written can be`;
        assertEquals(await two(other, first, second), problem, other);
      }
    }
  }));

Deno.test("check: what a machine writes is nothing else of it, by whatever name", () =>
  withFiles(async (path) => {
    await Deno.symlink("disk", path("soft"));
    const disks = [{
      file: path("disk"),
      interface: "virtio",
      readOnly: true,
      cache: "none",
      snapshot: false,
    }] as const;
    const log = (name: string) => ({ kind: "file", path: path(name) }) as const;
    const twice: [some: Partial<Machine>, boot?: Partial<LinuxBoot>][] = [
      [{ disks: [...disks], serial: [log("soft")] }],
      [{ disks: [...disks], machineId: path("disk") }],
      [{ serial: [log("new"), log("new")] }],
      [{ serial: [log("new"), { kind: "unix", path: path("folder/../new") }] }],
      [{ serial: [log("text")] }, { initrd: path("text") }],
      [{ serial: [log("kernel")] }],
    ];
    for (const [some, boot] of twice) {
      assertMatch(
        await problemOf(machine(path("kernel"), some, boot)) ?? "",
        /is given twice, as .* and as /,
      );
    }
    const nowhere = { kind: "file", path: "/dev/null" } as const;
    assertEquals(await problemOf(machine(path("kernel"), { serial: [nowhere, nowhere] })), undefined);
  }));

Deno.test("check: no two cards have one address", () =>
  withFiles(async (path) => {
    const card = { kind: "nat", mac: "52:54:00:12:34:56" } as const;
    const other = { ...card, mac: "52:54:00:12:34:57" };
    assertEquals(await problemOf(machine(path("kernel"), { network: [card, other] })), undefined);
    const problem = "-nic: two cards cannot both have the address 52:54:00:12:34:56";
    assertEquals(await problemOf(machine(path("kernel"), { network: [card, other, card] })), problem);
  }));

Deno.test("check: a disk that size= is to make is there once", () =>
  withFiles(async (path) => {
    const disk = { file: path("new"), size: 512 };
    const again = { file: path("folder/../new"), size: 512 };
    assertMatch(await problemWithDisks(path("kernel"), disk, disk) ?? "", /is given twice/);
    assertMatch(await problemWithDisks(path("kernel"), disk, again) ?? "", /is given twice/);
  }));

Deno.test("check: a ninth disk is one like the others", () =>
  withFiles(async (path) => {
    const names = Array.from({ length: 30 }, (_, i) => path(`disk${i}`));
    for (const name of names) await Deno.writeFile(name, new Uint8Array(512));
    assertEquals(await problemWithDisks(path("kernel"), ...names.map((file) => ({ file }))), undefined);
  }));

Deno.test("check: a share is a folder, under a tag that no other has", () =>
  withFiles(async (path) => {
    const share = (tag: string, file: string, name?: string): Share => ({
      tag,
      ...name !== undefined && { name },
      folder: path(file),
      readOnly: false,
    });
    const twice =
      "the tag 'a' is given to two shares (they can be folders of one share, each with its id= of -virtfs)";
    const shares: [shares: Share[], problem: string | undefined, rosetta?: string][] = [
      [[share("a", "folder"), share("b", "folder"), share("A", "folder/..")], undefined],
      [[share("a", "folder")], undefined, "rosetta"],
      [[share("a", "text")], `cannot share '${path("text")}': it is not a folder`],
      [[share("a", "missing")], `cannot share '${path("missing")}': no such folder`],
      [[share("a", "loop")], `cannot share '${path("loop")}': too many symbolic links`],
      [[share("a", "folder"), share("b", "."), share("a", ".")], twice],
      [[share("a", "folder", "x"), share("a", ".", "y"), share("b", ".", "x")], undefined],
      [[share("a", "folder", "x"), share("a", ".")], twice],
      [[share("a", "folder"), share("a", ".", "x")], twice],
      [[share("a", "folder", "x"), share("a", ".", "x")], "the tag 'a' has two folders 'x'"],
      [[share("a", "folder", "x")], "the tag 'a' is given to two shares", "a"],
      [[share("a", "folder")], "the tag 'a' is given to two shares", "a"],
    ];
    for (const [list, problem, rosetta] of shares) {
      assertEquals(await problemOf(machine(path("kernel"), { shares: list, rosetta })), problem);
    }
  }));

Deno.test("check: a socket for a console needs a folder to be in, and a path that a socket can have", () =>
  withFiles(async (path) => {
    const problem = (name: string) =>
      problemOf(machine(path("kernel"), { serial: [{ kind: "unix", path: name }] }));
    assertEquals(await problem(path("socket")), undefined);
    assertEquals(await problem(path("folder")), `cannot write '${path("folder")}': it is a folder`);
    assertEquals(
      await problem(path("missing/socket")),
      `cannot write '${path("missing/socket")}': no folder '${path("missing/")}'`,
    );
    assertEquals(await problem(""), "cannot write '': the path is empty");
    assertEquals(await problem(`/tmp/${"x".repeat(98)}`), undefined);
    for (const long of [`/tmp/${"x".repeat(99)}`, `/tmp/${"ü".repeat(50)}`]) {
      assertEquals(
        await problem(long),
        `cannot listen at '${long}': the path of a socket has at most 103 bytes`,
      );
    }
  }));

Deno.test("check: files for EFI's variables and the machine's identity need a folder to be in", () =>
  withFiles(async (path) => {
    const missing = path("missing/new");
    const refused = `cannot write '${missing}': no folder '${path("missing/")}'`;
    assertEquals(await problemOf(machine(path("kernel"), { machineId: missing })), refused);
    const disks: Machine["disks"] = [{ ...DISK_DEFAULTS, file: path("disk") }];
    const efi = (variables: string) => problemOf({ ...machine(""), disks, boot: { kind: "efi", variables } });
    assertEquals(await efi(missing), refused);
    assertEquals(await efi(path("new")), undefined);
    assertEquals(await problemOf({ ...machine(""), disks, boot: { kind: "efi" } }), undefined);
  }));

Deno.test("check: firmware without a disk, and two consoles on one standard input, are refused", () =>
  withFiles(async (path) => {
    assertEquals(
      await problemOf({ ...machine(""), boot: { kind: "efi" } }),
      "EFI needs a disk or a CD to boot from",
    );
    const stdio = { kind: "stdio" } as const;
    const twice = machine(path("kernel"), { serial: [stdio, { kind: "null" }, stdio] });
    assertEquals(await problemOf(twice), "-serial: stdio is given twice: there is one stdin");
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

Deno.test("check: numbers of bytes are told in the same way whatever the system's language is", async () => {
  const module = new URL("../../src/machine/format_bytes.ts", import.meta.url);
  const program = `import { formatBytes } from "${module}"; console.log(${
    ["1023 * 2 ** 20", "23.59 * 2 ** 30"].map((bytes) => `formatBytes(${bytes})`)
  })`;
  const { code, stdout, stderr } = await ended(
    [Deno.execPath(), "eval", "--config", fromFileUrl(new URL("../../deno.json", import.meta.url)), program],
    { LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" },
  );
  assertEquals([code, stdout], [0, "1023 MiB 23.5 GiB\n"], stderr);
});

Deno.test("check: a window without a size, or one larger than any screen, is refused", async () => {
  await withFiles(async (path) => {
    const display = (width: number, height: number) =>
      checkMachine(
        machine(path("kernel"), { display: { width, height, fullGrab: false, hidpi: false } }),
        limits,
      );
    await display(320, 16384);
    for (const [width, height] of [[0, 600], [800, 199], [16385, 600]]) {
      const message = `-display: ${width}x${height}: a window has 320x200 to 16384x16384 pixels`;
      assertEquals(wordError(await assertRejects(() => display(width, height), MachineError)), message);
    }
  });
});
