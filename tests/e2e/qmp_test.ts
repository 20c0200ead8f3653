// -qmp: programs that control a machine.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { GuestShell } from "./guest_shell.ts";
import { QMPConnection } from "./qmp_client.ts";
import {
  contents,
  ENVIRONMENT,
  eventually,
  Folder,
  GUEST,
  guest,
  memoryOf,
  ROOT,
  stateOf,
  Vzrun,
  vzrun,
  within,
} from "./vzrun.ts";

const folder = new Folder();
const SOCKET = folder.file("qmp");
const DISK = folder.file("disk");
Deno.writeFileSync(DISK, new Uint8Array(2 ** 20));

let booting: Promise<GuestShell> | undefined;
/** The guest of these tests. */
const boot = () =>
  booting ??= GuestShell.boot(["-name", "controlled", "-hda", DISK, "-qmp", `unix:${SOCKET}`]);
Deno.test.afterAll(async () => {
  await (await booting)?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

/** Whether the guest goes on: its processor answers. */
async function answers(): Promise<void> {
  assertEquals(await (await boot()).tell("echo here"), { status: 0, out: "here\r\n" });
}

Deno.test("qmp: the socket is this user's only, and the greeting comes whole in one read", async () => {
  await boot();
  assertEquals(Deno.lstatSync(SOCKET).mode! & 0o777, 0o600);
  using connection = await Deno.connect({ transport: "unix", path: SOCKET });
  const buffer = new Uint8Array(4096);
  const greeting = new TextDecoder().decode(buffer.subarray(0, (await connection.read(buffer))!));
  assertMatch(greeting, /^\{"QMP": \{"version": \{"qemu": .*"capabilities": \[\]\}\}\r\n$/);
  assert(greeting.length < 1024);
});

Deno.test("qmp: several clients, at once and one after another, hear of what one does, behind its reply", async () => {
  await boot();
  using first = await QMPConnection.ready(SOCKET);
  using second = await QMPConnection.ready(SOCKET);
  using silent = await QMPConnection.open(SOCKET); // which has agreed on nothing
  await silent.message();
  assertEquals(await first.command("stop"), {});
  await first.event("STOP");
  await second.event("STOP");
  assert(first.text.endsWith('"event": "STOP"}\r\n'));
  assertEquals(await second.command("query-status"), { status: "paused", running: false });
  assertEquals(await second.command("cont"), {});
  await first.event("RESUME");
  await answers();
  for (let i = 0; i < 20; i++) {
    using another = await QMPConnection.ready(SOCKET);
    assertEquals(await another.command("query-status"), { status: "running", running: true });
  }
  assertEquals(silent.events, []);
});

Deno.test("qmp: the machine is told of as it is", async () => {
  await boot();
  using client = await QMPConnection.ready(SOCKET);
  assertEquals(await client.command("query-name"), { name: "controlled" });
  const [disk] = await client.command("query-block") as {
    device: string;
    inserted: Record<string, unknown>;
  }[];
  assertEquals([disk.device, disk.inserted.file, disk.inserted.ro], ["virtio0", DISK, false]);
  const cpus = await client.command("query-cpus-fast") as { target: string }[];
  assertEquals(cpus.map(({ target }) => target), [Deno.build.arch]);
  const hmp = (line: string) => client.command("human-monitor-command", { "command-line": line });
  assertEquals(await hmp("info status"), "VM status: running\r\n");
  assertEquals(await hmp("info name"), "controlled\r\n");
  assertMatch(String(await hmp("savevm x")), /^Error: .*migrate file:PATH\r\n$/);
  assertMatch(String(await hmp("loadvm x")), /^Error: .*-incoming file:PATH\r\n$/);
  assertEquals(await hmp("frobnicate"), "unknown command: 'frobnicate'\r\n");
  assertEquals(await hmp("quit now"), "quit: extraneous characters at the end of line\r\n");
  assertEquals(await hmp("stop"), "");
  assertMatch(String(await hmp("system_powerdown")), /^Error: the guest stands still/);
  assertEquals(await hmp("info status"), "VM status: paused\r\n");
  assertEquals(await hmp("c"), "");
  const refused = await client.tell('{"execute": "system_reset"}');
  assertEquals(refused.error?.class, "GenericError");
  assertMatch(refused.error!.desc, /cannot reset/);
});

Deno.test("qmp: 100 times stopped and let go on, by two at once, the guest goes on", async () => {
  await boot();
  using one = await QMPConnection.ready(SOCKET);
  using other = await QMPConnection.ready(SOCKET);
  for (let i = 0; i < 100; i++) await Promise.all([one.command("stop"), other.command("cont")]);
  await one.command("cont");
  assertEquals(await one.command("query-status"), { status: "running", running: true });
  await answers();
});

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed;;) {
    state = Math.imul(state, 1664525) + 1013904223 >>> 0;
    yield state / 2 ** 32;
  }
}

Deno.test("qmp: of 100,000 damaged lines each is answered or left out, and the machine runs on", async () => {
  const { run } = await boot();
  using client = await QMPConnection.open(SOCKET);
  const random = numbers(16);
  const below = (most: number) => Math.floor(random.next().value! * most);
  const good = [
    '{"execute": "query-status", "id": "a"}',
    '{"execute": "human-monitor-command", "arguments": {"command-line": "info name"}}',
    '{"execute": "migrate-set-capabilities", "arguments": {"capabilities": []}}',
    "{'execute': 'query-name', 'id': {'x': [1, 2, 3.5e3, null, true]}}",
  ].map((line) => [...new TextEncoder().encode(line)]);
  const damaged = () => {
    const line = good[below(good.length)].slice();
    for (let i = below(4); i >= 0; i--) {
      const at = below(line.length);
      const how = below(3);
      if (how === 0) line[at] = below(256);
      else if (how === 1) line.splice(at, below(8));
      else line.splice(at, 0, ...good[below(good.length)].slice(below(10), 10 + below(20)));
    }
    return [...line, 10];
  };
  let sent = 0;
  const sending = (async () => {
    for (let i = 0; i < 1000; i++) {
      const bytes = Uint8Array.from(Array.from({ length: 100 }, damaged).flat());
      for (let at = 0; at < bytes.length;) at += await client.connection.write(bytes.subarray(at));
      sent += 100;
    }
  })();
  await within("100,000 lines to be taken", sending, 120);
  assertEquals(sent, 100_000);
  // Brackets that are open swallow what follows: these close them, and a line's end ends strings.
  const end = "]}".repeat(2000);
  await client.send(`\n${end}\n{"execute": "query-status", "id": "the last"}\n`);
  await eventually("the last reply", () => client.text.includes('"id": "the last"'));
  assert(stateOf(run.pid) !== undefined);
  await answers();
});

Deno.test("qmp: a command that never ends, and brackets without end, are refused before they fill memory", async () => {
  const { run } = await boot();
  const before = memoryOf(run.pid);
  for (const endless of ['{"execute": "', "[", '{"a":']) {
    using client = await QMPConnection.open(SOCKET);
    for (let i = 0; i < 64; i++) {
      await client.send((endless.length > 8 ? "x" : endless).repeat(2 ** 20 / endless.length | 0));
      if (i === 0) await client.send(endless);
    }
    await client.send(`\n{"execute": "query-status", "id": "still"}\n`);
    await eventually("an answer", () => client.text.includes('"id": "still"'));
  }
  const grown = memoryOf(run.pid) - before;
  assert(grown < 150, `it has ${grown} MiB more`);
  await answers();
});

Deno.test("qmp: a client that never reads is read no more, one that dies in the middle of a command is forgotten", async () => {
  const { run } = await boot();
  const before = memoryOf(run.pid);
  using deaf = await Deno.connect({ transport: "unix", path: SOCKET });
  const ask = new TextEncoder().encode(
    '{"execute": "qmp_capabilities"}{"execute": "query-commands"}\n'.repeat(100),
  );
  let given = 0;
  const flood = (async () => {
    while (given < 50 * 2 ** 20) given += await deaf.write(ask);
  })().catch(() => {});
  using client = await QMPConnection.ready(SOCKET);
  for (let i = 0; i < 200; i++) await client.command("query-status");
  assert(given < 8 * 2 ** 20, `${given} bytes of commands were taken of one who reads no answer`);
  for (let i = 0; i < 200; i++) {
    using dying = await Deno.connect({ transport: "unix", path: SOCKET });
    await dying.write(new TextEncoder().encode('{"execute": "qmp_capabilities"}{"execute": "st'));
  }
  assert(memoryOf(run.pid) < before + 64);
  assertEquals(await client.command("query-status"), { status: "running", running: true });
  deaf.close();
  await flood;
  await answers();
});

Deno.test("qmp: socat, a client of no one's, gets answers to lines", async () => {
  await boot();
  const socat = new Deno.Command("socat", {
    args: ["-t5", "-", `UNIX-CONNECT:${SOCKET}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = socat.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode('{"execute":"qmp_capabilities"}\n{"execute":"query-status"}\n'),
  );
  await writer.close();
  const { stdout } = await within("socat", socat.output());
  const [greeting, ...replies] = new TextDecoder().decode(stdout).split("\r\n");
  assertMatch(greeting, /^\{"QMP"/);
  assertEquals(replies, ['{"return": {}}', '{"return": {"status": "running", "running": true}}', ""]);
});

Deno.test("qmp: README's lines are typed into a shell, and do what is said beside them", async () => {
  using own = new Folder();
  const readme = Deno.readTextFileSync(`${ROOT}/README.md`);
  const [, lines] = /## Under a program's control[^]*?```sh\n([^]*?)```/.exec(readme)!;
  for (const file of ["vmlinuz", "initrd"]) Deno.symlinkSync(`${GUEST}/${file}`, own.file(file));
  Deno.renameSync(own.file("initrd"), own.file("initrd.gz"));
  const program = [Deno.execPath(), "run", "-q", "-P", "--config", `${ROOT}/deno.json`, `${ROOT}/main.ts`];
  const vzrun = `vzrun() { ${
    program.join(" ")
  } "$@" -m 1100 -pidfile pid -append 'console=hvc0 powerbutton=ignore'; }`;
  const shell = new Deno.Command("sh", {
    args: ["-ec", `${vzrun}\n${lines}\nqmp '{"execute": "quit"}'`],
    ...ENVIRONMENT,
    cwd: own.path,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await within("README's lines", shell.output());
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  const out = new TextDecoder().decode(stdout).replace(
    /^\{"(QMP|timestamp)".*\r\n|^\{"return": \{\}\}\r\n/gm,
    "",
  );
  assertEquals(out, '{"return": {"status": "running", "running": true}}\r\n');
  await eventually("the end", () => contents(own.file("pid")) === "");
});

Deno.test("qmp: Debian's go-qemu drives a machine to its end", async () => {
  using own = new Folder();
  const build = await new Deno.Command("go", {
    args: ["build", "-o", own.file("client"), `${ROOT}/tests/e2e/clients/go_qemu.go`],
    env: { GO111MODULE: "off", GOPATH: "/usr/share/gocode", GOCACHE: own.file("cache") },
  }).output();
  assertEquals([build.code, new TextDecoder().decode(build.stderr)], [0, ""]);
  const socket = own.file("qmp");
  const machine = [...guest("echo up; read -r forever"), "-hda", DISK, "-snapshot", "-qmp", `unix:${socket}`];
  await using run = new Vzrun(machine);
  await run.out.until("up"); // before that nobody hears of the power button
  const client = new Deno.Command(own.file("client"), { args: [socket], stdout: "piped", stderr: "piped" });
  const { code, stdout, stderr } = await within("the client", client.output());
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
  assertEquals(new TextDecoder().decode(stdout).split("\n"), [
    "version 7.2.0",
    "disk virtio0 false",
    "status StatusRunning",
    "event STOP",
    "status StatusPaused",
    "event RESUME",
    "status StatusRunning",
    "event POWERDOWN",
    "event SHUTDOWN",
    "",
  ]);
  assertEquals(await run.end(), 0);
  assertEquals([...Deno.readDirSync(own.path)].map(({ name }) => name).sort(), ["cache", "client"]);
});

Deno.test("qmp: with -S the guest starts at cont, and quit ends it with exit 0", async () => {
  using own = new Folder();
  const socket = own.file("qmp");
  const words = [
    "-S",
    "-chardev",
    `socket,id=m,path=${socket},server=on`,
    "-mon",
    "chardev=m,mode=control",
  ];
  await using run = new Vzrun([...guest("echo begun; read -r forever"), ...words]);
  await run.err.until(`QMP waits for a client at ${socket}`);
  using client = await QMPConnection.ready(socket);
  assertEquals(await client.command("query-status"), { status: "prelaunch", running: false });
  const early = await client.tell('{"execute": "system_powerdown"}');
  assertMatch(early.error!.desc, /not been started: cont/);
  assertEquals(run.family, []);
  assertEquals(await client.command("cont"), {});
  await client.event("RESUME");
  await run.out.until("begun");
  assertEquals(await client.command("quit"), {});
  const { data } = await client.event("SHUTDOWN");
  assertEquals(data, { guest: false, reason: "host-qmp-quit" });
  await client.end();
  assertEquals(await run.end(), 0);
  assertEquals([...Deno.readDirSync(own.path)], []);
});

Deno.test("qmp: -S ends at quit and at a signal before there is a guest", async () => {
  using own = new Folder();
  const socket = own.file("qmp");
  for (const [ask, wanted] of [["quit", 0], ["SIGTERM", 143]] as const) {
    await using run = new Vzrun([...guest("echo begun"), "-S", "-qmp", `unix:${socket}`]);
    using client = await QMPConnection.ready(socket);
    if (ask === "quit") await client.command(ask);
    else run.signal(ask);
    assertEquals([await run.end(), run.out.text], [wanted, ""]);
  }
  assertEquals([...Deno.readDirSync(own.path)], []);
});

Deno.test("qmp: a daemon that waits for cont gives the prompt back, and is controlled from then on", async () => {
  using own = new Folder();
  const [socket, console, pid] = ["qmp", "console", "pid"].map((name) => own.file(name));
  const machine = [...guest("echo begun; read -r forever").filter((word) => word !== "-nographic")];
  const words = ["-serial", `file:${console}`, "-daemonize", "-S", "-pidfile", pid, "-qmp", `unix:${socket}`];
  assertEquals(await vzrun([...machine, ...words]), { code: 0, out: "", err: "" });
  const daemon = Number(contents(pid));
  using client = await QMPConnection.ready(socket);
  assertEquals(await client.command("query-status"), { status: "prelaunch", running: false });
  await client.command("cont");
  await eventually("the guest", () => contents(console).includes("begun"));
  await client.command("quit");
  await client.end();
  await eventually("the daemon's end", () => stateOf(daemon) === undefined);
  assertEquals(Array.from(Deno.readDirSync(own.path), ({ name }) => name), ["console"]);
});

Deno.test("qmp: a disk cannot come without a USB controller, and that says how it can", async () => {
  await boot();
  using client = await QMPConnection.ready(SOCKET);
  const image = folder.file("stick");
  Deno.writeFileSync(image, new Uint8Array(2 ** 20));
  await client.command("blockdev-add", {
    driver: "raw",
    "node-name": "n",
    file: { driver: "file", filename: image },
  });
  const device = { driver: "usb-storage", drive: "n", id: "s" };
  const refused = await client.tell(JSON.stringify({ execute: "device_add", arguments: device }));
  assertMatch(refused.error!.desc, /no USB controller.*-device qemu-xhci/);
  await client.command("blockdev-del", { "node-name": "n" });
});

Deno.test("qmp: a machine that migrate has saved goes on with -incoming where it was, twice with -snapshot", async () => {
  using own = new Folder();
  const [disk, state] = ["disk", "state"].map((name) => own.file(name));
  Deno.writeFileSync(disk, new Uint8Array(2 ** 20));
  const machine = [...guest(`i=0; while :; do i=$((i + 1)); echo count $i; sleep 0.2; done`), "-hda", disk];
  const socket = own.file("qmp");
  let last: number;
  {
    await using run = new Vzrun([...machine, "-qmp", `unix:${socket}`]);
    await run.out.until("count 5\r\n");
    using client = await QMPConnection.ready(socket);
    const events = [{ capability: "events", state: true }];
    await client.command("migrate-set-capabilities", { capabilities: events });
    await client.command("migrate", { uri: `file:${own.file("no/folder")}` });
    while ((await client.event("MIGRATION")).data?.status !== "failed");
    const failed = await client.command("query-migrate") as Record<string, unknown>;
    assertMatch(String(failed["error-desc"]), /folder is not there/);
    assertEquals(await client.command("query-status"), { status: "running", running: true });
    await client.command("migrate", { uri: `file:${state}` });
    while ((await client.event("MIGRATION")).data?.status !== "completed");
    assertEquals(await client.command("query-status"), { status: "postmigrate", running: false });
    await client.command("quit");
    assertEquals(await run.end(), 0);
    last = Number(/count (\d+)\r\n$/.exec(run.out.text)![1]);
  }
  const runs = [1, 2].map(() => new Vzrun([...machine, "-snapshot", "-incoming", `file:${state}`]));
  try {
    for (const run of runs) {
      await run.out.until(`count ${last + 3}\r\n`);
      const [, first] = /count (\d+)\r\n/.exec(run.out.text)!;
      assertEquals(Number(first), last + 1);
      assertEquals(run.err.text, "");
    }
  } finally {
    for (const run of runs) await run[Symbol.asyncDispose]();
  }
});

Deno.test("qmp: a machine that was saved is ended at a signal as it is, saved again into its folder, and quits after a saving", async () => {
  using own = new Folder();
  const [disk, state, log, pid] = ["disk", "state", "log", "pid"].map((name) => own.file(name));
  Deno.writeFileSync(disk, new Uint8Array(2 ** 20));
  const write =
    "i=0; while :; do i=$((i + 1)); echo count $i; echo $i | dd of=/dev/vda conv=notrunc 2>/dev/null; done";
  const socket = own.file("qmp");
  const words = ["-daemonize", "-serial", `file:${log}`, "-pidfile", pid, "-qmp", `unix:${socket}`];
  const machine = [...guest(write).filter((word) => word !== "-nographic"), "-hda", disk, ...words];
  assertEquals(await vzrun(machine), { code: 0, out: "", err: "" });
  await eventually("the guest", () => contents(log).includes("count 3\r\n"));
  const ended = async (number: number) => await eventually("the end", () => stateOf(number) === undefined);
  const save = { uri: `file:${state}` };
  {
    using client = await QMPConnection.ready(socket);
    const events = [{ capability: "events", state: true }];
    await client.command("migrate-set-capabilities", { capabilities: events });
    await client.command("migrate", save);
    while ((await client.event("MIGRATION")).data?.status !== "completed");
    const first = Number(contents(pid));
    Deno.kill(first, "SIGTERM");
    assertEquals((await client.event("SHUTDOWN")).data?.guest, false);
    await ended(first);
    assert(!client.events.some(({ event }) => event === "RESUME"));
  }
  const before = contents(log);
  const again = ["-incoming", `file:${state}`, "-daemonize", "-pidfile", pid, "-qmp", `unix:${socket}`];
  assertEquals(await vzrun(again), { code: 0, out: "", err: "" });
  await eventually("the guest to go on", () => contents(log).length > before.length + 20);
  assert(contents(log).startsWith(before), "what the console's file had is gone");
  const second = Number(contents(pid));
  using client = await QMPConnection.ready(socket);
  // In one piece: quit waits for the saving.
  await client.send(`{"execute": "migrate", "arguments": ${JSON.stringify(save)}}{"execute": "quit"}`);
  await client.event("SHUTDOWN");
  await ended(second);
  assertEquals((await vzrun(["-incoming", `file:${state}`, "-dry-run", "-quiet"])).code, 0);
});

Deno.test("qmp: on stdio with the console elsewhere, and to a socket where somebody listens", async () => {
  using own = new Folder();
  const path = own.file("listener");
  using listener = Deno.listen({ transport: "unix", path });
  const machine = [...guest("read -r forever"), "-serial", `file:${own.file("console")}`];
  await using run = new Vzrun([...machine, "-qmp", "stdio", "-qmp", `unix:${path},server=off`], {
    typing: true,
  });
  using connection = await within("the machine", listener.accept());
  const buffer = new Uint8Array(4096);
  assertMatch(new TextDecoder().decode(buffer.subarray(0, (await connection.read(buffer))!)), /^\{"QMP"/);
  await run.out.until(/"QMP".*\r\n/);
  await run.type('{"execute": "qmp_capabilities"}\n{"execute": "query-status"}\n');
  await run.out.until(/"return": \{"status": "running"|"return": \{"status": "prelaunch"/);
  await run.type('{"execute": "quit"}\n');
  assertEquals(await run.end(), 0);
  assertMatch(run.out.text, /\{"return": \{\}\}\r\n/);
});

Deno.test("qmp: a socket that cannot be, and places that are no places, are told in a line, with nothing started", async () => {
  using own = new Folder();
  const file = own.file("file");
  Deno.writeTextFileSync(file, "mine");
  using _listener = Deno.listen({ transport: "unix", path: own.file("taken") });
  const cases: [args: string[], says: RegExp][] = [
    [["-qmp", `unix:${file}`], /^vzrun: cannot listen at '.*file': it is there and no socket\n$/],
    [["-qmp", `unix:${own.file("taken")}`], /^vzrun: cannot listen at '.*taken': somebody listens there\n$/],
    [["-qmp", `unix:${own.file("no/folder")}`], /^vzrun: cannot .*no\/folder': no folder '.*no\/'\n$/],
    [["-qmp", `unix:${own.file("nobody")},server=off`], /^vzrun: cannot connect to .*nobody: .*\n$/],
    [["-qmp", `unix:${own.file("s")}`, "-qmp", `unix:${own.file("s")}`], /is given twice/],
    [["-qmp", "stdio"], /^vzrun: -qmp stdio: the console has stdio; -serial none.*\n$/],
    [["-qmp", "stdio", "-qmp", "stdio", "-serial", "none"], /^vzrun: -qmp stdio is given twice: .*\n$/],
    [["-qmp", "tcp:localhost:1"], /server=on is missing/],
    [["-qmp", "pty"], /expected unix:PATH, tcp:HOST:PORT,server=on or stdio/],
    [["-S"], /^vzrun: -S needs -qmp: .*\n$/],
  ];
  for (const [args, says] of cases) {
    const { code, out, err } = await vzrun([...guest("echo begun"), ...args]);
    assertEquals([code, out], [2, ""], args.join(" "));
    assertMatch(err, says);
  }
  assertEquals(Deno.readTextFileSync(file), "mine");
  assertEquals([...Deno.readDirSync(own.path)].map(({ name }) => name).sort(), ["file", "taken"]);
});
