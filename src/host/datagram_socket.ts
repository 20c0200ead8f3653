/** Datagram sockets of the kind that the framework takes a network card's frames from: a frame, a datagram. */

import type { NSObject } from "../objc/mod.ts";
import { fileHandle } from "./descriptors.ts";
import { describeErrno, EINTR, ENOENT, errno, prepareErrno } from "./errno.ts";
import { FileError, ignoreNotFound, toFileError } from "./error.ts";
import { nextTurn } from "./event_loop.ts";
import { removeOwn, socketPathProblem } from "./files.ts";
import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EMSGSIZE,
  ENOBUFS,
  EPROTOTYPE,
  MSG_DONTWAIT,
  SO_RCVBUF,
  SO_SNDBUF,
  SO_TYPE,
  SOL_SOCKET,
} from "./libraries.ts";
import { poll, POLLHUP, POLLIN, POLLNVAL, POLLOUT } from "./poll.ts";
import { withUmask } from "./process.ts";
import {
  AF_UNIX,
  closeOnExec,
  failureOf,
  libc,
  SHUT_RDWR,
  SOCK_DGRAM,
  socketPair,
  unixAddress,
} from "./socket_calls.ts";

/** The longest frame, in bytes: what a card with segmentation offload sends at once, 64 KiB and headers. */
export const MOST_FRAME = 65_550;

/** Each frame that is received has its length before it, in 4 bytes, big-endian: as qemu's netdev `stream` has it. */
export const HEADER = 4;

/** How much is received at once, in bytes. */
const BATCH = 512 * 1024;

/** A byte more than a frame may have, so that one that is longer is noticed. */
const ROOM = MOST_FRAME + 1;
const ROOM_BIGINT = BigInt(ROOM);

/** Apple: the buffer to receive at least twice, at best four times the one to send. */
const SEND_BUFFER = 1024 * 1024;
const RECEIVE_BUFFER = 4 * SEND_BUFFER;

/** How often, and with what pause in milliseconds, a full receiver is tried anew where no system tells of room. */
const TRIES = 10;
const PAUSE = 1;

/**
 * What became of a frame: `dropped` when the receiver has had no room for a while or the system sends none that is so
 * long, `gone` when there is nobody at the other end.
 */
export type Sent = "sent" | "dropped" | "gone";

const REASONS = new Map([
  [ENOENT, "no such file"],
  [ECONNREFUSED, "nobody listens there"],
  [EPROTOTYPE, "it is a socket of another kind than datagrams"],
]);

const reasonFor = (number: number) => REASONS.get(number) ?? describeErrno(number);

/** Sets the size of a buffer, or what the system allows of it: macOS refuses what is too large, Linux sets less. */
function setBuffer(descriptor: number, option: number, size: number): void {
  for (let left = size; left >= ROOM; left /= 2) {
    const value = new Uint8Array(Int32Array.of(left).buffer);
    if (libc.setsockopt(descriptor, SOL_SOCKET, option, value, value.length) === 0) return;
  }
}

/** Removes a socket that nobody has open. @throws {FileError} When there is anything else. */
function removeDead(path: string): void {
  const there = ignoreNotFound(() => Deno.lstatSync(path));
  if (!there) return;
  if (!there.isSocket) throw new FileError("it is there and no socket");
  const probe = libc.socket(AF_UNIX, SOCK_DGRAM, 0);
  const to = unixAddress(path);
  const failure = failureOf(() => libc.connect(probe, to, to.length));
  libc.close(probe);
  if (failure !== ECONNREFUSED && failure !== ENOENT) throw new FileError("somebody has it open");
  ignoreNotFound(() => Deno.removeSync(path));
}

/** What is wrong with a path, in words that name it. */
function checked<T>(what: string, path: string, action: () => T): T {
  try {
    const problem = socketPathProblem(path);
    if (problem) throw new FileError(problem);
    return action();
  } catch (error) {
    if (error instanceof FileError) {
      throw new FileError(`${what} '${path}': ${error.message}`, { cause: error });
    }
    throw toFileError(`${what} '${path}'`, error);
  }
}

