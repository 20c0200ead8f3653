import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { DEAF, listening, telling } from "./booted.ts";
import { meanwhile } from "./meanwhile.ts";
import {
  contents,
  eventually,
  Folder,
  GUEST,
  guest,
  type How,
  pause,
  stateOf,
  Vzrun,
  within,
} from "./vzrun.ts";

const WAITING = "echo up; sleep 1000";

/** vzrun with a guest that is up. @param line What is typed at it. */
async function waiting(args: string[], how: How = {}, line?: string): Promise<Vzrun> {
  const run = new Vzrun(args, { ...how, typing: line !== undefined });
  try {
    if (line !== undefined) await run.type(line);
    await run.out.until("up\r\n");
    return run;
  } catch (error) {
    await run[Symbol.asyncDispose]();
    throw error;
  }
}

for (
  const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129], ["SIGQUIT", 131]] as const
) {
  Deno.test(`ending: ${signal} lets the guest power off, and the exit code is ${code}`, async () => {
    const machine = signal === "SIGTERM" ? guest(WAITING) : await telling();
    await using run = await waiting([...machine, "-verbose"]);
    const { qemu } = run;
    run.signal(signal);
    assertEquals(await run.end(8), code);
    assertMatch(run.err.text, new RegExp(`vzrun: ${signal}: asked the guest to power off\n`));
    assertMatch(run.err.text, /vzrun: the guest has powered off\n$/);
    assertEquals(stateOf(qemu), undefined);
  });
}

Deno.test("ending: the second SIGTERM ends at once a guest that does not listen", async () => {
  await using run = await waiting(await listening(), {}, `${DEAF}echo up\n`);
  const { qemu } = run;
  const start = Date.now();
  run.signal("SIGTERM");
  await run.err.until("asked"); // two at the same moment would be one
  run.signal("SIGTERM");
  assertEquals(await run.end(), 143);
  assertLess(Date.now() - start, 5000);
  assertMatch(run.err.text, /\nvzrun: SIGTERM again: ended the machine\n$/);
  await eventually("the end of QEMU", () => stateOf(qemu) === undefined, 5); // as macOS 11, which has no other way
});

Deno.test("ending: a closed terminal does not end a machine whose console is a file", async () => {
  using folder = new Folder();
  const args = [...await telling(), "-serial", "file:console", "-verbose"];
  await using run = new Vzrun(args, { cwd: folder.path });
  await eventually("the guest", () => contents(folder.file("console")).startsWith("up\r\n"));
  run.signal("SIGHUP");
  await run.err.until("the machine runs on");
  run.signal("SIGTERM");
  assertEquals(await run.end(8), 143);
});

Deno.test("ending: under nohup a closed terminal is nothing to vzrun", async () => {
  const through = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
  await using run = await waiting(await listening(), { through }, "echo up\n");
  run.signal("SIGHUP");
  await run.type("echo on; poweroff -f\n");
  assertEquals(await run.end(), 0);
  assertEquals([run.out.text, run.err.text], ["up\r\n\x1e0\x1eon\r\n", ""]);
});

for (const [guestDoes, commands] of [["waits", "echo up\n"], ["goes on writing", "yes up\n"]]) {
  Deno.test(`ending: when head has read its line the run ends, also of a guest that ${guestDoes}`, async () => {
    await using run = await waiting(await listening(), {}, commands);
    const { qemu } = run;
    await run.out.goAway();
    assertEquals(await run.end(15), 141);
    assertMatch(run.err.text, /^vzrun: nobody reads stdout: asked the guest to power off\n/);
    assertEquals(stateOf(qemu), undefined);
  });
}

Deno.test("ending: kill -9 leaves no QEMU and no file", async () => {
  using folder = new Folder();
  const [cwd, TMPDIR] = [folder.file("here"), folder.file("tmp")];
  for (const path of [cwd, TMPDIR]) Deno.mkdirSync(path);
  await using run = await waiting(await telling(), { cwd, env: { TMPDIR } });
  const { qemu } = run;
  run.signal("SIGKILL");
  await run.end(5);
  await eventually("the end of QEMU", () => stateOf(qemu) === undefined, 5);
  assertEquals([...Deno.readDirSync(cwd), ...Deno.readDirSync(TMPDIR)], []);
});

Deno.test("ending: when QEMU is killed the exit code is 1, and one line says what has happened", async () => {
  await using run = await waiting(await telling());
  Deno.kill(run.qemu, "SIGKILL");
  assertEquals(await run.end(5), 1);
  assertMatch(run.err.text, /^vzrun: [^\n]*QEMU was killed by signal 9[^\n]*\n$/);
});

Deno.test("ending: a guest that reboots goes on", async () => {
  await using run = await waiting(await listening(), {}, "echo up; reboot -f\n");
  await run.out.until(/up\r\n[^]*ready\r\n/);
  await run.type("echo twice; poweroff -f\n");
  assertEquals(await run.end(), 0);
  assertMatch(run.out.text, /twice\r\n$/);
  assertEquals(run.err.text, "");
});

