/** A TCP port of the host's that leads to one of the guest's. */

import { abortable } from "@std/async/abortable";
import { closeConnection, writeWhole } from "../host/connection.ts";
import type { Forward, Listener, Patience, Route } from "./port_forward.ts";

/** Room for one direction of a connection, in bytes: while little comes, and while much does. */
const [SMALL, LARGE] = [4 * 1024, 128 * 1024];

/** How many clients there may be at once, so that files are left for others; further ones wait in the system's queue. */
const CLIENTS = 4_096;

/** How soon to try again, in milliseconds. */
const RETRY = 1_000;

/** Waits, but not longer than until a signal is given. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const stop = () => resolve();
  if (signal.aborted) stop();
  signal.addEventListener("abort", stop);
  return promise.finally(() => {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  });
}

/**
 * Copies bytes, and then their end, as fast as they are taken.
 *
 * @param open The other side, for which the first bytes wait.
 */
async function copy(from: Deno.TcpConn, open: Promise<Deno.TcpConn>): Promise<void> {
  const small = new Uint8Array(SMALL);
  let buffer = small;
  for (let length; (length = await from.read(buffer)) !== null;) {
    const to = await open;
    try {
      await writeWhole(to, buffer.subarray(0, length));
    } catch (error) {
      // It has gone. What it has sent before that is still on its way through the other direction, and then its end.
      if (error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset) return;
      throw error;
    }
    if (length === buffer.length) buffer = buffer === small ? new Uint8Array(LARGE) : buffer;
    else if (length <= SMALL) buffer = small;
  }
  await (await open).closeWrite();
}

/** Listens for clients, and connects each with the guest. */
export class TCPForward implements Listener {
  readonly port: number;
  readonly #listener: Deno.TcpListener;
  readonly #over = new AbortController();
  readonly #clients = new Map<() => void, Promise<void>>();
  #accepting?: Promise<void>;
  #room = Promise.withResolvers<void>();

  /** @throws {Error} The system's, when the port cannot be had. */
  constructor({ hostAddress, hostPort }: Forward) {
    this.#listener = Deno.listen({ hostname: hostAddress, port: hostPort });
    this.port = this.#listener.addr.port;
  }

  serve(route: Route, patience: Patience): void {
    this.#accepting = this.#accept(route, patience.unreachable);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    this.#listener.close();
    const clients = [...this.#clients];
    for (const [end] of clients) end();
    await Promise.all([this.#accepting, ...clients.map(([, done]) => done)]);
    await new Promise((resolve) => setTimeout(resolve)); // only then does the system have the port back
  }

  async #accept(route: Route, patience: number): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        this.#connect(await this.#listener.accept(), route, patience);
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionAborted) continue; // by the client, before it was its turn
        route.checkRoom(error);
        await pause(RETRY, signal);
      }
      if (this.#clients.size < CLIENTS) continue;
      this.#room = Promise.withResolvers();
      await this.#room.promise;
    }
  }

  /** Has a client and the guest talk to each other, until both have ended. */
  #connect(client: Deno.TcpConn, route: Route, patience: number): void {
    const leaving = new AbortController();
    const open = this.#open(route, patience, leaving);
    const end = () => {
      leaving.abort(new Error("the client has gone"));
      closeConnection(client);
      open.then(closeConnection, () => {});
    };
    const there = copy(client, open).catch(end);
    const back = open.then((guest) => {
      guest.setNoDelay();
      client.setNoDelay();
      return copy(guest, Promise.resolve(client));
    }).catch(end);
    const done = Promise.all([there, back]).then(() => {
      end();
      this.#clients.delete(end);
      this.#room.resolve();
    });
    this.#clients.set(end, done);
  }

  /**
   * Connects with the guest. One that cannot be reached, since it boots or changes its network, is tried again.
   *
   * @param leaving Ends it.
   */
  async #open(route: Route, patience: number, leaving: AbortController): Promise<Deno.TcpConn> {
    const { signal } = leaving;
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      while (true) {
        const { hostname, port } = await abortable(route.find(), signal);
        timer ??= setTimeout(() => leaving.abort(new Error("it does not answer")), patience);
        try {
          return await Deno.connect({ hostname, port, signal });
        } catch (error) {
          if (error instanceof Deno.errors.ConnectionRefused) throw error;
          route.checkRoom(error);
          await pause(RETRY, signal);
          if (signal.aborted) throw error;
        }
      }
    } catch (error) {
      if (!this.#over.signal.aborted) route.tellFailure(error);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
