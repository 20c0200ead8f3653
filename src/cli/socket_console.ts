/**
 * The guest's console on a listening unix socket, one client at a time. The framework cannot listen, so here
 * the bytes do pass through: between two pipes, which the guest has for its whole life, and whoever is connected.
 */

import { MachineError } from "../machine/error.ts";
import { pipe, readSome, writeAll } from "../objc/mod.ts";
import type { Handles } from "../vz/mod.ts";
import { sayStep } from "./report.ts";

/** A console on a socket; disposing of it removes the socket. */
export interface SocketConsole extends Handles, Disposable {}

/** Listens at a path. A socket that is there but that nobody listens at any more is replaced. */
async function listen(path: string): Promise<Deno.UnixListener> {
  const fail = (problem: string): never => {
    throw new MachineError(`cannot listen at '${path}': ${problem}`);
  };
  try {
    const there = Deno.lstatSync(path);
    if (!there.isSocket) fail("it is there and no socket");
    const connection = await Deno.connect({ transport: "unix", path }).catch(() => null);
    connection?.close();
    if (connection) fail("somebody listens there");
    Deno.removeSync(path);
  } catch (error) {
    if (error instanceof MachineError) throw error;
    if (!(error instanceof Deno.errors.NotFound)) fail((error as Error).message);
  }
  try {
    const listener = Deno.listen({ transport: "unix", path });
    Deno.chmodSync(path, 0o600);
    return listener;
  } catch (error) {
    return fail((error as Error).message);
  }
}

/**
 * Opens one.
 *
 * @throws {MachineError} When nobody can listen there.
 */
export async function openSocketConsole(path: string): Promise<SocketConsole> {
  const listener = await listen(path);
  const [toGuest, fromGuest] = [pipe(), pipe()];
  let client: Deno.UnixConn | undefined;

  (async () => {
    for await (const connection of listener) {
      client = connection;
      sayStep(`a client at ${path}`);
      try {
        for await (const bytes of connection.readable) await writeAll(toGuest.writing, bytes);
      } catch { /* it has gone, which is its right */ }
      client = undefined;
    }
  })();

  (async () => {
    const buffer = new Uint8Array(65536);
    for (
      let bytes = await readSome(fromGuest.reading, buffer);
      bytes;
      bytes = await readSome(fromGuest.reading, buffer)
    ) {
      try {
        for (let at = 0; client && at < bytes.length;) at += await client.write(bytes.subarray(at));
      } catch { /* what nobody reads is dropped, as on a serial line */ }
    }
  })();

  return {
    reading: toGuest.reading,
    writing: fromGuest.writing,
    [Symbol.dispose]() {
      listener.close();
      try {
        Deno.removeSync(path); // where close() has not
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    },
  };
}
