/** Processes of a benchmark. */

import { ENVIRONMENT, Output, processes } from "../tests/e2e/vzrun.ts";

/** A process, ended with the block. What it writes much of is to be read. */
export class Running implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  #out?: Output;
  #err?: Output;

  constructor([program, ...args]: string[]) {
    const pipes = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
    this.#process = new Deno.Command(program, { args, ...ENVIRONMENT, ...pipes }).spawn();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** What it writes, as it is; or else {@linkcode out}. */
  get stdout(): ReadableStream<Uint8Array> {
    return this.#process.stdout;
  }

  /** What it writes, as text. */
  get out(): Output {
    return this.#out ??= new Output(this.#process.stdout);
  }

  /** What it writes to standard error, as text. */
  get err(): Output {
    return this.#err ??= new Output(this.#process.stderr);
  }

  /** CPU time of it and of those that it has started, in seconds. */
  cpu(): number {
    const own = processes().filter(({ pid, parent }) => pid === this.pid || parent === this.pid);
    return own.reduce((sum, { ticks }) => sum + ticks, 0) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch { /* it has ended */ }
    const [out, err] = [this.#process.stdout, this.#process.stderr];
    await Promise.all([
      this.#process.status,
      this.#out?.ended ?? (out.locked || out.cancel()),
      this.#err?.ended ?? (err.locked || err.cancel()),
    ]);
  }
}
