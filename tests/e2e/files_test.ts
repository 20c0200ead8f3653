import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { contents, eventually, Folder, GUEST, guest, Vzrun, vzrun } from "./vzrun.ts";

const KERNEL = ["-kernel", `${GUEST}/vmlinuz`];
const MODES = [["-dry-run"], []];

function run(command: string, ...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(command, { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** The guest's kernel, a disk and a text, in a folder. */
function files(): Folder {
  const folder = new Folder();
  Deno.copyFileSync(`${GUEST}/vmlinuz`, folder.file("kernel"));
  Deno.writeFileSync(folder.file("d"), new Uint8Array(65536).fill(1));
  Deno.writeTextFileSync(folder.file("text"), "what was dear to somebody\n");
  return folder;
}

Deno.test("files: a pid file that is another file of the run is refused, and both are what they were", async () => {
  using folder = files();
  const cwd = folder.path;
  Deno.symlinkSync("new", folder.file("link"));
  run("qemu-img", "create", "-q", "-f", "qcow2", folder.file("q"), "1M");
  const before = run("sh", "-c", 'cd "$0" && cksum kernel d text q', cwd);
  const twice: string[][] = [
    ["-kernel", "kernel", "-pidfile", "kernel"],
    [...KERNEL, "-hda", "d", "-pidfile", "d"],
    [...KERNEL, "-c", "d", "-pidfile", "./d"],
    [...KERNEL, "-initrd", "text", "-pidfile", "text"],
    [...KERNEL, "-serial", "file:new", "-pidfile", "new"],
    [...KERNEL, "-serial", "file:new", "-pidfile", "link"],
    [...KERNEL, "-machine-id", "new", "-pidfile", "link"],
    [...KERNEL, "-machine-id", "new", "-pidfile", "new.partial"],
    ["-efi-vars", "new", "-hda", "d", "-pidfile", "new"],
    [...KERNEL, "-hda", "q", "-pidfile", "q.raw"],
    [...KERNEL, "-hda", "q", "-pidfile", "q.raw.partial"],
    [...KERNEL, "-hda", "q", "-serial", "file:q.raw"],
  ];
  for (const args of twice) {
    for (const mode of MODES) {
      const { code, err } = await vzrun([...mode, ...args, "-nographic"], { cwd });
      assertEquals(code, 2, `${args.join(" ")}: ${err}`);
      assertMatch(err, /^vzrun: '.*' is given twice, as .* and as .*\n$/);
    }
  }
  assertEquals(run("sh", "-c", 'cd "$0" && cksum kernel d text q', cwd), before);
  assertEquals([...Deno.readDirSync(cwd)].map(({ name }) => name).sort(), [
    "d",
    "kernel",
    "link",
    "q",
    "text",
  ]);
});

Deno.test("files: what holds no process id is no pid file, and stays", async () => {
  using folder = files();
  for (const mode of MODES) {
    const { code, err } = await vzrun([...mode, ...KERNEL, "-pidfile", folder.file("text")]);
    assertEquals([code, err], [
      2,
      `vzrun: cannot write '${folder.file("text")}': it is there and holds no process id\n`,
    ]);
  }
  assertEquals(contents(folder.file("text")), "what was dear to somebody\n");
});

Deno.test("files: a named pipe for what is to be a file is refused, and not waited for", async () => {
  using folder = new Folder();
  const fifo = folder.file("fifo");
  run("mkfifo", fifo, `${folder.file("id")}.partial`);
  const disk = folder.file("d");
  Deno.writeFileSync(disk, new Uint8Array(512));
  for (const mode of MODES) {
    for (const option of [["-pidfile"], ["-machine-id"], ["-hda", disk, "-efi-vars"]]) {
      const kernel = option.length > 1 ? [] : KERNEL;
      const { code, err } = await vzrun([...mode, ...kernel, ...option, fifo, "-nographic"], {}, 20);
      assertEquals([code, err], [2, `vzrun: cannot write '${fifo}': it is not a regular file\n`]);
    }
  }
  const identity = await vzrun([...KERNEL, "-machine-id", folder.file("id"), "-nographic"], {}, 20);
  assertEquals(identity.code, 2);
  assertMatch(identity.err, /id\.partial' is in the way/);
});

Deno.test("files: a pid file that is removed, or became another's, while the machine runs spoils no end", async () => {
  using folder = new Folder();
  const path = folder.file("pid");
  for (const other of [undefined, "another's\n"]) {
    await using machine = new Vzrun([...guest("echo up; read x"), "-pidfile", path], { typing: true });
    await machine.out.until("up");
    assertEquals(contents(path), `${machine.pid}\n`);
    Deno.removeSync(path);
    if (other !== undefined) Deno.writeTextFileSync(path, other);
    await machine.type("\n");
    assertEquals([await machine.end(), machine.err.text], [0, ""]);
    assertEquals(contents(path), other ?? "");
  }
});

Deno.test("files: a clone that somebody has removed spoils no end either", async () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("d"), new Uint8Array(65536));
  const args = [...guest("echo up; read x"), "-hda", folder.file("d"), "-snapshot"];
  await using machine = new Vzrun(args, { typing: true });
  await machine.out.until("up");
  for (const { name } of Deno.readDirSync(folder.path)) {
    if (name.startsWith(".vzrun-snapshot-")) Deno.removeSync(folder.file(name), { recursive: true });
  }
  await machine.type("\n");
  assertEquals([await machine.end(), machine.err.text], [0, ""]);
});

Deno.test({
  name: "files: a run in another PID namespace leaves the clone of one that lives alone",
  ignore: Deno.build.os !== "linux", // which has such
  async fn() {
    using folder = new Folder();
    Deno.writeFileSync(folder.file("d"), new Uint8Array(65536));
    const clones = () =>
      [...Deno.readDirSync(folder.path)].filter(({ name }) => name.startsWith(".vzrun-")).map(({ name }) =>
        name
      );
    const disk = ["-hda", folder.file("d"), "-snapshot"];
    const through = ["unshare", ...Deno.uid() === 0 ? [] : ["-r"], "--pid", "--fork", "--kill-child"];
    await using first = new Vzrun([...guest("echo up; read x"), ...disk], { typing: true, through });
    await first.out.until("up");
    const [clone] = clones();
    // One that was killed leaves its own, which is to go.
    const dead = folder.file(`.vzrun-snapshot-${Deno.pid}-0123456789abcdef`);
    Deno.mkdirSync(dead);
    Deno.mkdirSync(folder.file(".vzrun-snapshot-mine"));
    const second = await vzrun([...guest("echo second"), ...disk]);
    assertEquals([second.code, second.out], [0, "second\r\n"], second.err);
    assertEquals(clones().sort(), [clone, ".vzrun-snapshot-mine"].sort());
    await first.type("\n");
    assertEquals([await first.end(), first.err.text], [0, ""]);
    await eventually("the clone's end", () => clones().length === 1);
    assertNotEquals(clone, undefined);
  },
});
