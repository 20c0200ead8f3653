/** Two streams that are one connection, and two such connections that are joined. */

import { closeConnection, writeWhole } from "../host/connection.ts";

/** A connection: each direction ends on its own, and to abort a direction ends the whole. */
export interface Duplex {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly writable: WritableStream<Uint8Array<ArrayBuffer>>;
  /** Ends it at once. */
  close(): void;
}

/** Room for what is read, in bytes: while little comes, and while much does. */
const [SMALL, LARGE] = [4 * 1024, 128 * 1024];

/**
 * A connection of Deno's. (Deno's own streams of it close the whole at the end of one direction.)
 *
 * @param first What was read of it before.
 */
export function duplexOf(connection: Deno.UnixConn, first = new Uint8Array()): Duplex {
  let writer: WritableStreamDefaultController | undefined;
  const close = () => {
    closeConnection(connection);
    writer?.error(new Error("the connection was closed on this side")); // who reads it hears of it from Deno
  };
  let directions = 2;
  const end = () => {
    if (--directions === 0) close();
  };
  const small = new Uint8Array(SMALL);
  let room = small;
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      if (first.length > 0) {
        controller.enqueue(first);
        first = new Uint8Array();
        return;
      }
      const length = await connection.read(room);
      if (length === null) {
        controller.close();
        return end();
      }
      controller.enqueue(room.slice(0, length));
      if (length === room.length) room = room === small ? new Uint8Array(LARGE) : room;
      else if (length <= SMALL) room = small;
    },
    cancel: end,
  }, { highWaterMark: 0 });
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    // Not the sink's abort(), which is called only when the write that waits has ended.
    start(controller) {
      writer = controller;
      controller.signal.addEventListener("abort", close);
    },
    async write(bytes) {
      try {
        await writeWhole(connection, bytes);
      } catch (error) {
        end();
        throw error;
      }
    },
    async close() {
      await connection.closeWrite();
      end();
    },
  });
  return { readable, writable, close };
}

/**
 * Gives each what the other sends, as fast as it takes that, and then its end. One that has gone ends what the other sends;
 * what it has sent itself before still arrives.
 *
 * @returns When the second has got all of the first, and when both directions are over and both are closed.
 */
export function join(a: Duplex, b: Duplex): { drained: Promise<unknown>; done: Promise<void> } {
  const drained = a.readable.pipeTo(b.writable).catch(() => {});
  const back = b.readable.pipeTo(a.writable).catch(() => {});
  const done = Promise.all([drained, back]).then(() => {
    a.close();
    b.close();
  });
  return { drained, done };
}
