// Forwards whose guest is a server on loopback, and the host's way to it the straight one.

import { assert } from "@std/assert";
import { inTime } from "../../src/host/in_time.ts";
import { type Forward, listenAll, type Listeners, type Reach } from "../../src/machine/port_forward.ts";

const LIMIT = 10_000;
export const HOST = "127.0.0.1";
export const SILENT = { info() {}, debug() {} };

export const straight: Reach = (hostname, port) => Promise.resolve({ hostname, port });
export const atHost = () => Promise.resolve(HOST);

export function forward(guestPort: number, more: Partial<Forward> = {}): Forward {
  return { protocol: "tcp", hostAddress: HOST, hostPort: 0, guestPort, ...more };
}

/** What a promise gives, which is kept soon. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  assert(await inTime(promise, LIMIT), `not within ${LIMIT} ms: ${what}`);
  return await promise;
}

/** A server of a guest's, and forwards to it that are open until the end of the block. */
export class Guest implements AsyncDisposable {
  readonly port: number;
  readonly #listener = Deno.listen({ hostname: HOST, port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #serving: Promise<void>;

  /** @param serve Talks with a client, whose connection is closed then. */
  constructor(serve: (connection: Deno.TcpConn) => Promise<void>) {
    this.port = this.#listener.addr.port;
    this.#serving = this.#accept(serve);
  }

  async #accept(serve: (connection: Deno.TcpConn) => Promise<void>): Promise<void> {
    const all: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      this.#connections.add(connection);
      all.push(
        serve(connection).catch(() => {}).finally(() => {
          this.#connections.delete(connection);
          connection.close();
        }),
      );
    }
    await Promise.all(all);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) await connection.closeWrite().catch(() => {});
    await soon(this.#serving, "the server's end");
  }
}

export async function through(port: number, more: Partial<Forward> = {}): Promise<Listeners> {
  const listeners = await listenAll([forward(port, more)], "forward");
  listeners.serve(atHost, straight, SILENT);
  return listeners;
}

export function connect(listeners: Listeners, hostname = HOST, index = 0): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname, port: listeners.ports[index] });
}

export async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Everything until the end. */
export async function readAll(connection: Deno.Conn): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65536);
  for (let length; (length = await connection.read(buffer)) !== null;) chunks.push(buffer.slice(0, length));
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

export const bytesOf = (text: string) => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Bytes of which no two stretches are the same soon. */
export function pattern(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0, x = seed + 1; i < words.length; i++) words[i] = x = Math.imul(x, 1664525) + 1013904223;
  return new Uint8Array(words.buffer, 0, length);
}

export async function echo(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65536);
  for (let length; (length = await connection.read(buffer)) !== null;) {
    await writeAll(connection, buffer.subarray(0, length));
  }
}
