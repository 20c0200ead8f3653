import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { DEAF, listening } from "./booted.ts";
import {
  contents,
  eventually,
  Folder,
  guest,
  GUEST_FILES,
  Output,
  pause,
  SOONER,
  stateOf,
  Vzrun,
  vzrun,
  within,
} from "./vzrun.ts";

/** Answers each line on a console with `got …`, until one says end. */
function answering(console: string): string {
  const loop = "echo ready; while read line; do echo got $line; case $line in end) break ;; esac; done";
  return `(stty -echo; ${loop}) </dev/${console} >/dev/${console}`;
}

/** What a user has who has opened the device of a pseudo-terminal; gone at the end of the block. */
class Reader implements AsyncDisposable {
  readonly screen: Output;
  readonly #path: string;
  readonly #cat: Deno.ChildProcess;

  constructor(path: string) {
    this.#path = path;
    this.#cat = new Deno.Command("cat", { args: [path], stdin: "null", stdout: "piped" }).spawn();
    this.screen = new Output(this.#cat.stdout);
  }

  type(text: string): void {
    Deno.writeTextFileSync(this.#path, text, { create: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#cat.kill();
    } catch {
      // It has ended with the machine.
    }
    await this.#cat.status;
    await this.screen.ended;
  }
}

/** The device that vzrun says a console is at. */
async function deviceOf(run: Vzrun, console = "hvc0"): Promise<string> {
  const said = new RegExp(`^vzrun: ${console} is at (/dev/pts/\\d+)\n`, "m");
  await run.err.until(said);
  return said.exec(run.err.text)![1];
}

Deno.test("serial: a pty is attached, left and attached again while the guest runs", async () => {
  const args = ["-serial", "stdio", "-serial", "pty", "-serial", "pty"]; // of the third nobody reads anything
  await using run = new Vzrun([...await listening(3), ...args], { typing: true });
  await run.type(`(while echo tick >/dev/hvc2; do :; done) & ${answering("hvc1")}; poweroff -f\n`);
  const path = await deviceOf(run, "hvc1");
  assert(path !== await deviceOf(run, "hvc2"));
  for (const word of ["one", "two"]) {
    await using reader = new Reader(path);
    await eventually("the guest's answer", () => {
      reader.type(`${word}\n`); // the first may come before the guest has its console
      return reader.screen.text.includes(`got ${word}\r\n`);
    });
  }
  {
    await using reader = new Reader(path);
    reader.type("end\n");
    await reader.screen.until("got end\r\n");
  }
  assertEquals(await run.end(10), 0);
  assertEquals(run.out.text, "");
  assertThrows(() => Deno.statSync(path), Deno.errors.NotFound);
});

// MAC.md, row 1.
Deno.test("serial: a guest whose consoles are ptys that nobody opens boots, writes, and powers off", async () => {
  const loud = [
    ...GUEST_FILES,
    "-append",
    `console=hvc0 ${SOONER} run="seq 30000 >/dev/hvc1"`,
    "-m",
    "256",
    "-nographic",
  ];
  await using run = new Vzrun([...loud, "-serial", "pty", "-serial", "pty"]);
  assertEquals(await run.end(60), 0);
});

// MAC.md, row 1.
Deno.test("serial: a reader of a pty who stops for 5 s stops nothing else, and gets whole what was not dropped", async () => {
  const commands = "(i=0; while :; do i=$((i+1)); echo line $i of the log; done >/dev/hvc1) & " +
    "while read word; do echo got $word; done";
  const args = [...await listening(2), "-serial", "stdio", "-serial", "pty"];
  await using run = new Vzrun(args, { typing: true });
  await run.type(`${commands}\n`);
  const path = await deviceOf(run, "hvc1");
  using device = Deno.openSync(path, { read: true });
  const buffer = new Uint8Array(65536);
  let text = "";
  const read = () => text += new TextDecoder().decode(buffer.subarray(0, device.readSync(buffer)!));
  while (text.length < 10_000) read();
  for (const end = Date.now() + 5000; Date.now() < end; await pause(500)) {
    const before = run.out.text;
    await run.type("on\n");
    await within(
      "the other console",
      run.out.until(new RegExp(`^${before.replaceAll("\r", "\\r")}got on\r\n$`)),
      5,
    );
  }
  for (const more = text.length + 20_000; text.length < more;) read();
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 143);
  // What was dropped is a hole, and each hole cuts two lines at the most.
  const numbers = text.split("\r\n").slice(1, -1).map((line) =>
    Number(/^line (\d+) of the log$/.exec(line)?.[1])
  );
  const cut = numbers.filter(Number.isNaN).length;
  assert(cut <= 4, `${cut} lines of ${numbers.length} are cut`);
  const whole = numbers.filter((number) => !Number.isNaN(number));
  assertEquals(whole, whole.toSorted((a, b) => a - b));
});

