/** How a run is brought to its end from outside: signals, keys, a reader that has gone. */

import type { VirtualMachine } from "../vz/mod.ts";
import { say, sayStep } from "./report.ts";

/** How long a guest may take to power off before it is forced, in milliseconds. */
const GRACE = 10_000;

/** Signal numbers, which are the same on macOS and Linux. */
const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;
const SIGPIPE = 13;

/** Ends a machine: asks first, then forces. */
export class Ending implements Disposable {
  /** Exit code of the run when it is ended from outside; undefined as long as nobody has. */
  exitCode: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners: [Deno.Signal, () => void][] = [];

  /**
   * @param started Settles when the machine runs: before that it cannot be asked.
   * @param onTerminal Whether the console is stdio: then a closed terminal ends the run.
   */
  constructor(
    readonly machine: VirtualMachine,
    readonly started: Promise<void>,
    onTerminal: boolean,
  ) {
    for (const [name, number] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]) {
      const listener = () => {
        if (name === "SIGHUP" && !onTerminal) return sayStep("the terminal is gone; the machine runs on");
        this.ask(name, 128 + number);
      };
      Deno.addSignalListener(name, listener);
      this.#listeners.push([name, listener]);
    }
  }

  /** Nobody reads stdout any more. */
  readerGone(): void {
    if (this.exitCode === undefined) this.ask("nobody reads stdout", 128 + SIGPIPE);
  }

  /** Asks the guest to power off, and forces it after a while, or at once when it was asked before. */
  ask(why: string, exitCode: number): void {
    if (this.exitCode !== undefined) return this.force(`${why} again`, this.exitCode);
    this.exitCode = exitCode;
    say(`${why}: asked the guest to power off`);
    this.#timer = setTimeout(() => this.force("it did not power off in 10 s", exitCode), GRACE);
    this.started
      .then(() => this.machine.requestStop())
      .catch((error) => this.force((error as Error).message, exitCode));
  }

  /** Ends the machine now. */
  force(why: string, exitCode: number): void {
    this.exitCode = exitCode;
    clearTimeout(this.#timer);
    say(`${why}: ended the machine`);
    // It may have stopped meanwhile, or never have started: then there is nothing to do.
    this.started.then(() => this.machine.stop()).catch((error) => sayStep((error as Error).message));
  }

  /** Gives the signals back. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }
}
