import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatagramSocket, HEADER, MOST_FRAME } from "../../src/host/datagram_socket.ts";
import { descriptorOf } from "../../src/host/descriptors.ts";
import { FileError } from "../../src/host/error.ts";
import { openFunctions } from "../../src/objc/mod.ts";
import {
  boundAt,
  inFolder,
  openSockets,
  Peer,
  randomFrames,
  sendUntilStuck,
  within,
} from "../machine/frames.ts";

const libc = openFunctions("system", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  pipe: { parameters: ["buffer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
});

Deno.test("DatagramSocket: frames of all lengths arrive whole and in order, while another sends without a pause", async () => {
  const [one, other] = DatagramSocket.pair();
  const sent = [...randomFrames(20_000, 1), new Uint8Array(MOST_FRAME).fill(7), Uint8Array.of(1)];
  const peer = new Peer(other);
  for (const frame of sent) assertEquals(await one.send(frame), "sent");
  await peer.has(sent.length);
  peer.frames.forEach((frame, i) => assertEquals(frame, sent[i]));
  one[Symbol.dispose]();
  await peer.end();
});

Deno.test("DatagramSocket: a sender waits for a receiver that is slow, and what is under way is bounded", async () => {
  const [one, other] = DatagramSocket.pair();
  const frame = new Uint8Array(60_000);
  const { sent, sending } = await sendUntilStuck(one, frame);
  assert(sent > 0 && sent * frame.length < 16 * 1024 * 1024, `${sent} frames are under way`);
  const peer = new Peer(other);
  await peer.has(sent + 1);
  await within(sending);
  one[Symbol.dispose]();
  await peer.end();
});

Deno.test("DatagramSocket: who has gone is told of, and is no exception", async () => {
  const [one, other] = DatagramSocket.pair();
  other[Symbol.dispose]();
  assertEquals(await one.send(Uint8Array.of(1)), "gone");
  one[Symbol.dispose]();
  one[Symbol.dispose]();
  assertEquals(await one.send(Uint8Array.of(1)), "gone");
});

Deno.test("DatagramSocket: one that is disposed of ends what waits for it, and closes", async () => {
  const before = openSockets();
  const [one, other] = DatagramSocket.pair();
  const received = one.receive(() => {});
  const taking = Promise.withResolvers<void>();
  const slow = Promise.withResolvers<void>();
  const receivedSlowly = other.receive(() => {
    taking.resolve();
    return slow.promise;
  });
  assertEquals(await one.send(Uint8Array.of(1)), "sent");
  await within(taking.promise);
  one[Symbol.dispose]();
  await within(received);
  other[Symbol.dispose]();
  slow.resolve();
  await within(receivedSlowly);
  assertEquals(openSockets(), before);
});

Deno.test("DatagramSocket: a datagram that is longer than any frame is left out, and so is one without a byte", async () => {
  const [one, other] = DatagramSocket.pair();
  const peer = new Peer(other);
  for (const length of [1, MOST_FRAME + 1, 0, MOST_FRAME + 20_000, MOST_FRAME, 2]) {
    assertEquals(await one.send(new Uint8Array(length)), "sent");
  }
  await peer.has(3);
  assertEquals(peer.frames.map(({ length }) => length), [1, MOST_FRAME, 2]);
  assertEquals(await one.send(new Uint8Array(32 * 1024 * 1024)), "dropped");
  one[Symbol.dispose]();
  await peer.end();
});

Deno.test("DatagramSocket: several frames come at once, each with its length before it", async () => {
  const [one, other] = DatagramSocket.pair();
  for (const byte of [1, 2, 3]) await one.send(new Uint8Array(byte).fill(byte));
  const all = Promise.withResolvers<Uint8Array>();
  const received = other.receive((frames) => all.resolve(frames.slice()));
  assertEquals([...await within(all.promise)], [0, 0, 0, 1, 1, 0, 0, 0, 2, 2, 2, 0, 0, 0, 3, 3, 3, 3]);
  assertEquals(HEADER, 4);
  one[Symbol.dispose]();
  other[Symbol.dispose]();
  await within(received);
});

Deno.test("DatagramSocket: its buffers are as large as Apple wants them, or as the system lets them be", () => {
  const [one, other] = DatagramSocket.pair();
  const size = (option: number) => {
    const value = new Int32Array(1);
    const length = new Uint8Array(Int32Array.of(4).buffer);
    const level = Deno.build.os === "darwin" ? 0xffff : 1;
    libc.getsockopt(descriptorOf(one.handle), level, option, new Uint8Array(value.buffer), length);
    return value[0];
  };
  const [SO_SNDBUF, SO_RCVBUF] = Deno.build.os === "darwin" ? [0x1001, 0x1002] : [7, 8];
  const most = (name: string, wanted: number) =>
    Deno.build.os === "darwin"
      ? wanted
      : 2 * Math.min(wanted, Number(Deno.readTextFileSync(`/proc/sys/net/core/${name}_max`))); // Linux counts double
  assertEquals(size(SO_SNDBUF), most("wmem", 1024 * 1024));
  assertEquals(size(SO_RCVBUF), most("rmem", 4 * 1024 * 1024));
  one[Symbol.dispose]();
  other[Symbol.dispose]();
});

Deno.test("DatagramSocket: no program that is started has it", async () => {
  const [one, other] = DatagramSocket.pair();
  const number = descriptorOf(one.handle);
  const twin = DatagramSocket.ofDescriptor(number);
  const descriptors = [number, descriptorOf(other.handle), descriptorOf(twin.handle)];
  const test = descriptors.map((n) => `[ -e /dev/fd/${n} ] && echo ${n}`).join("; ");
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", `${test}; true`] }).output();
  assertEquals(new TextDecoder().decode(stdout), "");
  for (const socket of [one, other, twin]) socket[Symbol.dispose]();
});

Deno.test("DatagramSocket: one that was inherited is used, and anything else is refused in plain words", async () => {
  const before = openSockets();
  const refused = (number: number, problem: string) => {
    const error = assertThrows(() => DatagramSocket.ofDescriptor(number), FileError);
    assertEquals(error.message, `cannot use descriptor ${number}: ${problem}`);
  };
  refused(987, "it is not open");
  refused(-1, "it is not open");
  refused(1.5, "it is not open");
  const ends = new Int32Array(2);
  libc.pipe(new Uint8Array(ends.buffer));
  refused(ends[0], "it is no socket");
  const stream = libc.socket(1, 1, 0);
  refused(stream, "it is no datagram socket");
  const lonely = libc.socket(1, 2, 0);
  refused(lonely, "it is not connected");
  for (const descriptor of [...ends, stream, lonely]) libc.close(descriptor);

  const [one, other] = DatagramSocket.pair();
  const twin = DatagramSocket.ofDescriptor(descriptorOf(one.handle));
  one[Symbol.dispose]();
  const peer = new Peer(other);
  assertEquals(await twin.send(Uint8Array.of(5)), "sent");
  await peer.has(1);
  twin[Symbol.dispose]();
  await peer.end();
  assertEquals(openSockets(), before);
});

Deno.test("DatagramSocket.connect: two at paths, one comes back under another file, and no file stays", async () => {
  await inFolder(async (folder) => {
    const [a, b] = [`${folder}/a`, `${folder}/b`];
    using first = boundAt(b);
    const one = DatagramSocket.connect({ remote: b, local: a });
    assertEquals(Deno.statSync(a).mode! & 0o777, 0o600);
    assertEquals(await one.send(Uint8Array.of(1)), "sent");
    first[Symbol.dispose]();
    assertEquals(await one.send(Uint8Array.of(2)), "gone");
    assertEquals(await one.send(Uint8Array.of(3)), "gone");
    const lost = assertThrows(() => one.reconnect(), FileError);
    assertEquals(lost.message, `cannot connect to '${b}': nobody listens there`);

    // The next peer replaces the dead socket at its own path.
    const other = DatagramSocket.connect({ remote: a, local: b });
    one.reconnect();
    const peer = new Peer(other);
    assertEquals(await one.send(Uint8Array.of(4)), "sent");
    await peer.has(1);
    assertEquals(peer.frames, [Uint8Array.of(4)]);
    one[Symbol.dispose]();
    await peer.end();
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("DatagramSocket.connect: what cannot be is refused with the path, and leaves no file", async () => {
  await inFolder((folder) => {
    const before = openSockets();
    const [remote, local] = [`${folder}/remote`, `${folder}/local`];
    const refused = (paths: { remote: string; local: string }, message: string) => {
      const error = assertThrows(() => DatagramSocket.connect(paths), FileError);
      assertEquals(error.message, message);
    };
    refused({ remote, local }, `cannot connect to '${remote}': no such file`);
    Deno.writeTextFileSync(remote, "");
    refused({ remote, local }, `cannot connect to '${remote}': it is no socket`);
    Deno.removeSync(remote);
    using listener = Deno.listen({ transport: "unix", path: remote });
    const kind = "it is a socket of another kind than datagrams";
    refused({ remote, local }, `cannot connect to '${remote}': ${kind}`);
    listener.close();

    const long = `${folder}/`.padEnd(104, "x");
    const most = "the path of a socket has at most 103 bytes";
    refused({ remote: long, local }, `cannot connect to '${long}': ${most}`);
    refused({ remote, local: long }, `cannot make the socket '${long}': ${most}`);
    const nowhere = `${folder}/none/local`;
    refused({ remote, local: nowhere }, `cannot make the socket '${nowhere}': no such file`);

    const taken = `${folder}/taken`;
    using peer = boundAt(remote);
    using other = boundAt(taken);
    refused({ remote, local: taken }, `cannot make the socket '${taken}': somebody has it open`);
    Deno.writeTextFileSync(local, "kept");
    refused({ remote, local }, `cannot make the socket '${local}': it is there and no socket`);
    assertEquals(Deno.readTextFileSync(local), "kept");
    Deno.removeSync(local);

    const name = `${folder}/`.padEnd(103, "y");
    const socket = DatagramSocket.connect({ remote, local: name });
    Deno.removeSync(name);
    Deno.writeTextFileSync(name, "another's");
    socket[Symbol.dispose]();
    assertEquals(Deno.readTextFileSync(name), "another's");
    peer[Symbol.dispose]();
    other[Symbol.dispose]();
    assertEquals(openSockets(), before);
  });
});