Deno.test("ending: what only QEMU refuses gives exit code 1 and one line", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("initrd"), "");
  Deno.truncateSync(folder.file("initrd"), 100e6);
  const args = ["-kernel", `${GUEST}/vmlinuz`, "-initrd", folder.file("initrd"), "-m", "64"];
  await using run = new Vzrun(args);
  assertEquals(await run.end(10), 1);
  assertMatch(run.err.text, /^vzrun: [^\n]*initrd[^\n]*\n$/);
  assert(!/\bat .*:\d+/.test(run.err.text), run.err.text);
  assertEquals(run.out.text, "");
});

Deno.test("ending: what cannot be said, because stderr is full, keeps nothing from ending", async () => {
  const through = ["sh", "-c", 'exec "$@" 2>/dev/full', "sh"];
  await using run = await waiting([...await telling(), "-verbose"], { through });
  run.signal("SIGTERM");
  assertEquals(await run.end(8), 143);
});

Deno.test("ending: a reader of stderr who has stopped keeps nothing from ending", async () => {
  using folder = new Folder();
  const fifo = folder.file("fifo");
  assertEquals((await new Deno.Command("mkfifo", { args: [fifo] }).output()).code, 0);
  using _reader = Deno.openSync(fifo, { read: true, write: true });
  const through = ["sh", "-c", `exec "$@" 2>'${fifo}'`, "sh"];
  await using run = await waiting(await listening(), { through }, `${DEAF}echo up\n`);
  using filler = Deno.openSync(fifo, { read: true, write: true });
  const full = filler.write(new Uint8Array(1 << 20)).catch(() => {}); // more than there is room for
  await pause(500);
  run.signal("SIGTERM");
  await pause(500);
  run.signal("SIGTERM");
  assertEquals(await run.end(8), 143);
  const drained = Deno.openSync(fifo, { read: true, write: true });
  const drain = (async () => {
    const buffer = new Uint8Array(1 << 16);
    for (let all = 0; all < 1 << 20;) all += (await drained.read(buffer)) ?? 0;
  })();
  await within("the filler", Promise.all([full, drain]));
  drained.close();
});

Deno.test("ending: a guest that is asked while it still starts powers off when it can", async () => {
  await using run = new Vzrun([...guest(WAITING), "-verbose"]);
  await run.err.until("the machine is running");
  const start = Date.now();
  run.signal("SIGTERM");
  assertEquals(await run.end(15), 143);
  assertMatch(run.err.text, /vzrun: the guest has powered off\n$/);
  assertLess(Date.now() - start, 9_900);
});

Deno.test("ending: the second SIGTERM ends vzrun also when QEMU hangs at its start", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("qemu"), "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
  const env = { VIRTUALIZATION_QEMU: folder.file("qemu") };
  await using run = new Vzrun([...guest(WAITING), "-verbose"], { env });
  await run.err.until("the machine is starting");
  run.signal("SIGTERM");
  await run.err.until("asked");
  run.signal("SIGTERM");
  assertEquals(await run.end(5), 143);
});

Deno.test("ending: -pidfile has the process id as long as vzrun runs, and one vzrun at a time", async () => {
  using folder = new Folder();
  const how = { cwd: folder.path };
  await using run = await waiting([...await telling(), "-pidfile", "pid"], how);
  assertEquals(contents(folder.file("pid")), `${run.pid}\n`);
  await using other = new Vzrun([...guest("true"), "-pidfile", "pid"], how);
  assertEquals(await other.end(10), 2);
  assertEquals(other.err.text, "vzrun: cannot write 'pid': it has the process id of another vzrun\n");
  run.signal("SIGTERM");
  assertEquals(await run.end(15), 143);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("ending: SIGUSR1, which opens Deno's debugger to all users, does nothing", async () => {
  await using run = new Vzrun([...await telling(), "-verbose"]);
  await run.err.until("the machine is running");
  const sockets = () => {
    const own = [...Deno.readDirSync(`/proc/${run.pid}/fd`)].map(({ name }) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(Deno.readLinkSync(`/proc/${run.pid}/fd/${name}`))?.[1];
      } catch {
        return undefined; // closed meanwhile
      }
    });
    const listening = Deno.readTextFileSync("/proc/net/tcp").split("\n").map((line) =>
      line.trim().split(/\s+/)
    )
      .filter((fields) => fields[3] === "0A").map((fields) => fields[9]);
    return listening.filter((inode) => own.includes(inode));
  };
  // For longer than Deno takes to listen to it.
  for (const end = Date.now() + 2000; Date.now() < end; await pause(20)) run.signal("SIGUSR1");
  assertEquals(sockets(), []);
  run.signal("SIGTERM");
  assertEquals(await run.end(), 143);
});

meanwhile("ending: a guest that does not listen is forced after 10 s", async () => {
  await using run = await waiting(await listening(), {}, `${DEAF}echo up\n`);
  const { qemu } = run;
  const start = Date.now();
  run.signal("SIGTERM");
  assertEquals(await run.end(15), 143);
  assertGreater(Date.now() - start, 9_900);
  assertEquals(
    run.err.text,
    "vzrun: SIGTERM: asked the guest to power off\nvzrun: it did not power off in 10 s: ended the machine\n",
  );
  assertEquals(stateOf(qemu), undefined);
});
