import { assert, assertEquals, assertThrows } from "@std/assert";
import { MOST_FRAME } from "../../src/host/datagram_socket.ts";
import { MachineError } from "../../src/machine/error.ts";
import { checkFrames, openFrames } from "../../src/machine/network_frames.ts";
import { Change, listeningContext, openSockets, Peer, randomFrames, takeHandle, within } from "./frames.ts";

const CARD = "network card 1";

/** A program's stream to the guest, pushed from outside. */
function source() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const cancelled = Promise.withResolvers<unknown>();
  const readable = new ReadableStream<Uint8Array>({
    start: (itself) => void (controller = itself),
    cancel: (reason) => cancelled.resolve(reason),
  });
  return { readable, controller, cancelled: cancelled.promise };
}

/** A program's stream from the guest, that keeps everything once it is let go. */
function sink() {
  const frames: Uint8Array[] = [];
  const change = new Change();
  const closed = Promise.withResolvers<void>();
  let hold = Promise.resolve();
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    async write(frame) {
      await hold;
      frames.push(frame);
      change.happened();
    },
    close: () => closed.resolve(),
  });
  return {
    frames,
    writable,
    closed: closed.promise,
    /** Takes nothing until what this returns is called. */
    stop() {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = promise;
      return resolve;
    },
    has: (count: number) => change.until(() => frames.length >= count),
  };
}

Deno.test("frames: a program that echoes gives the guest back what it has sent, whole and in order", async () => {
  const before = openSockets();
  const { context, said } = listeningContext();
  const cable = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const card = openFrames(cable, context, CARD);
  const guest = new Peer(takeHandle(card.handle));
  const frames = [...randomFrames(20_000, 4), new Uint8Array(MOST_FRAME).fill(9)];
  for (const [i, frame] of frames.entries()) {
    assertEquals(await guest.socket.send(frame), "sent");
    // What is not taken for a while would be dropped: no more than a card's queue is under way.
    if (i % 200 === 199) await guest.has(i - 100);
  }
  await guest.has(frames.length);
  frames.forEach((frame, i) => assert(frame.every((byte, k) => byte === guest.frames[i][k]), `frame ${i}`));
  assertEquals(guest.frames.map(({ length }) => length), frames.map(({ length }) => length));
  await within(card[Symbol.asyncDispose]());
  await guest.end();
  assertEquals(said, []);
  assertEquals(openSockets(), before);
});

Deno.test("frames: of a guest that sends more than the program takes frames are dropped, and never kept without end", async () => {
  const { context, said } = listeningContext();
  const [from, to] = [source(), sink()];
  const card = openFrames({ readable: from.readable, writable: to.writable }, context, CARD);
  const guest = new Peer(takeHandle(card.handle));
  const go = to.stop();
  const frame = (i: number) => {
    const bytes = new Uint8Array(1_000);
    new DataView(bytes.buffer).setUint32(0, i);
    return bytes;
  };
  const numberOf = (frame: Uint8Array) => new DataView(frame.buffer, frame.byteOffset).getUint32(0);
  const count = 20_000;
  for (let i = 0; i < count; i++) assertEquals(await guest.socket.send(frame(i)), "sent");
  go();
  // It goes on as soon as they are taken: the last one is sent until it comes.
  while (!to.frames.some((frame) => numberOf(frame) === count)) {
    await guest.socket.send(frame(count));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const numbers = to.frames.map(numberOf);
  assert(numbers.every((n, i) => i === 0 || n >= numbers[i - 1]), "they are in order");
  assertEquals(numbers.slice(0, 256), Array.from({ length: 256 }, (_, i) => i));
  // A queue, and what the sockets have held while it was full.
  assert(numbers.length < 5_000, `${numbers.length} frames were kept`);
  assertEquals(said, []);
  await within(card[Symbol.asyncDispose]());
  await guest.end();
  await within(to.closed);
});

Deno.test("frames: none is dropped of a burst, when the program takes them", async () => {
  const { context } = listeningContext();
  const [from, to] = [source(), sink()];
  const card = openFrames({ readable: from.readable, writable: to.writable }, context, CARD);
  const guest = takeHandle(card.handle);
  for (let i = 0; i < 2_000; i++) {
    const sent = guest.send(Uint8Array.of(i, i >> 8)); // mostly without a turn of the event loop between
    if (sent instanceof Promise) await sent;
  }
  await to.has(2_000);
  assertEquals(to.frames.map(([low, high]) => low + 256 * high), Array.from({ length: 2_000 }, (_, i) => i));
  const kept = to.frames[0];
  guest.send(Uint8Array.of(77, 77));
  await to.has(2_001);
  assertEquals(kept, Uint8Array.of(0, 0)); // the program may keep them
  guest[Symbol.dispose]();
  await within(card[Symbol.asyncDispose]());
});

Deno.test("frames: a guest that takes nothing has the program wait", async () => {
  const { context } = listeningContext();
  let pulled = 0;
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new Uint8Array(50_000).fill(pulled++));
    },
  }, { highWaterMark: 0 });
  const card = openFrames({ readable, writable: sink().writable }, context, CARD);
  for (let same = 0, last = -1; same < 50; same = last === pulled ? same + 1 : 0) {
    last = pulled;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assert(pulled < 400, `${pulled} frames are under way`);
  const guest = new Peer(takeHandle(card.handle));
  await guest.has(pulled + 10);
  await within(card[Symbol.asyncDispose]());
  await guest.end();
  assert(
    guest.frames.every((frame, i) => frame.length === 50_000 && frame.every((byte) => byte === i % 256)),
  );
});

