import { closeFile, pipe, pump, writeAll } from "../host/descriptors.ts";
import { inTime } from "../host/in_time.ts";
import type { SerialHandles } from "../machine/serial.ts";

/** How long the last bytes may take, in milliseconds: nobody may be there to read them. */
const LAST_BYTES = 1_000;

/** A console whose output passes through here, so that it is known whether there was any. */
export interface NoticedOutput extends SerialHandles, AsyncDisposable {
  wrote(): boolean;
}

/** Puts itself between the guest and a console. */
export function noticeOutput(console: SerialHandles & Disposable): NoticedOutput {
  const { reading, writing } = pipe();
  let wrote = false;
  const shown = pump(reading, (bytes) => {
    wrote = true;
    return writeAll(console.writing, bytes);
  });
  return {
    reading: console.reading,
    writing,
    wrote: () => wrote,
    async [Symbol.asyncDispose]() {
      closeFile(writing); // the machine has closed its own: the end comes behind the last byte
      await inTime(shown, LAST_BYTES).catch(() => {});
      console[Symbol.dispose]();
    },
  };
}
