/** A network card on two streams of the program that runs the machine. */

import { DatagramSocket, HEADER, MOST_FRAME } from "../host/datagram_socket.ts";
import { nextTurn } from "../host/event_loop.ts";
import { inTime } from "../host/in_time.ts";
import { MachineError } from "./error.ts";
import type { OpenedSocket } from "./network_dgram.ts";
import type { Reporter } from "./run_context.ts";

/** The two directions of a network card's cable, an Ethernet frame a chunk, from the machine's start to its end. */
export interface FrameStreams {
  /** What the guest is to receive; cancelled at the machine's end. */
  readable: ReadableStream<Uint8Array>;
  /**
   * Gets what the guest sends, each frame in memory of its own; closed at the machine's end. What it does not take for a
   * while is dropped, as in any network.
   */
  writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** How many frames may wait for the program. */
const QUEUE = 256;

/** How long the program may take none of them before others are dropped, in milliseconds. */
const PATIENCE = 50;

/** After how many frames of a program that has always more the event loop gets a turn. */
const TURN = 256;

/** How long its streams may take to end, in milliseconds. */
const ENDING = 1_000;

/** @throws {MachineError} When they are no streams, or somebody else has them. */
export function checkFrames({ readable, writable }: FrameStreams, field: string): void {
  for (
    const [name, stream, Kind] of [
      ["readable", readable, ReadableStream],
      ["writable", writable, WritableStream],
    ] as const
  ) {
    const problem = !(stream instanceof Kind) ? `is no ${Kind.name}` : stream.locked && "is in use already";
    if (problem) throw new MachineError(`the stream ${problem}`, { field: `${field}.${name}` });
  }
}

/**
 * Opens one.
 *
 * @param what For people: `network card 1`.
 */
export function openFrames(
  { readable, writable }: FrameStreams,
  { info }: Pick<Reporter, "info">,
  what: string,
): OpenedSocket {
  const [ours, theirs] = DatagramSocket.pair();
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  let isOver = false;
  const say = (text: string, error?: unknown) => {
    if (!isOver) info(`${what}: ${text}${error === undefined ? "" : `: ${messageOf(error)}`}`);
  };
  const received = receive(ours, writer);
  writer.closed.then(() => say("the program takes no frames any more"), (error) => {
    say("the program takes no frames any more", error);
  });
  const sent = send(ours, reader).then((problem) => {
    if (problem) reader.cancel(problem).catch(() => {});
    say("no more frames come from the program", problem);
  }, (error) => say("no more frames come from the program", error));
  return {
    handle: theirs.handle,
    async [Symbol.asyncDispose]() {
      isOver = true;
      ours[Symbol.dispose]();
      await received;
      const ended = [reader.cancel(), writer.close(), sent].map((one) => one.catch(() => {}));
      await inTime(Promise.all(ended), ENDING);
      theirs[Symbol.dispose]();
    },
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Takes frames to the guest. What there is to say to the program when one is none; nothing at the end of the stream. */
async function send(
  socket: DatagramSocket,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<TypeError | undefined> {
  for (let count = 1;; count++) {
    if (count % TURN === 0) await nextTurn();
    const { value, done } = await reader.read();
    if (done) return undefined;
    if (!(value instanceof Uint8Array)) return new TypeError("a frame must be a Uint8Array");
    const { length } = value;
    if (length === 0) return new TypeError("a frame has at least one byte");
    if (length > MOST_FRAME) {
      return new TypeError(`a frame has at most ${MOST_FRAME} bytes, and this one has ${length}`);
    }
    const isOwn = (frame: Uint8Array): frame is Uint8Array<ArrayBuffer> =>
      frame.buffer instanceof ArrayBuffer;
    await socket.send(isOwn(value) ? value : new Uint8Array(value)); // memory that is shared could change
  }
}

/** Takes frames from the guest, until the socket is disposed of. */
function receive(
  socket: DatagramSocket,
  writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  let waiting = 0;
  let isStuck = false;
  let isOpen = true;
  let taken = Promise.withResolvers<void>();
  const take = () => {
    waiting--;
    isStuck = false;
    taken.resolve();
    taken = Promise.withResolvers();
  };
  const fail = () => {
    isOpen = false;
    take();
  };
  return socket.receive(async (frames) => {
    const lengths = new DataView(frames.buffer, frames.byteOffset, frames.length);
    for (let at = 0; at < frames.length && isOpen;) {
      const start = at + HEADER;
      at = start + lengths.getUint32(at);
      if (waiting >= QUEUE && !isStuck && !await inTime(taken.promise, PATIENCE)) isStuck = true;
      if (waiting >= QUEUE) continue;
      waiting++;
      writer.write(frames.slice(start, at)).then(take, fail);
    }
  });
}
