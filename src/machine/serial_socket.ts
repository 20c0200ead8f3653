/**
 * The guest's console on a listening unix socket, one client at a time. The framework cannot listen, so here
 * the bytes do pass through: between two pipes, which the guest has for its whole life, and whoever is connected.
 * A client that reads nothing does not stop the guest: what does not fit is dropped.
 */

import { closeFile, pipe, pump, writeAll } from "../host/descriptors.ts";
import { FileError, ignoreNotFound } from "../host/error.ts";
import { inTime } from "../host/in_time.ts";
import { LossyWriter } from "../host/lossy_writer.ts";
import { withUmask } from "../host/process.ts";
import type { NSObject } from "../objc/mod.ts";
import { toMachineError } from "./error.ts";
import type { SerialHandles } from "./serial.ts";

/** How long a client that is slow may take for the end of what the guest has written, in milliseconds. */
const LAST_BYTES = 5_000;

/** Listens at a path. A socket that is there but that nobody listens at any more is replaced. */
async function listen(path: string): Promise<Deno.UnixListener> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new FileError(`cannot listen at '${path}': ${problem}`, { cause });
  };
  try {
    const there = ignoreNotFound(() => Deno.lstatSync(path));
    if (there && !there.isSocket) fail("it is there and no socket");
    if (there) {
      const connection = await Deno.connect({ transport: "unix", path }).catch(() => null);
      connection?.close();
      if (connection) fail("somebody listens there");
      ignoreNotFound(() => Deno.removeSync(path));
    }
    return withUmask(0o177, () => Deno.listen({ transport: "unix", path })); // before a chmod others could connect
  } catch (error) {
    if (error instanceof FileError) throw error;
    return fail((error as Error).message, error);
  }
}

/**
 * Opens one. Disposing of it removes the socket and sends what is still on its way.
 *
 * @param onStep Told of clients.
 * @throws {MachineError} When nobody can listen there.
 */
export async function openSocket(
  path: string,
  field: string,
  onStep: (message: string) => void,
): Promise<SerialHandles & AsyncDisposable> {
  const listener = await listen(path).catch((error) => {
    throw toMachineError(`${field}.path`, "", error);
  });
  const [toGuest, fromGuest] = [pipe(), pipe()];
  let client: Deno.UnixConn | undefined;
  let output: LossyWriter | undefined;
  const leave = () => {
    output?.close();
    client?.close(); // a write that waits fails
  };

  (async () => {
    for await (const connection of listener) {
      leave();
      client = connection;
      output = new LossyWriter((bytes) => connection.write(bytes));
      onStep(`a client at ${path}`);
      // The end of its input is not the end of its reading: it is the client until the next one comes.
      await copyInput(connection, toGuest.writing);
    }
  })();

  const sent = pump(fromGuest.reading, (bytes) => output?.offer(bytes)).then(() => output?.drain());

  return {
    reading: toGuest.reading,
    writing: fromGuest.writing,
    async [Symbol.asyncDispose]() {
      listener.close();
      ignoreNotFound(() => Deno.removeSync(path)); // where close() has not
      closeFile(fromGuest.writing); // the machine has closed its own: the end comes behind the last byte
      await inTime(sent, LAST_BYTES);
      leave();
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
