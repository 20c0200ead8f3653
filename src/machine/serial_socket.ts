/**
 * The guest's console on a listening socket, one client at a time. The framework cannot listen, so here
 * the bytes do pass through: between two pipes, which the guest has for its whole life, and whoever is connected.
 * A client that reads nothing does not stop the guest: what does not fit is dropped.
 */

import { closeFile, pipe, pump, writeAll } from "../host/descriptors.ts";
import { inTime } from "../host/in_time.ts";
import { LossyWriter } from "../host/lossy_writer.ts";
import type { NSObject } from "../objc/mod.ts";
import { toMachineError } from "./error.ts";
import { listen } from "./listen.ts";
import type { RunContext } from "./run_context.ts";
import type { Serial, SerialHandles } from "./serial.ts";
import { GREETING, TelnetReader, toTelnet } from "./telnet.ts";

/** A console on a socket. */
type SocketSerial = Extract<Serial, { kind: "unix" | "tcp" }>;

/** How long a client that is slow may take for the end of what the guest has written, in milliseconds. */
const LAST_BYTES = 5_000;

/**
 * Opens one. Disposing of it removes the socket and sends what is still on its way.
 *
 * @param name The guest's name for it: hvc0.
 * @throws {MachineError} When nobody can listen there.
 */
export async function openSocket(
  port: SocketSerial,
  name: string,
  field: string,
  { debug, result, signal }: RunContext,
): Promise<SerialHandles & AsyncDisposable> {
  const { listener, place, close } = await listen(port).catch((error) => {
    throw toMachineError(`${field}.${port.kind === "unix" ? "path" : "port"}`, "", error);
  });
  const isChosen = port.kind === "tcp" && port.port === 0;
  if (port.wait || isChosen) result(`${name} is at ${place}`);
  const telnet = port.kind === "tcp" && port.telnet;
  const [toGuest, fromGuest] = [pipe(), pipe()];
  const come = Promise.withResolvers<void>();
  let client: Deno.Conn | undefined;
  let output: LossyWriter | undefined;
  const leave = () => {
    output?.close();
    client?.close(); // a write that waits fails
  };

  const accepting = (async () => {
    for await (const connection of listener) {
      leave();
      client = connection;
      output = new LossyWriter((bytes) => connection.write(bytes));
      debug(`a client at ${place}`);
      come.resolve();
      if (telnet) output.offer(GREETING);
      // The end of its input is not the end of its reading: it is the client until the next one comes.
      await copyInput(connection, toGuest.writing, telnet ? new TelnetReader() : undefined);
    }
  })();

  let wrote = false;
  const offer = (bytes: Uint8Array<ArrayBuffer>) => {
    wrote = true;
    return output?.offer(telnet ? toTelnet(bytes) : bytes);
  };
  const sent = pump(fromGuest.reading, offer).then(() => output?.drain());
  const opened = {
    reading: toGuest.reading,
    writing: fromGuest.writing,
    wrote: () => wrote,
    async [Symbol.asyncDispose]() {
      await close(accepting);
      closeFile(toGuest.reading); // fails the write that waits for room in the pipe
      closeFile(fromGuest.writing); // the machine has closed its own: the end comes behind the last byte
      await inTime(sent, LAST_BYTES);
      leave();
    },
  };
  if (!port.wait) return opened;
  try {
    const { abortable } = await import("@std/async/abortable");
    await abortable(come.promise, signal);
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
  return opened;
}

/** Copies what a client sends to the guest, until the client ends it or has gone. */
async function copyInput(connection: Deno.Conn, guest: NSObject, telnet?: TelnetReader): Promise<void> {
  const buffer = new Uint8Array(65536);
  try {
    // Not connection.readable, which closes the connection at the end.
    for (
      let length = await connection.read(buffer);
      length !== null;
      length = await connection.read(buffer)
    ) {
      const bytes = buffer.subarray(0, length);
      await writeAll(guest, telnet ? telnet.typed(bytes) : bytes);
    }
  } catch { /* it has gone, which is its right */ }
}
