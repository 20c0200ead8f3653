import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { contents, eventually, Folder, guest, Output, pause, stateOf, Vzrun, vzrun } from "./vzrun.ts";

/** Answers each line on a console with `got …`, until one says end. */
function answering(console: string): string {
  const loop = "echo ready; while read line; do echo got $line; [ $line != end ] || break; done";
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
  const args = [...guest("(while echo tick >/dev/hvc2; do :; done) & " + answering("hvc1"))];
  args.push("-serial", "stdio", "-serial", "pty", "-serial", "pty"); // of the third nobody reads anything
  await using run = new Vzrun(args);
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
  const args = [...guest(`echo up >/dev/hvc1; ${answering("hvc0")}`)];
  await using run = new Vzrun([...args, "-serial", `unix:${socket}`, "-serial", "stdio"]);
  await run.out.until("up\r\n");
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
  const args = guest("(while echo tick >/dev/hvc1; do :; done) & sleep 2; echo up; sleep 1000");
  await using run = new Vzrun([...args, "-serial", "stdio", "-serial", "unix:socket"], { cwd: folder.path });
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
  const sum = "sha256sum </tmp/noise >/dev/hvc1; read end";
  const args = [...guest(`${noise}; ${sum}`), "-serial", `unix:${socket}`, "-serial", "stdio"];
  await using run = new Vzrun(args);
  await socketAt(socket);
  await run.out.until("ready\r\n");
  await using client = await Client.connect(socket);
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
  const args = [...guest("stty -echo; echo ready >/dev/hvc1; read go; head -c 600000 /dev/zero; echo end")];
  await using run = new Vzrun([...args, "-serial", `unix:${socket}`, "-serial", "stdio"]);
  await run.out.until("ready\r\n");
  await using client = await Client.connect(socket, () => pause(300));
  await client.type("go\n");
  assertEquals(await run.end(), 0);
  await client.screen.ended;
  const { text } = client.screen;
  assertEquals([text.length, text.slice(-6)], [600_000 + 5, "\0end\r\n"]);
});

Deno.test("serial: a client of a socket that reads no more does not keep a run that has ended", async () => {
  using folder = new Folder();
  const args = guest("echo ready >/dev/hvc1; read go; cat /dev/zero");
  await using run = new Vzrun([...args, "-serial", "unix:socket", "-serial", "stdio"], { cwd: folder.path });
  await run.out.until("ready\r\n");
  using client = await Deno.connect({ transport: "unix", path: folder.file("socket") });
  await client.write(new TextEncoder().encode("go\n"));
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
  const args = [...guest(answering("hvc0")), "-serial", `unix:${socket}`];
  await using run = new Vzrun(args);
  await socketAt(socket);
  await using first = await Client.connect(socket);
  await first.screen.until("ready\r\n");
  await first.type("one\n");
  await first.connection.closeWrite();
  await first.screen.until("got one\r\n");
  await using second = await Client.connect(socket);
  await first.screen.ended;
  await second.type("end\n");
  await second.connection.closeWrite();
  await second.screen.until("got end\r\n");
  assertEquals(await run.end(10), 0);
});
