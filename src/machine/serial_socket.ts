/**
 * The guest's console on a listening unix socket, one client at a time. The framework cannot listen, so here
 * the bytes do pass through: between two pipes, which the guest has for its whole life, and whoever is connected.
 */

import { MachineError } from "../machine/error.ts";
import { type NSObject } from "../objc/mod.ts";
import { closeFile, pipe, readSome, writeAll } from "../host/descriptors.ts";
import { withUmask } from "../host/process.ts";
import type { Handles } from "../vz/mod.ts";
import { sayStep } from "./report.ts";

/** A console on a socket; disposing of it removes the socket and sends what is still on its way. */
export interface SocketConsole extends Handles, AsyncDisposable {}

/** How long a client may take for the end of what the guest has written, in milliseconds. */
const LAST_BYTES = 5_000;

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
    return withUmask(0o177, () => Deno.listen({ transport: "unix", path })); // before a chmod others could connect
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
      client?.close();
      client = connection;
      sayStep(`a client at ${path}`);
      // The end of its input is not the end of its reading: it is the client until the next one comes.
      await copyInput(connection, toGuest.writing);
    }
  })();

  const copyOutput = async () => {
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
  };
  const sent = copyOutput();

  return {
    reading: toGuest.reading,
    writing: fromGuest.writing,
    async [Symbol.asyncDispose]() {
      listener.close();
      try {
        Deno.removeSync(path); // where close() has not
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
      closeFile(fromGuest.writing); // the machine has closed its own: the end comes behind the last byte
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(late.resolve, LAST_BYTES);
      await Promise.race([sent, late.promise]);
      clearTimeout(timer);
      client?.close();
    },
  };
}

/** Copies what a client sends to the guest, until the client ends it or has gone. */
async function copyInput(connection: Deno.UnixConn, guest: NSObject): Promise<void> {
  const buffer = new Uint8Array(65536);
  try {
    // Not connection.readable, which closes the connection at the end.
    for (
      let length = await connection.read(buffer);
      length !== null;
      length = await connection.read(buffer)
    ) {
      await writeAll(guest, buffer.subarray(0, length));
    }
  } catch { /* it has gone, which is its right */ }
}
