/** Connected stream sockets as Web streams. */

import { type Wait, waitFor } from "./descriptor_poller.ts";
import { describeErrno, EINTR, errno, prepareErrno } from "./errno.ts";
import { FileError } from "./error.ts";
import { nextTurn } from "./event_loop.ts";
import { EAGAIN, MSG_DONTWAIT, SOCK_NONBLOCK } from "./libraries.ts";
import { POLLIN, POLLOUT } from "./poll.ts";
import {
  AF_UNIX,
  closeOnExec,
  failureOf,
  libc,
  SHUT_RD,
  SHUT_WR,
  SOCK_STREAM,
  socketPair,
  unixAddress,
} from "./socket_calls.ts";

/** How much is sent without a turn of the event loop, in bytes. */
const TURN = 1024 * 1024;

/** What is received goes through here, and is copied out in its own length. */
const scratch = new Uint8Array(128 * 1024);

/** Why streams have failed: the connection is lost, or it was closed on this side. */
export type Lost = "reset" | "closed";

/** Makes the error that streams fail with. */
export type ToError = (lost: Lost, why: string) => Error;

const toPlainError: ToError = (_, why) => new Error(why);

/**
 * A connected stream socket. Each side ends on its own: `readable` when the peer sends no more, and to close `writable`
 * tells the peer that nothing more comes. When both have ended, the socket is closed.
 */
export class StreamSocket implements Disposable {
  /** What the peer sends. Nothing is read that nobody asks for. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** A write has ended when the system has taken all of it. To abort closes the socket. */
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  /** Settles when it is closed. */
  readonly closed: Promise<void>;
  readonly #descriptor: number;
  readonly #toError: ToError;
  readonly #closed = Promise.withResolvers<void>();
  #failure?: Error;
  #isClosed = false;
  /** Why nothing more comes. */
  #over?: Error;
  /** Undefined when that direction is over. */
  #reader?: ReadableByteStreamController;
  #writer?: WritableStreamDefaultController;
  #reading?: Wait;
  #writing?: Wait;
  #sinceTurn = 0;

