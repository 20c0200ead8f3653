import { freePort } from "../../scripts/free_ports.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { MOST_FRAME } from "../../src/host/datagram_socket.ts";
import { FileError } from "../../src/host/error.ts";
import type { OpenedSocket } from "../../src/machine/network_dgram.ts";
import { openStream } from "../../src/machine/network_stream.ts";
import {
  framesOf,
  inFolder,
  listeningContext,
  openSockets,
  Peer,
  randomFrames,
  sendUntilStuck,
  takeHandle,
  toStream,
  within,
} from "./frames.ts";

const CARD = "network card 1";
const tick = () => new Promise((resolve) => setTimeout(resolve));

/** Reads whole frames from a connection. */
async function readFrames(connection: Deno.Conn, count: number): Promise<Uint8Array[]> {
  let bytes = new Uint8Array();
  const buffer = new Uint8Array(65536);
  while (true) {
    let at = 0;
    const lengths = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let n = 0;
    for (; n < count && at + 4 <= bytes.length && at + 4 + lengths.getUint32(at) <= bytes.length; n++) {
      at += 4 + lengths.getUint32(at);
    }
    if (n === count) {
      assertEquals(at, bytes.length);
      return framesOf(bytes);
    }
    const read = await within(connection.read(buffer));
    assert(read !== null, "the connection has ended");
    const longer = new Uint8Array(bytes.length + read);
    longer.set(bytes);
    longer.set(buffer.subarray(0, read), bytes.length);
    bytes = longer;
  }
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Ends a card, with the guest that plays on it. */
async function end(card: OpenedSocket, guest?: Peer): Promise<void> {
  await within(card[Symbol.asyncDispose]());
  await guest?.end();
}

Deno.test("stream: 100,000 frames of all lengths go through two cards whole and in order, and others the other way", async () => {
  await inFolder(async (folder) => {
    const { context } = listeningContext();
    const path = `${folder}/socket`;
    const server = await openStream({ server: true, place: { path } }, context, CARD);
    assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
    const client = await openStream({ place: { path } }, context, "network card 2");
    const there = randomFrames(100_000, 2);
    const back = randomFrames(5_000, 3);
    const [from, to] = [new Peer(takeHandle(client.handle)), new Peer(takeHandle(server.handle))];
    const send = async ({ socket }: Peer, frames: Uint8Array<ArrayBuffer>[]) => {
      for (const frame of frames) assertEquals(await socket.send(frame), "sent");
    };
    // A server has a client only when it has accepted it: what comes before is dropped.
    await send(from, [Uint8Array.of(1)]);
    await to.has(1);
    await Promise.all([send(from, there), send(to, back)]);
    await to.has(1 + there.length);
    await from.has(back.length);
    const differs = (got: Uint8Array[], sent: Uint8Array[]) =>
      got.findIndex((frame, i) =>
        frame.length !== sent[i].length || frame.some((byte, k) => byte !== sent[i][k])
      );
    assertEquals([to.frames.length, from.frames.length], [1 + there.length, back.length]);
    assertEquals([differs(to.frames.slice(1), there), differs(from.frames, back)], [-1, -1]);
    await end(client, from);
    await end(server, to);
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("stream: frames are put together right wherever what is read is split", async () => {
  const { context, said } = listeningContext();
  const card = await openStream({ server: true, place: { host: "127.0.0.1", port: 0 } }, context, CARD);
  const port = Number(/^network card 1 is at 127\.0\.0\.1:(\d+)$/.exec(said[0])![1]);
  const peer = await Deno.connect({ port });
  peer.setNoDelay();
  const guest = new Peer(takeHandle(card.handle));
  const frames = [1, 2, 5, 3].map((length, i) => new Uint8Array(length).fill(i + 1));
  const bytes = toStream(frames);
  let count = 0;
  for (let cut = 1; cut <= bytes.length; cut++) {
    await writeAll(peer, bytes.subarray(0, cut));
    await tick();
    await tick();
    await writeAll(peer, bytes.subarray(cut));
    await guest.has(count += frames.length);
  }
  for (const byte of bytes) {
    await peer.write(Uint8Array.of(byte));
    await tick();
  }
  await guest.has(count += frames.length);
  assertEquals(guest.frames, Array.from({ length: bytes.length + 1 }, () => frames).flat());
  peer.close();
  await end(card, guest);
});

Deno.test("stream: the longest frames pass both ways, and many go into one write", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    const card = await openStream({ place: { path } }, listeningContext().context, CARD);
    const peer = await listener.accept();
    const guest = new Peer(takeHandle(card.handle));
    const long = Array.from({ length: 20 }, (_, i) => new Uint8Array(MOST_FRAME).fill(i));
    const written = writeAll(peer, toStream(long));
    await guest.has(long.length);
    await written;
    const reading = readFrames(peer, long.length);
    for (const frame of long) assertEquals(await guest.socket.send(frame), "sent");
    const read = await reading;
    for (const got of [guest.frames, read]) got.forEach((frame, i) => assertEquals(frame, long[i]));

    const short = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i));
    for (const frame of short) guest.socket.send(frame); // without a turn of the event loop between
    const buffer = new Uint8Array(65536);
    assertEquals(await peer.read(buffer), short.length * 5);
    assertEquals(framesOf(buffer.subarray(0, short.length * 5)), short);
    peer.close();
    await end(card, guest);
  });
});

