/** The guest's console as two streams of the program that runs the machine. */

import { closeFile, pipe, readSome, writeAll } from "../host/descriptors.ts";
import { inTime } from "../host/in_time.ts";
import type { NSObject } from "../objc/mod.ts";
import type { ConsoleStreams, SerialHandles } from "./serial.ts";

/** A console as streams; to be disposed of when the machine has ended, which ends the streams too. */
export interface OpenedStreams extends AsyncDisposable {
  streams: ConsoleStreams;
  handles: SerialHandles;
}

/** How long the pipes may take to end, in milliseconds: a child process could have inherited them. */
const LAST_BYTES = 1_000;

/** Opens one. */
export function openStreams(): OpenedStreams {
  const [toGuest, fromGuest] = [pipe(), pipe()];
  const output = readOutput(fromGuest.reading);
  let written: Promise<unknown> = Promise.resolve();
  let over = false;
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    async write(bytes) {
      const writing = over ? Promise.resolve(false) : writeAll(toGuest.writing, bytes);
      written = writing;
      if (!await writing) throw new Error("The machine has ended");
    },
  });
  return {
    streams: { readable: output.readable, writable },
    handles: { reading: toGuest.reading, writing: fromGuest.writing, wrote: output.wrote },
    async [Symbol.asyncDispose]() {
      over = true;
      closeFile(toGuest.reading); // fails the write that waits for room in the pipe
      closeFile(fromGuest.writing); // the machine has closed its own: the end comes behind the last byte
      const closed = [output.rest(), written.then(() => closeFile(toGuest.writing))];
      await inTime(Promise.all(closed), LAST_BYTES).catch(() => {});
    },
  };
}

/** The bytes of a pipe as a stream, and a function that reads all that is left and closes the pipe. */
function readOutput(pipe: NSObject) {
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>> | undefined; // until it is cancelled
  let ended = false;
  let wrote = false;
  let reading = Promise.resolve();
  const readOnce = async () => {
    if (ended) return;
    const bytes = await readSome(pipe, new Uint8Array(65536));
    if (bytes) {
      wrote = true;
      return controller?.enqueue(bytes);
    }
    ended = true;
    closeFile(pipe);
    controller?.close();
  };
  const read = () => reading = reading.then(readOnce);
  const rest = async () => {
    while (!ended) await read();
  };
  const readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(itself) {
      controller = itself;
    },
    pull: read,
    cancel() {
      controller = undefined;
      rest(); // or the guest would wait for ever to be read, and never end
    },
  }, { highWaterMark: 0 });
  return { readable, rest, wrote: () => wrote };
}