// MAC.md, row 2.
Deno.test("serial: a pty that its first reader has left cooked is raw for the second", async () => {
  const args = [...await listening(2), "-serial", "stdio", "-serial", "pty"];
  await using run = new Vzrun(args, { typing: true });
  await run.type(`${answering("hvc1")}\n`);
  const path = await deviceOf(run, "hvc1");
  const stty = async (...args: string[]) => {
    const { stdout } = await new Deno.Command("stty", { args: ["-F", path, ...args] }).output();
    return new TextDecoder().decode(stdout);
  };
  {
    await using reader = new Reader(path);
    await eventually("the guest's answer", () => {
      reader.type("one\n");
      return reader.screen.text.includes("got one\r\n");
    });
    await stty("sane");
    assertMatch(await stty("-a"), / icanon.* echo /s);
  }
  // That the first has left is noticed on another thread.
  for (const end = Date.now() + 5000; !/-icanon.*-echo /s.test(await stty("-a"));) {
    assert(Date.now() < end, "the pty is not raw again");
  }
  // One that has typed nothing is not noticed to leave: the next use finds the pty raw again.
  await stty("sane");
  {
    await using second = new Reader(path);
    await eventually("the guest's answer to the second", () => {
      second.type("two\n");
      return second.screen.text.includes("got two\r\n");
    });
    assertMatch(await stty("-a"), /-icanon.*-echo /s);
  }
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 143);
});

Deno.test("serial: a pty and a socket at which more is typed than the guest takes keep no run from its end", async () => {
  using folder = new Folder();
  const args = [...await listening(3), "-serial", "stdio", "-serial", "pty"];
  await using run = new Vzrun([...args, "-serial", `unix:${folder.file("s")}`], { typing: true });
  await run.type(`${DEAF}echo up; sleep 1000\n`);
  const path = await deviceOf(run, "hvc1");
  await run.out.until("up\r\n");
  const typist = new Deno.Command("head", { args: ["-c", "400000", "/dev/zero"], stdout: "piped" }).spawn();
  const device = Deno.openSync(path, { write: true });
  const typed = typist.stdout.pipeTo(device.writable).catch(() => {}); // it waits until the pty has gone
  using client = await Deno.connect({ transport: "unix", path: folder.file("s") });
  const sent = (async () => {
    for (let all = 0; all < 4_000_000;) all += await client.write(new Uint8Array(4096));
  })().catch(() => {});
  await pause(1000); // until there is no room any more, which nobody tells
  run.signal("SIGTERM");
  await run.err.until("asked");
  run.signal("SIGTERM");
  assertEquals(await run.end(10), 143);
  await within("the end of what was typed", Promise.all([typed, sent, typist.status]), 10);
});

Deno.test("serial: what another has put in the place of a run's socket is not the run's to remove", async () => {
  using folder = new Folder();
  const path = folder.file("s");
  const socket = ["-serial", "stdio", "-serial", `unix:${path}`];
  const machine = [...await listening(2), ...socket];
  const commands = "echo up; read x; poweroff -f\n";
  await using first = new Vzrun(machine, { typing: true });
  await first.type(commands);
  await first.out.until("up\r\n");
  Deno.removeSync(path);
  await using second = new Vzrun(machine, { typing: true });
  await second.type(commands);
  await second.out.until("up\r\n");
  await first.type("\n");
  assertEquals([await first.end(), first.err.text], [0, ""]);
  (await Deno.connect({ transport: "unix", path })).close();
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, "precious\n");
  await second.type("\n");
  assertEquals([await second.end(), second.err.text], [0, ""]);
  assertEquals(Deno.readTextFileSync(path), "precious\n");
});