Deno.test("frames: a program that has always more leaves timers their turn", async () => {
  let pulled = 0;
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1));
    },
  });
  const card = openFrames({ readable, writable: sink().writable }, listeningContext().context, CARD);
  await new Promise((resolve) => setTimeout(resolve));
  assert(pulled > 0 && pulled < 2_500, `${pulled} frames before a timer`);
  await within(card[Symbol.asyncDispose]());
});

Deno.test("frames: what is no frame is an error to the program's stream, and the other direction goes on", async () => {
  const wrong: [unknown, string][] = [
    ["text", "a frame must be a Uint8Array"],
    [new Uint16Array(2), "a frame must be a Uint8Array"],
    [new Uint8Array(), "a frame has at least one byte"],
    [new Uint8Array(65_551), "a frame has at most 65550 bytes, and this one has 65551"],
  ];
  for (const [frame, words] of wrong) {
    const { context, said, until } = listeningContext();
    const [from, to] = [source(), sink()];
    const card = openFrames({ readable: from.readable, writable: to.writable }, context, CARD);
    const guest = new Peer(takeHandle(card.handle));
    from.controller.enqueue(new Uint8Array(new SharedArrayBuffer(3)).fill(5));
    from.controller.enqueue(frame as Uint8Array);
    const reason = await within(from.cancelled);
    assert(reason instanceof TypeError);
    assertEquals(reason.message, words);
    await until(1);
    assertEquals(said, [`${CARD}: no more frames come from the program: ${words}`]);
    await guest.has(1);
    assertEquals(guest.frames, [Uint8Array.of(5, 5, 5)]);
    await guest.socket.send(Uint8Array.of(6));
    await to.has(1);
    await within(card[Symbol.asyncDispose]());
    await within(to.closed);
    await guest.end();
    assertEquals(said.length, 1);
  }
});

Deno.test("frames: the end or the failure of a stream is said once, and the machine runs on", async () => {
  const { context, said, until } = listeningContext();
  const from = source();
  let count = 0;
  const writable = new WritableStream<Uint8Array>({
    write() {
      if (++count === 3) throw new Error("the switch is out of order");
    },
  });
  const card = openFrames({ readable: from.readable, writable }, context, CARD);
  const guest = takeHandle(card.handle);
  from.controller.close();
  await until(1);
  for (let i = 0; i < 5; i++) await guest.send(Uint8Array.of(i));
  await until(2);
  // Nobody takes them, and nobody is held up.
  for (let i = 0; i < 1_000; i++) assertEquals(await guest.send(new Uint8Array(50_000)), "sent");
  guest[Symbol.dispose]();
  await within(card[Symbol.asyncDispose]());
  assertEquals(said, [
    `${CARD}: no more frames come from the program`,
    `${CARD}: the program takes no frames any more: the switch is out of order`,
  ]);

  const failing = source();
  const other = listeningContext();
  const second = openFrames({ readable: failing.readable, writable: sink().writable }, other.context, CARD);
  failing.controller.error(new Error("no more"));
  await other.until(1);
  await within(second[Symbol.asyncDispose]());
  assertEquals(other.said, [`${CARD}: no more frames come from the program: no more`]);
});

Deno.test("frames: the machine's end closes and cancels the streams, and waits not for ever for a program", async () => {
  const before = openSockets();
  const { context, said } = listeningContext();
  const [from, to] = [source(), sink()];
  to.stop();
  const card = openFrames({ readable: from.readable, writable: to.writable }, context, CARD);
  const guest = takeHandle(card.handle);
  for (let i = 0; i < 1_000; i++) await guest.send(new Uint8Array(100));
  await within(card[Symbol.asyncDispose](), 10);
  await within(from.cancelled);
  guest[Symbol.dispose]();
  assertEquals(said, []);
  assertEquals(openSockets(), before);
});

Deno.test("frames: what is no stream, or is in use already, is refused", () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  checkFrames({ readable, writable }, "network[0].frames");
  const refused = (frames: unknown, message: string) => {
    const error = assertThrows(
      () =>
        checkFrames(frames as { readable: typeof readable; writable: typeof writable }, "network[0].frames"),
      MachineError,
    );
    assertEquals(error.message, message);
  };
  refused({ readable: 1, writable }, "network[0].frames.readable: the stream is no ReadableStream");
  refused({ readable }, "network[0].frames.writable: the stream is no WritableStream");
  const writer = writable.getWriter();
  refused({ readable, writable }, "network[0].frames.writable: the stream is in use already");
  writer.releaseLock();
});