/** A connected datagram socket, closed when it is disposed of. No program that is started keeps it. */
export class DatagramSocket implements Disposable {
  readonly #descriptor: number;
  #handle?: NSObject;
  /** Where its peer is. */
  #remote?: string;
  /** Takes its own file away. */
  #removeFile?: () => void;
  /** How many wait for it, or receive. */
  #users = 0;
  #disposed = false;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
    closeOnExec(descriptor);
    setBuffer(descriptor, SO_SNDBUF, SEND_BUFFER);
    setBuffer(descriptor, SO_RCVBUF, RECEIVE_BUFFER);
    prepareErrno();
  }

  /** Two that are connected. Source: socketpair(2). */
  static pair(): [DatagramSocket, DatagramSocket] {
    const { ends, failure } = socketPair(SOCK_DGRAM);
    if (failure) throw new FileError(`cannot make a pair of sockets: ${describeErrno(failure)}`);
    return [new this(ends[0]), new this(ends[1])];
  }

  /**
   * One of unix sockets.
   *
   * @param at The paths of the peer and of its own file, which only this user may use. A socket there that nobody has
   *   open is replaced; at the end it is removed.
   * @throws {FileError} When one of them cannot be used.
   *
   * Source: bind(2), connect(2).
   */
  static connect({ remote, local }: { remote: string; local: string }): DatagramSocket {
    const descriptor = libc.socket(AF_UNIX, SOCK_DGRAM, 0);
    if (descriptor < 0) throw new FileError("cannot make a socket: too many files are open");
    const socket = new this(descriptor);
    socket.#remote = remote;
    try {
      checked("cannot make the socket", local, () => socket.#bind(local));
      socket.reconnect();
      return socket;
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  #bind(local: string): void {
    removeDead(local);
    const own = unixAddress(local);
    const failure = withUmask(0o177, () => failureOf(() => libc.bind(this.#descriptor, own, own.length)));
    if (failure) throw new FileError(reasonFor(failure));
    const made = Deno.lstatSync(local);
    this.#removeFile = () => removeOwn(local, made);
  }

  /** Whether it has a peer: one that is gone is none any more on macOS. Source: getpeername(2). */
  get isConnected(): boolean {
    const length = new Uint8Array(Int32Array.of(4).buffer);
    return libc.getpeername(this.#descriptor, new Uint8Array(4), length) >= 0;
  }

  /**
   * One that the program has inherited, as a descriptor of its own.
   *
   * @throws {FileError} When it is not open, or no connected datagram socket, which the framework would not survive.
   *
   * Source: dup(2), getsockopt(2), getpeername(2).
   */
  static ofDescriptor(number: number): DatagramSocket {
    const fail = (problem: string): never => {
      throw new FileError(`cannot use descriptor ${number}: ${problem}`);
    };
    const descriptor = Number.isInteger(number) ? libc.dup(number) : -1;
    if (descriptor < 0) fail("it is not open");
    const socket = new this(descriptor);
    try {
      const type = new Int32Array(1);
      const length = () => new Uint8Array(Int32Array.of(type.byteLength).buffer);
      const bytes = new Uint8Array(type.buffer);
      if (libc.getsockopt(descriptor, SOL_SOCKET, SO_TYPE, bytes, length()) < 0) fail("it is no socket");
      if (type[0] !== SOCK_DGRAM) fail("it is no datagram socket");
      if (!socket.isConnected) fail("it is not connected");
      return socket;
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Connects it anew, when another socket has taken its peer's place. Whoever else has the same open socket, like the
   * framework, needs to do nothing.
   *
   * @throws {FileError} When nobody is there.
   */
  reconnect(): void {
    const remote = this.#remote!;
    checked("cannot connect to", remote, () => {
      if (!Deno.statSync(remote).isSocket) throw new FileError("it is no socket");
      const to = unixAddress(remote);
      const failure = failureOf(() => libc.connect(this.#descriptor, to, to.length));
      if (failure) throw new FileError(reasonFor(failure));
    });
  }

  /** For the framework; good as long as this is not disposed of. */
  get handle(): NSObject {
    return this.#handle ??= fileHandle(this.#descriptor);
  }

  /**
   * Sends a frame: at once when there is room for it, else when there is. The next one is to wait for it, and so is
   * whatever changes its memory.
   */
  send(frame: Uint8Array<ArrayBuffer>): Sent | Promise<Sent> {
    if (this.#disposed) return "gone";
    if (libc.send(this.#descriptor, frame, BigInt(frame.length), MSG_DONTWAIT) >= 0) return "sent";
    return this.#failed(frame, errno(), 0);
  }

  #failed(frame: Uint8Array<ArrayBuffer>, failure: number, tries: number): Sent | Promise<Sent> {
    if (failure === EMSGSIZE) return "dropped";
    if (failure === EAGAIN || failure === EINTR) return this.#sendLater(frame, tries, true);
    // macOS: the receiver is full, and poll(2) would say that it is not.
    if (failure === ENOBUFS) return tries < TRIES ? this.#sendLater(frame, tries + 1, false) : "dropped";
    return "gone";
  }

  async #sendLater(frame: Uint8Array<ArrayBuffer>, tries: number, isTold: boolean): Promise<Sent> {
    {
      using _use = this.#use();
      if (isTold) await poll(this.#descriptor, POLLOUT, -1);
      else await new Promise((resolve) => setTimeout(resolve, PAUSE));
      if (this.#disposed) return "gone";
    }
    if (libc.send(this.#descriptor, frame, BigInt(frame.length), MSG_DONTWAIT) >= 0) return "sent";
    return await this.#failed(frame, errno(), tries);
  }

  /**
   * Hands frames to a function, many at once, until the socket is disposed of. While that function has them no others are
   * received, so who sends more than it takes has to wait.
   *
   * @param take Gets frames one behind the other, each with its length before it (see {@linkcode HEADER}), in memory that
   *   is used anew when it has settled.
   */
  async receive(take: (frames: Uint8Array<ArrayBuffer>) => Promise<unknown> | void): Promise<void> {
    using _use = this.#use();
    const memory = new Uint8Array(BATCH);
    for (let isOver = false; !isOver && !this.#disposed;) {
      const found = await poll(this.#descriptor, POLLIN, -1);
      if (this.#disposed) break;
      const { length, failure } = this.#drain(memory);
      isOver = (found & (POLLHUP | POLLNVAL)) !== 0 || failure !== 0;
      if (length > 0) await take(memory.subarray(0, length));
      // There may be more without end, and poll(2) alone leaves timers waiting for a hundred such rounds.
      if (length > BATCH / 2) await nextTurn();
    }
  }

  /** Receives what there is, as much as fits. A failure is one that is not over with being told. */
  #drain(memory: Uint8Array<ArrayBuffer>): { length: number; failure: number } {
    const lengths = new DataView(memory.buffer);
    let at = 0;
    while (at + HEADER + ROOM <= memory.length) {
      const start = at + HEADER;
      const length = Number(libc.recv(this.#descriptor, memory.subarray(start), ROOM_BIGINT, MSG_DONTWAIT));
      if (length < 0) {
        const failure = errno();
        const passes = [EAGAIN, EINTR, ENOBUFS, ECONNRESET, ECONNREFUSED].includes(failure);
        return { length: at, failure: passes ? 0 : failure };
      }
      if (length === 0) break; // no frame, or the end: poll(2) tells which
      if (length > MOST_FRAME) continue;
      lengths.setUint32(at, length);
      at = start + length;
    }
    return { length: at, failure: 0 };
  }

  /** Keeps it open until that is disposed of. */
  #use(): Disposable {
    this.#users++;
    return {
      [Symbol.dispose]: () => {
        if (--this.#users === 0 && this.#disposed) libc.close(this.#descriptor);
      },
    };
  }

  /** Ends what waits for it, and removes its file. @throws {FileError} When that cannot be removed. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#handle?.[Symbol.dispose]();
    if (this.#users > 0) libc.shutdown(this.#descriptor, SHUT_RDWR); // wakes poll(2); then they close it
    else libc.close(this.#descriptor);
    this.#removeFile?.();
  }
}
