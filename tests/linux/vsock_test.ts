// Sockets between a guest and the host, without a network.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { child, ended } from "../objc/child.ts";
import { Class, NSError, type NSObject } from "../../src/objc/mod.ts";
import { within } from "./guest.ts";
import { NativeProgram } from "./native.ts";
import { configuration, projectFile, until } from "./raw.ts";
import { qemus, SocketGuest, Stream } from "./vsock.ts";

const REFUSED = [["NSPOSIXErrorDomain", 54, "Connection reset by peer"]] as const;
const NOT_RUNNING = [["VZErrorDomain", 3, "The virtual machine is not running."]] as const;
const MB = 1_000_000;

/** One guest for the tests that leave it as it was. */
let booting: Promise<SocketGuest> | undefined;

function booted(): Promise<SocketGuest> {
  return booting ??= (async () => {
    const guest = await SocketGuest.make();
    await guest.boot();
    return guest;
  })();
}

Deno.test.afterAll(async () => {
  await (await booting)?.[Symbol.asyncDispose]();
});

/** Sends back what comes, until its end. */
async function echo(stream: Stream): Promise<void> {
  for (let bytes; (bytes = await stream.read()).length > 0;) await stream.write(bytes.slice());
  stream[Symbol.dispose]();
}

Deno.test("sockets: the guest reaches a port that the client listens at, and no other", async () => {
  const guest = await booted();
  const refused = "connect: Connection reset by peer";
  assertEquals(await guest.dial(5000, "send", MB), refused);
  {
    const { promise: got, resolve } = Promise.withResolvers<number>();
    using listener = await guest.listen(5000, async (stream) => {
      resolve(await stream.readStream(7));
      stream[Symbol.dispose]();
    });
    assertEquals(await guest.dial(5001, "send", MB), refused);
    assert((await guest.dial(5000, "send", 10 * MB)).startsWith("sent 0"));
    assertEquals(await within("the bytes", got), 10 * MB);
    const [[source, destination], ...others] = listener.ports;
    assertEquals([destination, others], [5000, []]);
    assert(source > 1023 && source < 2 ** 32 - 1, `${source}`);
  }
  {
    using no = await guest.listen(5000, null); // in place of the other
    assertEquals(await guest.dial(5000, "send", MB), refused);
    assertEquals(no.ports.length, 1);
    await guest.call("removeSocketListenerForPort:", 5000);
    assertEquals(await guest.dial(5000, "send", MB), refused);
    assertEquals(no.ports.length, 1);
  }
});

Deno.test("sockets: a listener without a delegate refuses", async () => {
  const guest = await booted();
  await guest.call("setSocketListener:forPort:", Class.named("VZVirtioSocketListener").create(), 5000);
  assertEquals(await guest.dial(5000, "send"), "connect: Connection reset by peer");
  await guest.call("removeSocketListenerForPort:", 5000);
});

Deno.test("sockets: the client reaches a port of the guest's, and is told when nobody listens", async () => {
  const guest = await booted();
  assertEquals((await guest.connect(9)).error as unknown, REFUSED);
  assertEquals((await guest.connect(0)).error as unknown, REFUSED);
  const { connection } = await guest.connect(1000);
  assert(connection);
  assertEquals(connection.send("destinationPort"), 1000);
  assert(Number(connection.send("sourcePort")) > 1023);
  const stream = new Stream(Number(connection.send("fileDescriptor")));
  connection.send("close");
  connection.send("close");
  assertEquals(connection.send("fileDescriptor"), -1);
  await stream.write("e00000000hello");
  assertEquals(new TextDecoder().decode(await within("the echo", stream.read())), "hello");
  stream[Symbol.dispose]();
});

Deno.test("sockets: each side ends its own way first, and gets the rest of the other's", async () => {
  const guest = await booted();
  {
    using stream = await guest.ask("c");
    assert(await stream.writeStream(7, 3 * MB));
    stream.shutdown("write");
    assertEquals(await within("the answer", stream.text()), `${3 * MB} 1\n`);
  }
  {
    using stream = await guest.ask("h");
    assertEquals(await within("the guest's end", stream.text()), "bye\n");
    assert(await stream.writeStream(7, 2 * MB));
  }
  await guest.shell.tell(`until grep -q 'half ${2 * MB} 1' /tmp/log; do usleep 20000; done`);
  {
    using stream = await guest.ask("s", 20 * MB);
    assertEquals(await within("the bytes", stream.readStream(7)), 20 * MB);
  }
});

