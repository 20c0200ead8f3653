import { SIGUSR1 } from "./libraries.ts";
import { ignoreSignal } from "./process.ts";

/**
 * Has the signal ignored from now on at which Deno opens its debugger to every user of this computer, who could then run
 * code as the one whose machine it is. Log rotation, for one, sends it.
 *
 * Deno 2.9 listens to it half a second after its start, whatever was set before, unless it has a listener already: it
 * sets one handler for each signal, once. Before that the signal ends the process, as it does any that knows nothing of it.
 */
export function keepDebuggerShut(): void {
  Deno.addSignalListener("SIGUSR1", () => {});
  ignoreSignal(SIGUSR1);
}
