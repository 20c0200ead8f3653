/** The socket device of a machine, for the program that runs it. */

import { abortable } from "@std/async/abortable";
import type { StreamSocket } from "../host/stream_socket.ts";
import { NSError } from "../objc/mod.ts";
import { describeError, type VZVirtioSocketConnection, type VZVirtioSocketDevice } from "../vz/mod.ts";
import { isVsockPort, notVsockPort, VsockError } from "./vsock.ts";

/** How many connections there may be at once, so that files are left for others. */
const MOST_CONNECTIONS = 4_096;

/** How many connections of the guest's wait for a program to take them. */
const BACKLOG = 128;

/** How a wait for the guest may be ended. */
export interface VsockOptions {
  /** Ends it. */
  signal?: AbortSignal;
}

/** A connection between a port of the host's and one of the guest's. */
export class VsockConnection implements AsyncDisposable {
  /** What the guest sends; it ends when the guest has ended its side, and fails with a {@linkcode VsockError}. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What the guest gets; to close it ends this side alone, to abort it the connection. */
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  /** Settles when both sides have ended, or it was closed. */
  readonly closed: Promise<void>;
  readonly #socket: StreamSocket;

  /** Of a socket and its ports. */
  constructor(socket: StreamSocket, readonly hostPort: number, readonly guestPort: number) {
    ({ readable: this.readable, writable: this.writable, closed: this.closed } = socket);
    this.#socket = socket;
  }

  /** Ends it at once; what was written before is on its way. */
  close(reason?: VsockError): void {
    this.#socket.close(reason);
  }

  /** The same. */
  // deno-lint-ignore require-await
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

/** The guest's connections to a port of the host's, one after the other, until it is disposed of or the machine ends. */
export interface VsockListener extends AsyncIterable<VsockConnection>, AsyncDisposable {
  /** The port. */
  readonly port: number;
}

/** The sockets of a machine. */
export interface VsockPorts {
  /**
   * Connects to a port of the guest's.
   *
   * @throws {VsockError} When nobody listens there, or the machine does not run.
   * @throws {TypeError} When it is no port.
   * @throws The reason of the signal.
   */
  connect(port: number, options?: VsockOptions): Promise<VsockConnection>;
  /**
   * Listens at a port of the host's, which may be done before the machine starts.
   *
   * @param options With a signal, which ends it as to dispose of the listener does.
   * @throws {VsockError} When another listens there, or the machine has ended.
   * @throws {TypeError} When it is no port.
   * @throws The reason of the signal.
   */
  listen(port: number, options?: VsockOptions): Promise<VsockListener>;
}

/** A listener whose connections wait for a program to take them. */
class Backlog implements VsockListener {
  readonly #waiting: VsockConnection[] = [];
  readonly #stop: () => Promise<void>;
  #coming = 0;
  #isOver = false;
  #more = Promise.withResolvers<void>();

  constructor(readonly port: number, stop: () => Promise<void>) {
    this.#stop = stop;
  }

  get hasRoom(): boolean {
    return !this.#isOver && this.#waiting.length + this.#coming < BACKLOG;
  }