  private constructor(descriptor: number, toError: ToError = toPlainError) {
    this.#descriptor = descriptor;
    this.#toError = toError;
    this.closed = this.#closed.promise;
    closeOnExec(descriptor);
    prepareErrno();
    this.readable = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#reader = controller;
      },
      pull: (controller) => this.#receive(controller),
      cancel: () => this.#endReading(),
    }, { highWaterMark: 0 });
    this.writable = new WritableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) => {
        this.#writer = controller;
        // Not the sink's abort(), which is called only when the write that waits has ended.
        controller.signal.addEventListener("abort", () => this.close());
      },
      write: (chunk) => this.#send(this.#bytesOf(chunk)),
      close: () => {
        libc.shutdown(this.#descriptor, SHUT_WR);
        this.#writer = undefined;
        this.#closeWhenOver();
      },
    });
  }

  /** Two that are connected. Source: socketpair(2). */
  static pair(): [StreamSocket, StreamSocket] {
    const { ends, failure } = socketPair(SOCK_STREAM);
    if (failure) throw new FileError("cannot make a pair of sockets: too many files are open");
    return [new this(ends[0]), new this(ends[1])];
  }

  /**
   * One of a descriptor that is another's, as a descriptor of its own.
   *
   * @throws {FileError} When there can be none.
   *
   * Source: dup(2).
   */
  static copyOf(descriptor: number, toError?: ToError): StreamSocket {
    const own = libc.dup(descriptor);
    if (own < 0) throw new FileError("cannot keep a connection: too many files are open");
    return new this(own, toError);
  }

  /**
   * Connects to a unix socket, at once: nobody there, or nobody who takes more, is a failure.
   *
   * @throws {FileError} When it cannot.
   *
   * Source: connect(2).
   */
  static connect(path: string): StreamSocket {
    const descriptor = libc.socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (descriptor < 0) throw new FileError("cannot make a socket: too many files are open");
    const to = unixAddress(path);
    const failure = failureOf(() => libc.connect(descriptor, to, to.length));
    if (!failure) return new this(descriptor);
    libc.close(descriptor);
    throw new FileError(`cannot connect to '${path}': ${describeErrno(failure)}`);
  }

  async #receive(controller: ReadableByteStreamController): Promise<void> {
    while (this.#reader) {
      this.#reading = waitFor(this.#descriptor, POLLIN);
      if (this.#over) this.#reading.cancel();
      await this.#reading.found;
      if (!this.#reader) return;
      const view = controller.byobRequest?.view;
      const into = view ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : scratch;
      const received = libc.recv(this.#descriptor, into, BigInt(into.length), MSG_DONTWAIT);
      const failure = received < 0n ? errno() : 0;
      if (failure === EAGAIN && this.#over) return this.close(this.#over);
      if (failure === EAGAIN || failure === EINTR) continue;
      if (failure) return this.close(this.#lost(failure));
      const length = Number(received);
      if (length > 0) {
        if (view) controller.byobRequest!.respond(length);
        else controller.enqueue(scratch.slice(0, length));
        return;
      }
      this.#reader = undefined;
      controller.close();
      controller.byobRequest?.respond(0);
      return this.#closeWhenOver();
    }
  }

  /** What a program has given, which may be anything: what is no bytes ends the connection, and no byte is left out. */
  #bytesOf(chunk: unknown): Uint8Array<ArrayBuffer> {
    if (chunk instanceof Uint8Array) return chunk as Uint8Array<ArrayBuffer>;
    if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
    if (ArrayBuffer.isView(chunk)) {
      return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
    }
    const failure = new TypeError("only bytes can be written, as a Uint8Array");
    this.close(failure);
    throw failure;
  }

  async #send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (!this.#writer) throw this.#failure ?? this.#over;
      const rest = bytes.subarray(at);
      const sent = libc.send(this.#descriptor, rest, BigInt(rest.length), MSG_DONTWAIT);
      const failure = sent < 0n ? errno() : 0;
      if (failure === EAGAIN) {
        this.#writing = waitFor(this.#descriptor, POLLOUT);
        await this.#writing.found;
        this.#sinceTurn = 0;
      } else if (!failure) {
        at += Number(sent);
        this.#sinceTurn += Number(sent);
        if (this.#sinceTurn > TURN) await this.#takeTurn();
      } else if (failure !== EINTR) {
        this.#writer = undefined; // what the peer has sent before is still to be read, and then its end
        this.#closeWhenOver();
        throw this.#lost(failure);
      }
    }
  }

  /** Timers and signals are not to wait for who takes all that comes. */
  async #takeTurn(): Promise<void> {
    this.#sinceTurn = 0;
    await nextTurn();
  }

  /** Nobody reads any more. */
  #endReading(): void {
    this.#reader = undefined;
    this.#reading?.cancel();
    if (!this.#isClosed) libc.shutdown(this.#descriptor, SHUT_RD); // so that the peer does not wait to be read
    this.#closeWhenOver();
  }

  #lost(failure: number): Error {
    return this.#toError("reset", `the connection is lost: ${describeErrno(failure)}`);
  }

  #closeWhenOver(): void {
    if (!this.#reader && !this.#writer) this.close();
  }

  /**
   * The peer is no more: what it has sent is still read, and then its end, if it has come, or the failure. Nothing can be
   * written.
   */
  finish(failure: Error): void {
    if (this.#isClosed) return;
    this.#over = failure;
    this.#reading?.cancel();
    this.#writing?.cancel();
    this.#writer?.error(failure);
    this.#writer = undefined;
    this.#closeWhenOver();
  }

  /** Closes it at once. Streams that have not ended fail. */
  close(failure = this.#toError("closed", "the connection was closed on this side")): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#failure = failure;
    const [reader, writer] = [this.#reader, this.#writer];
    [this.#reader, this.#writer] = [undefined, undefined];
    this.#reading?.cancel();
    this.#writing?.cancel();
    libc.close(this.#descriptor);
    reader?.error(failure);
    writer?.error(failure);
    this.#closed.resolve();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
