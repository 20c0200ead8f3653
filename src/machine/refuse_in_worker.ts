/** Where machines can be made. */

import { MachineError } from "./error.ts";

/**
 * The framework calls into the isolate that has made a machine, at any time until it has ended. `terminate()` frees
 * what is called without a word to anybody, and the next call ends the whole program by a segmentation fault.
 */
export function refuseInWorker(): void {
  if (!("WorkerGlobalScope" in globalThis)) return;
  throw new MachineError(
    "a worker that is terminated while its machine runs takes the whole program with it",
    {
      remedy: "make the machine on the main thread, which waits for nothing of it",
    },
  );
}