  async take(coming: Promise<VsockConnection>): Promise<void> {
    this.#coming++;
    const connection = await coming.catch(() => undefined); // it is gone again
    this.#coming--;
    if (!connection) return;
    if (this.#isOver) return connection.close();
    this.#waiting.push(connection);
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<VsockConnection> {
    while (!this.#isOver) {
      const connection = this.#waiting.shift();
      if (connection) yield connection;
      else await this.#more.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting.splice(0).forEach((connection) => connection.close());
    this.#wake();
    await this.#stop();
  }
}

/** Takes a connection of the guest's that comes, or does not. */
export type Taker = (coming: Promise<VsockConnection>) => unknown;

/** A machine's socket device. */
export class VsockDevice implements VsockPorts, AsyncDisposable {
  readonly #device: VZVirtioSocketDevice;
  readonly #open = new Set<StreamSocket>();
  readonly #ports = new Set<number>();
  readonly #ending = new AbortController();

  /** Of the framework's. */
  constructor(device: VZVirtioSocketDevice) {
    this.#device = device;
  }

  async connect(port: number, { signal }: VsockOptions = {}): Promise<VsockConnection> {
    this.#check(port);
    const { signal: ending } = this.#ending;
    const connecting = this.#connect(port);
    try {
      return await abortable(connecting, signal ? AbortSignal.any([signal, ending]) : ending);
    } catch (error) {
      connecting.then((connection) => connection.close(), () => {}); // nobody waits for it any more
      throw error;
    }
  }

  async #connect(port: number): Promise<VsockConnection> {
    try {
      const connection = await this.#device.connect(port);
      return await this.#opened(connection, await connection.sourcePort(), port);
    } catch (error) {
      this.#ending.signal.throwIfAborted();
      if (!(error instanceof NSError)) throw error;
      const why = `no connection with port ${port} of the guest's: ${describeError(error)}`;
      // The guest resets what nobody listens for; what the framework refuses is a machine that does not run.
      const code = error.domain === "VZErrorDomain" ? "stopped" : "refused";
      throw new VsockError(code, why, { cause: error });
    }
  }

  async #opened(
    connection: VZVirtioSocketConnection,
    hostPort: number,
    guestPort: number,
  ): Promise<VsockConnection> {
    const { signal } = this.#ending;
    const toError = (lost: "reset" | "closed", why: string) => signal.reason ?? new VsockError(lost, why);
    const socket = await connection.take(toError);
    if (signal.aborted) socket.close();
    signal.throwIfAborted();
    this.#open.add(socket);
    socket.closed.then(() => this.#open.delete(socket));
    return new VsockConnection(socket, hostPort, guestPort);
  }

  async listen(port: number, { signal }: VsockOptions = {}): Promise<VsockListener> {
    const stop = () => {
      signal?.removeEventListener("abort", end);
      this.#ending.signal.removeEventListener("abort", end);
      return this.unserve(port);
    };
    const listener = new Backlog(port, stop);
    const end = () => void listener[Symbol.asyncDispose]();
    signal?.throwIfAborted();
    await this.serve(port, () => listener.hasRoom ? (coming) => listener.take(coming) : undefined);
    signal?.addEventListener("abort", end);
    this.#ending.signal.addEventListener("abort", end);
    if (signal?.aborted || this.#ending.signal.aborted) end();
    return listener;
  }

  /**
   * Takes the guest's connections to a port of the host's.
   *
   * @param offer Called for each, while the machine's queue waits; gives who takes it, or nothing: then it is refused.
   * @throws As {@linkcode listen} does.
   */
  async serve(port: number, offer: () => Taker | undefined): Promise<void> {
    this.#check(port);
    if (this.#ports.has(port)) throw new VsockError("taken", `another listens at port ${port} of the host's`);
    this.#ports.add(port);
    try {
      await this.#device.listen(port, (connection) => {
        const take = this.#open.size < MOST_CONNECTIONS && !this.#ending.signal.aborted && offer();
        if (!take) return false;
        take(connection.sourcePort().then((guestPort) => this.#opened(connection, port, guestPort)));
        return true;
      });
    } catch (error) {
      this.#ports.delete(port);
      throw error;
    }
  }

  /** Takes them no more. */
  async unserve(port: number): Promise<void> {
    if (this.#ports.delete(port)) await this.#device.unlisten(port);
  }

  #check(port: number): void {
    if (!isVsockPort(port)) throw new TypeError(notVsockPort(port));
    this.#ending.signal.throwIfAborted();
  }

  /** The machine has ended: so do all connections, when what has come by them is read, and whoever waits for one. */
  async [Symbol.asyncDispose](): Promise<void> {
    const over = new VsockError("stopped", "the machine has ended");
    this.#ending.abort(over);
    for (const socket of this.#open) socket.finish(over);
    await Promise.all([...this.#ports].map((port) => this.unserve(port)));
  }
}
