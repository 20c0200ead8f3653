/** How a run is brought to its end from outside: signals, keys, a reader that has gone. */

import { canWrite } from "../host/poll.ts";
import { isSignalIgnored, SIGNALS } from "../host/process.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import { wordsOf } from "../vz/mod.ts";
import * as log from "./log.ts";
import type { EndingOptions } from "./run_options.ts";

/** How runs end where nothing else is said: within 10 s, and with a shell's exit code. */
const USUAL: EndingOptions = { grace: 10 };

/** What comes so soon is the same request, in milliseconds: timeout(1) signals its child, and then its group. */
const ONE_REQUEST = 50;

/** How often the power button is pressed meanwhile: a guest that is still starting does not notice it. */
const PRESS_AGAIN = 1_000;

const STDERR = 2;

/** As a shell has it for what SIGPIPE ends. */
const READER_GONE = 128 + 13;

/** Ends a run: asks the machine first, then forces it. */
export class Shutdown implements Disposable {
  /** Exit code of the run when it is ended from outside; undefined as long as nobody has. */
  exitCode: number | undefined;
  #preparation: AbortController | undefined;
  /** Settles with the exit code when there is no machine yet that could be stopped. */
  readonly givenUp: Promise<number>;
  readonly #giveUp: (exitCode: number) => void;
  #machine: VirtualMachine | undefined;
  /** Settles when the machine runs: before that it cannot be asked. */
  #started: Promise<void> | undefined;
  #running = false;
  #noTimeout = false;
  #askedAt = 0;
  /** Whoever asked has been told what comes of it. */
  #said = false;
  readonly #options: EndingOptions;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #press: ReturnType<typeof setInterval> | undefined;
  readonly #listeners: [Deno.Signal, () => void][] = [];

  /**
   * Listens to signals from now on.
   *
   * @param onTerminal Whether the console is stdio: then a closed terminal ends the run.
   */
  constructor(onTerminal: boolean, options = USUAL) {
    this.#options = options;
    ({ promise: this.givenUp, resolve: this.#giveUp } = Promise.withResolvers<number>());
    log.waitForNobody(() => canWrite(STDERR)); // a signal is to be heard whoever reads
    for (const [name, number] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]) {
      // nohup, or a background job of a script: it is to stay so. Listened to all the same, because once there is
      // any listener Deno ends the program at each signal of these that has none.
      const ignored = isSignalIgnored(number);
      const listener = () => {
        if (ignored) return;
        if (name === "SIGHUP" && !onTerminal) return log.debug("the terminal is gone; the machine runs on");
        this.ask(name, options.exitCode ?? 128 + number);
      };
      Deno.addSignalListener(name, listener);
      this.#listeners.push([name, listener]);
    }
  }

  /**
   * Does work before there is a machine.
   *
   * @param work Is told by the signal that the run has been ended, and then leaves nothing behind.
   * @returns What the work has made; undefined when the run was ended meanwhile.
   */
  async prepare<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    const preparation = this.#preparation = new AbortController();
    try {
      return await work(preparation.signal);
    } catch (error) {
      if (preparation.signal.aborted) return undefined;
      throw error;
    } finally {
      this.#preparation = undefined;
    }
  }

  /** Starts the machine that is to be ended. */
  async start(machine: VirtualMachine): Promise<void> {
    this.#machine = machine;
    await (this.#started = machine.start());
    this.#running = true;
  }

  /** Nobody reads stdout any more. */
  readerGone(): void {
    if (this.exitCode === undefined) this.ask("nobody reads stdout", READER_GONE);
  }

  /**
   * Asks the guest to power off, and forces it after a while, or at once when it was asked before.
   *
   * @param noTimeout The guest gets all the time that it wants: somebody sits before its screen and can ask again.
   */
  ask(why: string, exitCode: number, noTimeout = false): void {
    // A lost reader and SIGHUP count as one request. A signal after a request without a time limit is a first one: it
    // has a limit and an exit code.
    const again = this.exitCode !== undefined && this.exitCode !== READER_GONE &&
      (noTimeout || !this.#noTimeout);
    if (again && !this.#said && performance.now() - this.#askedAt < ONE_REQUEST) return;
    if (again) return this.force(`${why} again`, this.exitCode!);
    [this.#askedAt, this.#said] = [performance.now(), false];
    if (this.#preparation) {
      this.exitCode = exitCode;
      return this.#preparation.abort();
    }
    if (!this.#machine) return this.#giveUp(exitCode); // nothing has been started yet
    this.exitCode = exitCode;
    this.#noTimeout = noTimeout;
    this.#stopTimers();
    if (!this.#running) this.#say(`${why}: the guest will be asked to power off when it has started`);
    const { grace } = this.#options;
    this.#press = setInterval(() => this.#machine?.requestStop().catch(() => {}), PRESS_AGAIN);
    this.#grace = setTimeout(() => {
      if (noTimeout) this.#stopTimers(); // it may be asking somebody whether to
      else this.force(`it did not power off in ${grace} s`, exitCode);
    }, grace * 1_000);
    this.#endIfSaved(why, exitCode).then((ended) => ended ? undefined : this.#pressButton()).then((asked) => {
      if (asked === undefined) return;
      if (this.#press === undefined) return; // it has ended, or another request has come meanwhile
      const more = noTimeout ? "; once more ends the machine" : "";
      const word = asked ? "asked the guest to power off" : "the guest cannot be asked to power off now";
      this.#say(`${why}: ${word}${more}`);
    }, (error) => {
      if (this.#press === undefined || !this.#running) return; // or it has not even started, which is said elsewhere
      const more = noTimeout ? "" : `; it is asked again, for ${grace} s`;
      this.#say(`${why}: the guest could not be asked to power off (${wordsOf(error)})${more}`);
    });
  }

  #say(message: string): void {
    this.#said = true;
    log.info(message);
  }

  /** A guest that would go on, to power off, would make worthless what was saved of it. */
  async #endIfSaved(why: string, exitCode: number): Promise<boolean> {
    await this.#started;
    if (!await this.#machine?.isSaved()) return false;
    this.force(`${why}: it was saved`, exitCode);
    return true;
  }

  /** @returns Whether the guest could be asked. */
  async #pressButton(): Promise<boolean> {
    await this.#started;
    const operations = await this.#machine?.operations();
    if (operations?.resume) await this.#machine?.resume(); // a paused one hears nothing
    if (!operations?.resume && !operations?.requestStop) return false;
    await this.#machine?.requestStop();
    return true;
  }

  /** Ends the machine now. */
  force(why: string, exitCode: number): void {
    this.exitCode = exitCode;
    this.#stopTimers();
    log.info(`${why}: ended the machine`);
    // One that is still starting cannot be stopped, but it does not outlive this process.
    if (!this.#running) return this.#giveUp(exitCode);
    this.#machine?.stop().catch((error) => {
      // macOS 11 cannot end a machine, but none outlives its process.
      if (error.name === "UnavailableError") this.#giveUp(exitCode);
      else log.debug(wordsOf(error)); // it may have stopped meanwhile: then there is nothing to do
    });
  }

  #stopTimers(): void {
    // Deno loads what it has for timers at the first use of one, which takes as long as a dry run's own work.
    if (this.#grace !== undefined) clearTimeout(this.#grace);
    if (this.#press !== undefined) clearInterval(this.#press);
    this.#press = undefined;
  }

  /** Gives the signals back. */
  [Symbol.dispose](): void {
    this.#stopTimers();
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }
}