Deno.test("sockets: the guest hears when the client goes, and that a client takes nothing more", async () => {
  const guest = await booted();
  {
    const stream = await guest.ask("s", 50 * MB);
    await stream.read();
    stream[Symbol.dispose]();
  }
  await guest.shell.tell("until grep -q 'write: Broken pipe' /tmp/log; do usleep 20000; done");
  using _ = await guest.listen(5002, (stream) => stream[Symbol.dispose]());
  assertEquals(await guest.dial(5002, "wait"), "waiting\nended 0");
});

/** Kibibytes that this process has in memory and not in files. */
function memory(): number {
  return Number(/RssAnon:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
}

Deno.test("sockets: who does not read stops the other side of its connection only, and no memory is used for it", async () => {
  const guest = await booted();
  const accepted: Stream[] = [];
  using _ = await guest.listen(5003, (stream) => {
    accepted.push(stream);
  });
  const before = memory();
  const sending = "(sockets dial 5003 send 50000000 >/tmp/sent &)";
  assertEquals(await guest.shell.tell(`${sending}; ${sending}; ${sending}`), "");
  await until("three connections", () => accepted.length === 3);
  using stalled = await guest.ask("n");
  let written = 0;
  const stalledWrite = stalled.writeStream(7, 20 * MB, (bytes) => written = bytes);
  for (let turn = 0; turn < 3; turn++) {
    using stream = await guest.ask("s", 5 * MB);
    assertEquals(await within("a connection beside them", stream.readStream(7)), 5 * MB);
  }
  assert(written < 2 * MB, `${written} bytes were taken that nobody reads`);
  assertEquals(await guest.shell.tell("cat /tmp/sent"), "");
  assert(memory() - before < 40_000, `${memory() - before} KiB more`);

  await guest.shell.tell("touch /tmp/go");
  assert(await within("the guest to read on", stalledWrite));
  stalled.shutdown("write");
  assertEquals(await within("what it got", stalled.text()), `${20 * MB} 1\n`);
  const got = await within("all bytes", Promise.all(accepted.map((stream) => stream.readStream(7))));
  assertEquals(got, [50 * MB, 50 * MB, 50 * MB]);
  for (const stream of accepted) stream[Symbol.dispose]();
});

Deno.test("sockets: 100 connections at once and 500 one after another get their own bytes", async () => {
  const guest = await booted();
  using listener = await guest.listen(5004, (stream) => void echo(stream));
  assertEquals(await guest.dial(5004, "many", 100), "100 of 100");
  assertEquals(await guest.dial(5004, "turns", 500), "500 of 500");
  assertEquals(listener.ports.length, 600);
  assertEquals(new Set(listener.ports.map(([source]) => source)).size, 600);
});

/** The threads of socket devices in this process: how often each has gone to sleep. */
function threads(): Map<string, number> {
  const found = new Map<string, number>();
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const status = Deno.readTextFileSync(`/proc/self/task/${name}/status`);
    if (!/^Name:\tsockets$/m.test(status)) continue;
    found.set(name, Number(/voluntary_ctxt_switches:\s+(\d+)/.exec(status)![1]));
  }
  return found;
}

Deno.test("sockets: a device that nobody uses costs no processor time, with connections open too", async () => {
  const guest = await booted();
  using stream = await guest.ask("e");
  await stream.write("hello");
  await stream.read();
  await guest.shell.tell("sleep 1"); // credit may still go to and fro
  const before = threads();
  assertEquals(before.size, 1);
  await guest.shell.tell("sleep 2");
  assertEquals(threads(), before);
});

Deno.test("sockets: a pause does not break connections", async () => {
  const guest = await booted();
  const { machine } = guest.shell;
  using stream = await guest.ask("s", 30 * MB);
  const reading = stream.readStream(7);
  for (let turn = 0; turn < 3; turn++) {
    assertEquals(await machine.complete("pauseWithCompletionHandler:"), []);
    assertEquals((await guest.connect(1000)).error as unknown, NOT_RUNNING);
    assertEquals(await machine.complete("resumeWithCompletionHandler:"), []);
  }
  assertEquals(await within("the bytes", reading), 30 * MB);
});