Deno.test("serial: typing at a pty works under tmux, whose window may be closed and opened again", async () => {
  using folder = new Folder();
  const tmux = async (...args: string[]): Promise<string> => {
    const all = ["-S", folder.file("tmux"), "-f", "/dev/null", ...args];
    const { stdout, stderr } = await new Deno.Command("tmux", { args: all, env: { TERM: "xterm" } }).output();
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  await using run = new Vzrun([...guest(answering("hvc0")), "-t", "1"]);
  const path = await deviceOf(run);
  await tmux("start-server", ";", "set", "-g", "exit-empty", "off");
  try {
    for (const word of ["one", "two"]) {
      await tmux(
        "new-session",
        "-d",
        "-x",
        "80",
        "-y",
        "24",
        `stty raw -echo; cat ${path} & exec cat >${path}`,
      );
      for (let shown = "", end = Date.now() + 60_000; !shown.includes(`got ${word}\n`);) {
        assert(Date.now() < end, shown);
        await tmux("send-keys", "-l", `${word}\n`); // the first may come before the guest has its console
        await pause(200);
        shown = await tmux("capture-pane", "-p");
      }
      await tmux("kill-session");
    }
    await tmux("new-session", "-d", `stty raw -echo; exec cat >${path}`);
    await tmux("send-keys", "-l", "end\n"); // -l: End is a key
    assertEquals(await run.end(10), 0);
  } finally {
    await tmux("kill-server");
  }
});

Deno.test("serial: with pty,wait the guest starts when somebody has opened it, who misses nothing", async () => {
  await using run = new Vzrun([...guest("echo first; echo second"), "-serial", "pty,wait"]);
  const path = await deviceOf(run);
  assertEquals(run.family, []);
  await using reader = new Reader(path);
  assertEquals(await run.end(), 0);
  assertEquals(reader.screen.text, "first\r\nsecond\r\n");
});

Deno.test("serial: a signal ends a run that still waits for a reader", async () => {
  await using run = new Vzrun([...guest("echo up"), "-serial", "pty,wait"]);
  await deviceOf(run);
  run.signal("SIGTERM");
  assertEquals(await run.end(5), 143);
});

/** Waits until something listens there. */
function socketAt(path: string): Promise<void> {
  return eventually("the socket", () => {
    try {
      return (Deno.statSync(path).mode! & 0o777) === 0o600;
    } catch {
      return false;
    }
  });
}

/** A client of a console's socket. */
class Client implements AsyncDisposable {
  readonly screen: Output;

  private constructor(readonly connection: Deno.UnixConn, beforeRead?: () => Promise<void>) {
    this.screen = new Output(connection.readable, beforeRead);
  }

  /** @param beforeRead Makes the client a slow one. */
  static async connect(path: string, beforeRead?: () => Promise<void>): Promise<Client> {
    return new Client(await Deno.connect({ transport: "unix", path }), beforeRead);
  }

  /** Connects as soon as somebody listens there. */
  static async connectSoon(path: string): Promise<Client> {
    for (const end = Date.now() + 60_000;;) {
      try {
        return await Client.connect(path);
      } catch (error) {
        if (Date.now() > end) throw error;
        await pause(20);
      }
    }
  }

  async type(text: string): Promise<void> {
    await this.connection.write(new TextEncoder().encode(text));
  }

  /** Leaves. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.screen.goAway();
  }
}

Deno.test("serial: a console on a socket is talked to, left and talked to again", async () => {
  using folder = new Folder();
  const socket = folder.file("socket");
  await using killed = new Vzrun([...guest("sleep 1000"), "-serial", `unix:${socket}`]);
  await socketAt(socket);
  killed.signal("SIGKILL");
  await killed.end();
  assert(Deno.statSync(socket).isSocket, "what the killed run has left is not in the way");
  await using run = new Vzrun([...await listening(2), "-serial", `unix:${socket}`, "-serial", "stdio"]);
  {
    await using client = await Client.connectSoon(socket); // what is there first is the killed run's
    await client.type(`echo up >/dev/hvc1; ${answering("hvc0")}; poweroff -f\n`);
    await run.out.until("up\r\n");
  }
  assertEquals(Deno.statSync(socket).mode! & 0o777, 0o600);
  for (const word of ["one", "two"]) {
    await using client = await Client.connect(socket);
    await client.type(`${word}\n`);
    await client.screen.until(`got ${word}\r\n`);
  }
  const taken = await vzrun([...guest("echo up"), "-serial", `unix:${socket}`], {}, 10);
  assertEquals([taken.code, taken.out], [2, ""]);
  assertMatch(taken.err, /^vzrun: [^\n]*somebody listens there\n$/);
  await using client = await Client.connect(socket);
  await client.type("end\n");
  await client.screen.until("got end\r\n");
  assertEquals(await run.end(10), 0);
  assertThrows(() => Deno.lstatSync(socket), Deno.errors.NotFound);
});

Deno.test("serial: a socket is gone after a signal, and a guest that nobody hears goes on", async () => {
  using folder = new Folder();
  const args = [...await listening(2), "-serial", "stdio", "-serial", "unix:socket"];
  await using run = new Vzrun(args, { cwd: folder.path, typing: true });
  await run.type("(while echo tick >/dev/hvc1; do :; done) & sleep 2; echo up; sleep 1000\n");
  await run.out.until("up\r\n");
  const { qemu } = run;
  run.signal("SIGTERM");
  assertEquals(await run.end(10), 143);
  assertEquals([...Deno.readDirSync(folder.path)], []);
  assertEquals(stateOf(qemu), undefined);
});

Deno.test("serial: a megabyte passes a socket whole, whoever reads slowly", async () => {
  using folder = new Folder();
  const socket = folder.file("socket");
  const noise =
    "echo ready >/dev/hvc1; read go; stty raw -echo; head -c 1000000 /dev/urandom >/tmp/noise; cat /tmp/noise";
  const sum = "sha256sum </tmp/noise >/dev/hvc1; read end; poweroff -f";
  const args = [...await listening(2), "-serial", `unix:${socket}`, "-serial", "stdio"];
  await using run = new Vzrun(args);
  await socketAt(socket);
  await using client = await Client.connect(socket);
  await client.type(`${noise}; ${sum}\n`);
  await run.out.until("ready\r\n");
  await client.type("go\n");
  await run.out.until(/[0-9a-f]{64} {2}-\r\n/);
  await client.type("\n");
  assertEquals(await run.end(), 0);
  await client.screen.ended;
  const bytes = (await client.screen.bytes).slice(-1_000_000);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
  assertEquals(run.out.text, `ready\r\n${digest}  -\r\n`);
});

Deno.test("serial: a slow client of a socket gets the end of what the guest wrote before it powered off", async () => {
  using folder = new Folder();
  const socket = folder.file("socket");
  await using run = new Vzrun([...await listening(2), "-serial", `unix:${socket}`, "-serial", "stdio"]);
  await socketAt(socket);
  await using client = await Client.connect(socket, () => pause(300));
  await client.type("head -c 600000 /dev/zero; echo end; poweroff -f\n");
  assertEquals(await run.end(), 0);
  await client.screen.ended;
  const { text } = client.screen;
  assertEquals([text.length, text.slice(-6)], [600_000 + 5, "\0end\r\n"]);
});

Deno.test("serial: a client of a socket that reads no more does not keep a run that has ended", async () => {
  using folder = new Folder();
  const args = [...await listening(2), "-serial", "unix:socket", "-serial", "stdio"];
  await using run = new Vzrun(args, { cwd: folder.path });
  await socketAt(folder.file("socket"));
  using client = await Deno.connect({ transport: "unix", path: folder.file("socket") });
  await client.write(new TextEncoder().encode("echo ready >/dev/hvc1; cat /dev/zero\n"));
  await run.out.until("ready\r\n");
  const threads = `/proc/${run.qemu}/task`;
  const waits = ({ name }: Deno.DirEntry) => contents(`${threads}/${name}/wchan`).includes("pipe_write");
  await eventually("a guest that can write no more", () => [...Deno.readDirSync(threads)].some(waits));
  run.signal("SIGTERM");
  await run.err.until("asked the guest");
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 143);
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("serial: a client of a socket that has nothing more to say hears the answer, until the next one comes", async () => {
  using folder = new Folder();
  const socket = folder.file("socket");
  await using run = new Vzrun([...await listening(), "-serial", `unix:${socket}`]);
  await socketAt(socket);
  await using first = await Client.connect(socket);
  await first.type("echo got one\n");
  await first.connection.closeWrite();
  await first.screen.until("got one\r\n");
  await using second = await Client.connect(socket);
  await first.screen.ended;
  await second.type("echo got end; poweroff -f\n");
  await second.connection.closeWrite();
  await second.screen.until("got end\r\n");
  assertEquals(await run.end(10), 0);
});

// MAC.md, row 4.
Deno.test("serial: an eleventh console is refused, and ten are not", async () => {
  const consoles = (count: number) => Array.from({ length: count }, () => ["-serial", "null"]).flat();
  const ten = await vzrun(["-dry-run", ...guest("true"), ...consoles(10)]);
  assertEquals([ten.code, ten.err], [0, ""]);
  assertEquals(await vzrun(["-dry-run", ...guest("true"), ...consoles(11)]), {
    code: 2,
    out: "",
    err: "vzrun: -serial: 11 consoles: a machine has 10 at the most\n",
  });
});

Deno.test("serial: -quiet tells where a pty is, which is a result and no chatter", async () => {
  await using run = new Vzrun([...guest("true"), "-quiet", "-serial", "pty"]);
  assertEquals(await run.end(60), 0);
  assertMatch(run.err.text, /^vzrun: hvc0 is at \S+\n$/);
});

Deno.test("serial: a kernel whose console is none of the machine's is told, since nothing of it is seen", async () => {
  const append = "console=ttyS0 quiet";
  const { code, err } = await vzrun(["-dry-run", ...GUEST_FILES, "-append", append, "-m", "256"]);
  assertEquals(code, 0);
  assertEquals(err, "vzrun: no machine here has ttyS0, the kernel's console: console=hvc0 is seen\n");
});

Deno.test("serial: a file is appended to with append=on, also after it was cut while it is written", async () => {
  using folder = new Folder();
  const log = folder.file("log");
  Deno.writeTextFileSync(log, "before\n");
  const commands = "echo one >/dev/hvc1; read cut; echo two >/dev/hvc1";
  const args = [...await listening(2), "-serial", "stdio", "-serial", `file:${log},append=on`];
  await using run = new Vzrun(args, { typing: true });
  await run.type(`${commands}; poweroff -f\n`);
  await eventually("the first line", () => contents(log) === "before\none\r\n");
  Deno.truncateSync(log); // as copytruncate does
  await run.type("cut\n");
  assertEquals(await run.end(20), 0);
  assertEquals(contents(log), "two\r\n");
});

Deno.test("serial: a client of a socket that reads nothing does not stop the guest, nor the end", async () => {
  using folder = new Folder();
  const path = folder.file("socket");
  const commands =
    "(while echo a line of the log; do :; done) >/dev/hvc1 & while read word; do echo got $word; done";
  const args = [...await listening(2), "-serial", "stdio", "-serial", `unix:${path}`];
  await using run = new Vzrun(args, { typing: true });
  await run.type(`${commands}\n`);
  await eventually(
    "the socket",
    () => [...Deno.readDirSync(folder.path)].some(({ name }) => name === "socket"),
  );
  using client = await Deno.connect({ transport: "unix", path });
  await client.read(new Uint8Array(1000));
  for (let i = 1; i <= 5; i++) {
    await run.type("on\n");
    await within("the other console", run.out.until(new RegExp(`^(got on\\r\\n){${i}}$`)), 10);
  }
  run.signal("SIGTERM");
  assertEquals(await run.end(8), 143);
});
