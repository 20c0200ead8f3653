import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Terminal } from "./terminal.ts";
import { contents, eventually, Folder, GUEST, GUEST_FILES, SOONER, stateOf, Vzrun, vzrun } from "./vzrun.ts";

/** Options of a guest without a terminal, which does shell commands; its console is the file `console`. */
function guest(commands: string): string[] {
  const append = `console=hvc0 quiet ${SOONER} run="${commands}"`;
  return [...GUEST_FILES, "-append", append, "-m", "256", "-smp", "1", "-serial", "file:console"];
}

/** A folder with a daemon's pid file, in which whoever is left at the end of the block is killed. */
class Place extends Folder {
  readonly how = { cwd: this.path };

  get pid(): number {
    return Number(contents(this.file("pid")));
  }

  /** Waits until the guest has written something. */
  async says(what: string): Promise<void> {
    await eventually(`the guest's ${what}`, () => contents(this.file("console")).includes(what));
  }

  /** Asks the daemon to end, and waits until it has, with all that it has started. */
  async end(pid: number): Promise<void> {
    const started = childrenOf(pid);
    Deno.kill(pid, "SIGTERM");
    await eventually("the end", () => [pid, ...started].every((one) => stateOf(one) === undefined), 20);
  }

  override [Symbol.dispose](): void {
    const { pid } = this;
    if (pid) Deno.kill(pid, "SIGKILL");
    super[Symbol.dispose]();
  }
}

function childrenOf(pid: number): number[] {
  const tasks = [...Deno.readDirSync(`/proc/${pid}/task`)];
  return tasks.flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").map(Number).filter(Boolean)
  );
}

/** Session and terminal of a process. */
function sessionOf(pid: number): { session: number; terminal: number } {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /s, "").split(" ");
  return { session: Number(fields[3]), terminal: Number(fields[4]) };
}

/** What a process has open, by number. */
function filesOf(pid: number): Map<number, string> {
  const numbers = [...Deno.readDirSync(`/proc/${pid}/fd`)].map(({ name }) => name);
  return new Map(numbers.flatMap((name) => {
    try {
      return [[Number(name), Deno.readLinkSync(`/proc/${pid}/fd/${name}`)] as const];
    } catch {
      return []; // closed meanwhile
    }
  }));
}

/** A shell script's view: what vzrun says, its exit code and what is there then. The shell's stdout is a pipe of its own. */
const SCRIPT = `
  said=$("$@" 2>&1)
  echo "code $?"
  echo "pid $(cat pid)"
  echo "$said"`;

Deno.test("daemonize: a script goes on when the machine runs, with its pid; SIGTERM powers it off", async () => {
  using place = new Place();
  Deno.writeFileSync(place.file("disk"), new Uint8Array(1 << 20));
  const args = [...guest("echo up; sleep 1000"), "-daemonize", "-pidfile", "pid", "-hda", "disk"];
  const script = { ...place.how, through: ["sh", "-c", SCRIPT, "sh"] };
  const { out, err } = await vzrun([...args, "-verbose"], script, 30);
  const { pid } = place;
  assertEquals(err, "");
  assertMatch(out, new RegExp(`^code 0\npid ${pid}\n(vzrun: .*\n)*vzrun: the machine is running\n`));

  const files = filesOf(pid);
  assertEquals([0, 1, 2].map((number) => files.get(number)), Array(3).fill("/dev/null"));
  assertEquals(sessionOf(pid), { session: pid, terminal: 0 });
  assertEquals(Deno.readLinkSync(`/proc/${pid}/cwd`), Deno.realPathSync(place.path));
  assert(!Deno.readTextFileSync(`/proc/${pid}/environ`).includes(`\0VZRUN_DAEMON=${pid}`));
  await place.says("up");

  // What fails beside it fails as without -daemonize.
  const twice = await vzrun([...guest("true"), "-daemonize", "-pidfile", "pid"], place.how, 20);
  assertEquals([twice.code, twice.out], [2, ""]);
  assertEquals(twice.err, "vzrun: cannot write 'pid': it has the process id of another vzrun\n");
  const other = ["-kernel", `${GUEST}/vmlinuz`, "-hda", "disk", "-serial", "null", "-display", "none"];
  const [here, there] = await Promise.all([
    vzrun(other, place.how, 20),
    vzrun([...other, "-daemonize", "-pidfile", "other"], place.how, 20),
  ]);
  assertEquals(there, here);
  assertEquals(there.code, 2);
  assertMatch(there.err, /^vzrun: [^\n]*'disk'[^\n]*\n$/);

  await place.end(pid);
  assertEquals([...Deno.readDirSync(place.path)].map(({ name }) => name).sort(), ["console", "disk"]);
});