Deno.test("sockets: a driver that is loaded anew, a reboot and QEMU's end reset connections; listeners stay", async () => {
  const others = { threads: threads().size, qemus: qemus() };
  await using guest = await SocketGuest.make();
  assertEquals((await guest.connect(1000)).error as unknown, NOT_RUNNING);
  using _ = await guest.listen(5005, (stream) => void echo(stream));
  await guest.boot();
  const connect = async () => {
    const stream = await guest.ask("e");
    await stream.write("hello");
    assertEquals((await within("the echo", stream.read())).length, 5);
    return stream;
  };
  {
    using stream = await connect();
    const reload = "rmmod vmw_vsock_virtio_transport && modprobe vmw_vsock_virtio_transport";
    assertEquals(await guest.shell.tell(`killall sockets; ${reload}`), "");
    assertEquals(await within("the end", stream.text()), "");
    await guest.serve();
  }
  {
    using stream = await connect();
    await guest.shell.guest.type("reboot -f\n");
    assertEquals(await within("the end", stream.text()), "");
    assertEquals((await guest.connect(1000)).error as unknown, REFUSED); // no driver yet
    await guest.shell.readyAgain(2);
    await guest.prepare();
    assertEquals(await guest.dial(5005, "many", 2), "2 of 2");
  }
  const streams = [await connect(), await connect(), await guest.ask("s", 10 * MB)];
  const [first, second, unread] = streams;
  const seen = first.text();
  const [qemu] = qemus().filter((pid) => !others.qemus.includes(pid));
  Deno.kill(qemu, "SIGKILL");
  assertEquals(await within("the end", seen), "");
  assertEquals(await within("the end", second.text()), "");
  assert(!await first.write("x"), "a write succeeds");
  await within("what was there", unread.readStream(7));
  await guest.shell.machine.ended();
  await until("the end of its thread", () => threads().size === others.threads);
  assertEquals((await guest.connect(1000)).error as unknown, NOT_RUNNING);
  for (const stream of streams) stream[Symbol.dispose]();
  await guest.shell.start();
  await guest.shell.readyAgain(3);
  await guest.prepare();
  assertEquals(await guest.dial(5005, "many", 2), "2 of 2");
});

Deno.test("sockets: a configuration has one device at most, and of the right kind", () => {
  const device = () => Class.named("VZVirtioSocketDeviceConfiguration").create();
  const refused: [NSObject[], string][] = [
    [[device(), device()], "There can be one socket device only."],
    [[Class.named("VZVirtioEntropyDeviceConfiguration").create()], "cannot be one of “socketDevices”"],
  ];
  for (const [devices, reason] of refused) {
    const made = configuration();
    made.send("setSocketDevices:", devices);
    const error = assertThrows(() => made.send("validateWithError:"), NSError, reason);
    assertEquals([error.domain, error.code], ["VZErrorDomain", 2]);
  }
});

Deno.test("sockets: a device touched off its queue ends the process", async () => {
  const selectors = [
    "setSocketListener:forPort:",
    "removeSocketListenerForPort:",
    "connectToPort:completionHandler:",
  ];
  for (const selector of ["socketDevices", ...selectors]) {
    const { code, signal } = await child("linux/programs/off_queue.ts", selector);
    assertEquals([code, signal], [134, "SIGABRT"], selector);
  }
});

/** A compiler that can look after memory, and how; where there is none, a crash is all that is seen. */
async function sanitizer(): Promise<[compiler: string, flags: string]> {
  for (const compiler of ["clang", "gcc"]) {
    const flags = "-fsanitize=address,undefined -fno-sanitize-recover=all";
    const script = `echo 'int main(void) { return 0; }' | ${compiler} ${flags} -xc - -o /dev/null`;
    if ((await ended(["sh", "-c", script])).code === 0) return [compiler, flags];
  }
  return ["clang", ""];
}

Deno.test("sockets: a hostile guest or QEMU does no harm", async () => {
  const [compiler, flags] = await sanitizer();
  const folder = projectFile("linux/virtualization");
  const parts = ["virtqueue", "vhost_user", "vsock_connection", "vsock_packets", "vsock_device"];
  const sources = parts.map((part) => `'${folder}/${part}.c'`).join(" ");
  const wrap = "-Wl,--wrap=mmap,--wrap=munmap";
  const all = `-O1 -g -D_GNU_SOURCE -I'${folder}' ${flags} ${sources} -lpthread ${wrap}`;
  using program = await NativeProgram.compile("vsock_fuzz.c", all, compiler);
  for (const seed of [1, Date.now() % 1_000_000]) {
    const what = `seed ${seed}`;
    const { code, stdout, stderr } = await within(what, ended([program.path, `${seed}`, "2000000"]));
    assertEquals([code, stderr], [0, ""], what);
    const handled = Number(/(\d+) chains handled/.exec(stdout)![1]);
    assert(handled > 10_000, `${what}: ${stdout}`);
  }
});
