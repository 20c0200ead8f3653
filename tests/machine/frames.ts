/** The other end of a network card, as the framework is, for tests that start no guest. */

import { assert, assertEquals } from "@std/assert";
import { DatagramSocket, HEADER, MOST_FRAME } from "../../src/host/datagram_socket.ts";
import { descriptorOf } from "../../src/host/descriptors.ts";
import { MSG_DONTWAIT, UNIX_ADDRESS } from "../../src/host/libraries.ts";
import { poll, POLLIN } from "../../src/host/poll.ts";
import { type RunContext, silentContext } from "../../src/machine/run_context.ts";
import { cString, type NSObject, openFunctions } from "../../src/objc/mod.ts";

const libc = openFunctions("system", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

/** What a promise becomes; fails when that takes too long. */
export async function within<T>(promise: PromiseLike<T>, seconds = 30): Promise<T> {
  const late = Promise.withResolvers<never>();
  const error = new Error(`nothing has come within ${seconds} s`); // made here, for its stack
  const timer = setTimeout(() => late.reject(error), seconds * 1_000);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Tells when a condition may have changed. */
export class Change {
  #next = Promise.withResolvers<void>();

  happened(): void {
    this.#next.resolve();
    this.#next = Promise.withResolvers();
  }

  /** Waits until something is so. */
  async until(isSo: () => boolean, seconds?: number): Promise<void> {
    while (!isSo()) await within(this.#next.promise, seconds);
  }
}

/** The frames of a batch, copied. */
export function framesOf(batch: Uint8Array): Uint8Array[] {
  const lengths = new DataView(batch.buffer, batch.byteOffset, batch.length);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < batch.length;) {
    const start = at + HEADER;
    at = start + lengths.getUint32(at);
    frames.push(batch.slice(start, at));
  }
  return frames;
}

/** Frames in the stream's protocol. */
export function toStream(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(frames.reduce((sum, { length }) => sum + HEADER + length, 0));
  let at = 0;
  for (const frame of frames) {
    new DataView(bytes.buffer).setUint32(at, frame.length);
    bytes.set(frame, at + HEADER);
    at += HEADER + frame.length;
  }
  return bytes;
}

/** A socket that keeps all frames it receives. */
export class Peer {
  readonly frames: Uint8Array[] = [];
  readonly #change = new Change();
  readonly #received: Promise<void>;

  constructor(readonly socket: DatagramSocket) {
    this.#received = socket.receive((batch) => {
      this.frames.push(...framesOf(batch));
      this.#change.happened();
    });
  }

  /** Waits for so many frames, or more. */
  async has(count: number): Promise<void> {
    await this.#change.until(() => this.frames.length >= count);
  }

  async end(): Promise<void> {
    this.socket[Symbol.dispose]();
    await within(this.#received);
  }
}

/** The framework's end of a card, taken as a socket of the test's own. */
export function takeHandle(handle: NSObject): DatagramSocket {
  return DatagramSocket.ofDescriptor(descriptorOf(handle));
}

/** Frames of all lengths, most of them short, the same for each seed. */
export function randomFrames(count: number, seed: number): Uint8Array<ArrayBuffer>[] {
  let state = seed;
  const random = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  return Array.from({ length: count }, (_, i) => {
    const most = random() < 0.005 ? MOST_FRAME : 1_514;
    const frame = new Uint8Array(1 + Math.floor(random() * most)).fill(i);
    if (frame.length >= 4) new DataView(frame.buffer).setUint32(0, i);
    return frame;
  });
}

/** Does something with a folder, which then goes. */
export async function inFolder(action: (folder: string) => Promise<void> | void): Promise<void> {
  const folder = Deno.makeTempDirSync();
  try {
    await action(folder);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** How many sockets this process has open. */
export function openSockets(): number {
  return [...Deno.readDirSync("/dev/fd")].filter(({ name }) => {
    try {
      return Deno.statSync(`/dev/fd/${name}`).isSocket;
    } catch {
      return false; // the folder itself, which is closed
    }
  }).length;
}

/** Sends frames until there was no room in many turns of the event loop; how many were sent, and the one that waits. */
export async function sendUntilStuck(socket: DatagramSocket, frame: Uint8Array<ArrayBuffer>) {
  let sent = 0;
  let isOver = false;
  const sending = (async () => {
    while (!isOver && await socket.send(frame) === "sent") sent++;
  })();
  for (let same = 0, last = -1; same < 50; same = last === sent ? same + 1 : 0) {
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  isOver = true;
  return { sent, sending };
}

/** A datagram socket at a path, as a program like gvproxy has one. */
export function boundAt(path: string) {
  const address = (path: string) => Uint8Array.from([...UNIX_ADDRESS, ...cString(path)]);
  const descriptor = libc.socket(1, 2, 0);
  const own = address(path);
  assertEquals(libc.bind(descriptor, own, own.length), 0);
  let isOpen = true;
  return {
    async next(): Promise<Uint8Array> {
      const memory = new Uint8Array(100_000);
      assert(await poll(descriptor, POLLIN, 30_000) & POLLIN, "nothing has come");
      const length = libc.recv(descriptor, memory, BigInt(memory.length), MSG_DONTWAIT);
      return memory.slice(0, Number(length));
    },
    /** Connects it, and makes it one of the test's own. */
    connect(remote: string): DatagramSocket {
      const to = address(remote);
      assertEquals(libc.connect(descriptor, to, to.length), 0);
      return DatagramSocket.ofDescriptor(descriptor);
    },
    /** Leaves its file. */
    [Symbol.dispose]() {
      if (isOpen) libc.close(descriptor);
      isOpen = false;
    },
  };
}

/** A context that keeps what it is told. */
export function listeningContext() {
  const change = new Change();
  const said: string[] = [];
  const ending = new AbortController();
  const keep = (message: string) => {
    said.push(message);
    change.happened();
  };
  const context: RunContext = { ...silentContext(), info: keep, result: keep, signal: ending.signal };
  return { context, said, ending, until: (count: number) => change.until(() => said.length >= count) };
}