Deno.test("daemonize: a terminal that is closed ends nothing, also not one that is closed before the machine runs", async () => {
  using place = new Place();
  await using terminal = new Terminal();
  const commands = "echo up; while sleep 1; do echo tick; done";
  const args = [...guest(commands), "-serial", "pty,wait", "-daemonize", "-pidfile", "pid"];
  await using run = new Vzrun(args, { ...place.how, ...terminal.how(true) });
  await terminal.screen.until(/vzrun: hvc1 is at \S+\r\n/);
  const [, path] = /hvc1 is at (\S+)/.exec(terminal.screen.text)!;
  const { pid } = place;
  assert(pid !== run.pid && stateOf(run.pid), "the prompt is back before the machine runs");
  run.signal("SIGHUP");
  {
    using _reader = Deno.openSync(path, { read: true, write: true });
    assertEquals(await run.end(20), 0);
  }
  await place.says("up");
  await terminal.close();
  Deno.kill(pid, "SIGHUP");
  Deno.truncateSync(place.file("console"));
  await place.says("tick");
  assertEquals(sessionOf(pid), { session: pid, terminal: 0 });
  await place.end(pid);
  assertEquals([...Deno.readDirSync(place.path)].map(({ name }) => name), ["console"]);
});

Deno.test("daemonize: when the guest powers off, nothing is left", async () => {
  using place = new Place();
  await using run = new Vzrun([...guest("echo done"), "-daemonize", "-pidfile", "pid"], place.how);
  assertEquals(await run.end(20), 0);
  await eventually("the end", () => !place.pid);
  assertEquals(contents(place.file("console")), "done\r\n");
});

Deno.test("daemonize: a start that fails says why and has the exit code of the foreground", async () => {
  using place = new Place();
  Deno.writeTextFileSync(place.file("initrd"), "");
  Deno.truncateSync(place.file("initrd"), 100e6);
  const lines: [args: string[], code: number, says: RegExp][] = [
    [["-kernel", "missing"], 2, /^vzrun: cannot open kernel 'missing': no such file\n$/],
    [["-kernel", `${GUEST}/vmlinuz`, "-initrd", "initrd", "-m", "64"], 1, /^vzrun: [^\n]*initrd[^\n]*\n$/],
    [["-kernel", `${GUEST}/vmlinuz`, "-serial", "unix:/nowhere/socket"], 2, /^vzrun: [^\n]*'\/nowhere/],
    [[], 2, /^vzrun: nothing to boot/],
  ];
  for (const [line, code, says] of lines) {
    const args = line.includes("-serial") ? line : [...line, "-serial", "null"];
    const here = await vzrun(args, place.how, 20);
    const there = await vzrun([...args, "-daemonize", "-pidfile", "pid"], place.how, 20);
    assertEquals(there, here, args.join(" "));
    assertEquals([there.code, there.out], [code, ""], there.err);
    assertMatch(there.err, says);
    assertEquals(place.pid, 0);
  }
  assertEquals([...Deno.readDirSync(place.path)].map(({ name }) => name), ["initrd"]);
});

Deno.test("daemonize: Ctrl-C before the machine runs ends everything and leaves nothing", async () => {
  using place = new Place();
  await using terminal = new Terminal();
  const args = [...guest("true"), "-serial", "pty,wait", "-daemonize", "-pidfile", "pid"];
  await using run = new Vzrun(args, { ...place.how, ...terminal.how(true) });
  await terminal.screen.until("hvc1 is at");
  const { pid } = place;
  await terminal.type("\x03");
  assertEquals(await run.end(10), 130);
  assertEquals(stateOf(pid), undefined);
  assertEquals([...Deno.readDirSync(place.path)], []);
});

Deno.test("daemonize: a start that hangs is ended by the second signal, as in the foreground", async () => {
  using place = new Place();
  Deno.writeTextFileSync(place.file("qemu"), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
  const env = { VIRTUALIZATION_QEMU: place.file("qemu") };
  const args = [...guest("true"), "-daemonize", "-pidfile", "pid", "-verbose"];
  await using run = new Vzrun(args, { ...place.how, env });
  await run.err.until("the machine is starting");
  const { pid } = place;
  run.signal("SIGTERM");
  await run.err.until("asked");
  run.signal("SIGTERM");
  assertEquals(await run.end(5), 143);
  assertEquals(stateOf(pid), undefined);
});

Deno.test("daemonize: one that is killed while it starts is told", async () => {
  using place = new Place();
  const args = [...guest("true"), "-serial", "pty,wait", "-daemonize", "-pidfile", "pid"];
  await using run = new Vzrun(args, place.how);
  await run.err.until("hvc1 is at");
  Deno.kill(place.pid, "SIGKILL");
  assertEquals(await run.end(10), 137);
  assertStringIncludes(run.err.text, "vzrun: it was ended by signal 9 before its machine ran\n");
  Deno.removeSync(place.file("pid"));
});