Deno.test("stream: a server's peer goes and another comes, frames are dropped meanwhile, and a second one waits", async () => {
  await inFolder(async (folder) => {
    const { context, said, until } = listeningContext();
    const path = `${folder}/socket`;
    const greeting = new TextEncoder().encode("hello");
    const card = await openStream({ server: true, place: { path }, greeting }, context, CARD);
    const guest = new Peer(takeHandle(card.handle));
    const hear = async (peer: Deno.Conn) => {
      const buffer = new Uint8Array(greeting.length); // what the guest has sent may stand behind it
      return new TextDecoder().decode(buffer.subarray(0, await within(peer.read(buffer)) ?? 0));
    };
    const first = await Deno.connect({ transport: "unix", path });
    assertEquals(await hear(first), "hello");
    const second = await Deno.connect({ transport: "unix", path });
    await guest.socket.send(Uint8Array.of(1));
    assertEquals(await readFrames(first, 1), [Uint8Array.of(1)]);
    await writeAll(first, toStream([Uint8Array.of(2)]));
    await guest.has(1);
    // It goes in the middle of a frame, of which nothing is left.
    await writeAll(first, Uint8Array.of(0, 0, 0, 9, 9));
    first.close();
    assertEquals(await hear(second), "hello");
    await writeAll(second, toStream([Uint8Array.of(3)]));
    await guest.has(2);
    second.close();
    await until(3);
    for (let i = 0; i < 1_000; i++) assertEquals(await guest.socket.send(new Uint8Array(MOST_FRAME)), "sent");
    const third = await Deno.connect({ transport: "unix", path });
    assertEquals(await hear(third), "hello");
    await writeAll(third, toStream([Uint8Array.of(4)]));
    await until(4);
    await guest.has(3);
    assertEquals(guest.frames, [Uint8Array.of(2), Uint8Array.of(3), Uint8Array.of(4)]);
    const peer = `${CARD}: the peer at ${path}`;
    assertEquals(said, [`${peer} has gone`, `${peer} is back`, `${peer} has gone`, `${peer} is back`]);
    third.close();
    await end(card, guest);
  });
});

Deno.test("stream: a client whose peer has gone finds it again", async () => {
  await inFolder(async (folder) => {
    const { context, said, until } = listeningContext();
    const path = `${folder}/socket`;
    const listener = Deno.listen({ transport: "unix", path });
    const card = await openStream({ place: { path }, reconnect: 0.05 }, context, CARD);
    const guest = new Peer(takeHandle(card.handle));
    const first = await listener.accept();
    listener.close();
    first.close();
    await until(1);
    using next = Deno.listen({ transport: "unix", path });
    const second = await within(next.accept());
    await until(2);
    await guest.socket.send(Uint8Array.of(1));
    assertEquals(await readFrames(second, 1), [Uint8Array.of(1)]);
    const peer = `${CARD}: the peer at ${path}`;
    assertEquals(said, [`${peer} has gone`, `${peer} is back`]);
    second.close();
    await end(card, guest);
  });
});

Deno.test("stream: a client's peer that is not there is an error, unless it is to be waited for", async () => {
  await inFolder(async (folder) => {
    const before = openSockets();
    const { context, said, until, ending } = listeningContext();
    const path = `${folder}/socket`;
    const missing = await assertRejects(() => openStream({ place: { path } }, context, CARD), FileError);
    assertEquals(missing.message, `cannot connect to '${path}': no such file`);
    const port = freePort();
    const place = { host: "127.0.0.1", port };
    const refused = await assertRejects(() => openStream({ place, reconnect: 0 }, context, CARD), FileError);
    assertEquals(refused.message, `cannot connect to 127.0.0.1:${port}: Connection refused`);
    const long = "x".repeat(104);
    const most = await assertRejects(() => openStream({ place: { path: long } }, context, CARD), FileError);
    assertEquals(most.message, `cannot connect to '${long}': the path of a socket has at most 103 bytes`);

    const card = await openStream({ place, reconnect: 0.05 }, context, CARD);
    const peer = `${CARD}: the peer at 127.0.0.1:${port}`;
    assertEquals(said, [`${peer} is not there yet`]);
    using listener = Deno.listen(place);
    const connection = await within(listener.accept());
    await until(2);
    assertEquals(said.slice(1), [`${peer} is there`]);
    ending.abort(); // that is about the start, which is over
    const guest = takeHandle(card.handle);
    await guest.send(Uint8Array.of(1));
    assertEquals(await readFrames(connection, 1), [Uint8Array.of(1)]);
    guest[Symbol.dispose]();
    connection.close();
    await end(card);
    await assertRejects(() => openStream({ place, reconnect: 1 }, context, CARD), DOMException);
    listener.close();
    await tick();
    assertEquals(openSockets(), before);
  });
});

