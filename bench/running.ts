/** Processes of a benchmark. */

import { ENVIRONMENT, Output } from "../tests/e2e/vzrun.ts";

/** A process whose output is read, ended with the block. */
export class Running implements AsyncDisposable {
  readonly out: Output;
  readonly #process: Deno.ChildProcess;

  constructor([program, ...args]: string[], stream: "stdout" | "stderr" = "stdout") {
    const pipes = { stdin: "null", stdout: "null", stderr: "null", [stream]: "piped" } as const;
    this.#process = new Deno.Command(program, { args, ...ENVIRONMENT, ...pipes }).spawn();
    this.out = new Output(this.#process[stream]);
  }

  /** CPU time of it and of those that it has started, in seconds. */
  cpu(): number {
    const ticks = (pid: number) => {
      const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /s, "").split(" ");
      return { parent: Number(fields[1]), used: Number(fields[11]) + Number(fields[12]) };
    };
    const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
    const all = pids.flatMap((pid) => {
      try {
        return [{ pid, ...ticks(pid) }];
      } catch {
        return [];
      }
    });
    const own = all.filter(({ pid, parent }) => pid === this.#process.pid || parent === this.#process.pid);
    return own.reduce((sum, { used }) => sum + used, 0) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch { /* it has ended */ }
    await Promise.all([this.#process.status, this.out.ended]);
  }
}