Deno.test("stream: the guest of a peer that reads nothing waits, and then nothing is lost", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    using listener = Deno.listen({ transport: "unix", path });
    const card = await openStream({ place: { path } }, listeningContext().context, CARD);
    const peer = await listener.accept();
    const guest = takeHandle(card.handle);
    const { sent, sending } = await sendUntilStuck(guest, new Uint8Array(50_000).fill(3));
    assert(sent * 50_000 < 16 * 1024 * 1024, `${sent} frames are under way`);
    const frames = await readFrames(peer, sent + 1);
    await within(sending);
    assert(frames.every((frame) => frame.length === 50_000 && frame.every((byte) => byte === 3)));
    guest[Symbol.dispose]();
    peer.close();
    await end(card);
  });
});

Deno.test("stream: a peer of a guest that takes nothing waits too", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/socket`;
    const card = await openStream({ server: true, place: { path } }, listeningContext().context, CARD);
    const peer = await Deno.connect({ transport: "unix", path });
    const frames = Array.from({ length: 1_000 }, (_, i) => new Uint8Array(50_000).fill(i));
    let written = 0;
    const writing = (async () => {
      for (const frame of frames) {
        await writeAll(peer, toStream([frame]));
        written++;
      }
    })();
    for (let same = 0, last = -1; same < 50; same = last === written ? same + 1 : 0) {
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert(written < 400, `${written} frames are under way`);
    const guest = new Peer(takeHandle(card.handle));
    await guest.has(frames.length);
    await writing;
    assert(
      guest.frames.every((frame, i) => frame.length === 50_000 && frame.every((byte) => byte === i % 256)),
    );
    peer.close();
    await end(card, guest);
  });
});

Deno.test("stream: a peer with another protocol is dropped, which is said once, and the next one is served", async () => {
  await inFolder(async (folder) => {
    const { context, said, until } = listeningContext();
    const path = `${folder}/socket`;
    const card = await openStream({ server: true, place: { path } }, context, CARD);
    const guest = new Peer(takeHandle(card.handle));
    const good = toStream([Uint8Array.of(7)]);
    const tryOne = async (...bytes: number[]) => {
      const peer = await Deno.connect({ transport: "unix", path });
      await writeAll(peer, Uint8Array.from(bytes));
      const end = await within(peer.read(new Uint8Array(1))).catch(() => null); // a reset, where it has not read all
      assertEquals(end, null);
      peer.close();
    };
    await tryOne(...good, 0, 1, 0, 15, 1, 2); // 65,551
    await tryOne(0, 0, 0, 0);
    await tryOne(...new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    const peer = await Deno.connect({ transport: "unix", path });
    await writeAll(peer, good);
    await guest.has(2);
    peer.close();
    await until(3);
    assertEquals(said, [
      `${CARD}: the peer at ${path} is dropped: a frame of 65551 bytes is none of qemu's stream protocol`,
      `${CARD}: the peer at ${path} is back`,
      `${CARD}: the peer at ${path} has gone`,
    ]);
    await end(card, guest);
  });
});

Deno.test("stream: the machine's end leaves nothing open, whatever waits", async () => {
  await inFolder(async (folder) => {
    const before = openSockets();
    const path = `${folder}/socket`;
    const { context, said, until } = listeningContext();
    // Nobody has come.
    await end(await openStream({ server: true, place: { path } }, context, CARD));
    assertEquals([...Deno.readDirSync(folder)], []);
    // Nobody is there, and the pause is long.
    await end(await openStream({ place: { path }, reconnect: 3_600 }, context, CARD));
    // The peer takes nothing, and the guest neither.
    const card = await openStream({ server: true, place: { path } }, context, CARD);
    const guest = takeHandle(card.handle);
    const peer = await Deno.connect({ transport: "unix", path });
    await writeAll(peer, toStream([Uint8Array.of(1)]));
    const { sending } = await sendUntilStuck(guest, new Uint8Array(50_000));
    const frame = toStream([new Uint8Array(50_000)]);
    let written = 0;
    const writing = (async () => {
      while (true) {
        await writeAll(peer, frame);
        written++;
      }
    })().catch(() => {});
    for (let same = 0, last = -1; same < 50; same = last === written ? same + 1 : 0) {
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await end(card);
    guest[Symbol.dispose]();
    await within(sending);
    await within(writing);
    peer.close();
    assertEquals([...Deno.readDirSync(folder)], []);
    // Another has put a socket of its own there.
    const other = await openStream({ server: true, place: { path } }, context, CARD);
    Deno.removeSync(path);
    using listener = Deno.listen({ transport: "unix", path });
    await end(other);
    const client = await openStream({ place: { path } }, context, CARD);
    (await listener.accept()).close();
    await until(2);
    await end(client); // in the pause
    assertEquals(said, [
      `${CARD}: the peer at ${path} is not there yet`,
      `${CARD}: the peer at ${path} has gone`,
    ]);
    listener.close();
    await tick();
    assertEquals(openSockets(), before);
  });
});
