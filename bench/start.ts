/** Measures starts: until the virtual machine is asked to run, and until its guest says something. */

import { Screen } from "../tests/e2e/screen.ts";
import { ENVIRONMENT } from "../tests/e2e/vzrun.ts";
import { type Bench, FILES, machine, nativeMachine, now, program, status, timed, vzrun } from "./bench.ts";
import { column, inTurn, type Row } from "./figures.ts";

const COMMAND_LINE = "console=hvc0";

/** Milliseconds from exec to a first byte on standard output, and the peak memory until then in MiB. */
async function boot([command, ...args]: string[]): Promise<[ms: number, memory: number]> {
  const from = now();
  await using child = new Deno.Command(command, { args, ...ENVIRONMENT, stdin: "null", stdout: "piped" })
    .spawn();
  const reader = child.stdout.getReader();
  if ((await reader.read()).done) throw new Error("it has ended before it said anything");
  const figures: [number, number] = [now() - from, status(child.pid, "VmHWM") / 1024];
  await reader.cancel();
  child.kill("SIGKILL");
  return figures;
}

/** Milliseconds of an empty script from exec to its end, and its peak memory in MiB. */
async function emptyScript(): Promise<[ms: number, memory: number]> {
  const [ms, memory] = await timed(program("open_libraries"));
  return [ms, Number(memory) / 1024];
}

/** Starts machines whose QEMU only notes when it was started, and ends: the program then fails. */
class Starts {
  readonly #stamp: string;
  readonly #env: Record<string, string>;

  constructor({ scratch, kept }: Bench) {
    this.#stamp = `${scratch}/stamp`;
    this.#env = { BENCH_STAMP: this.#stamp, VIRTUALIZATION_QEMU: `${kept}/stamp` };
  }

  /** Milliseconds from exec, or from the moment that the program prints, to the machine's start. */
  async time([command, ...args]: string[], env: Record<string, string> = {}): Promise<number> {
    const from = now();
    const { stdout } = await new Deno.Command(command, {
      args,
      clearEnv: true,
      env: { ...ENVIRONMENT.env, ...this.#env, ...env },
      stdin: "null",
      stderr: "null",
    }).output();
    const stamp = Number(await Deno.readTextFile(this.#stamp));
    await Deno.remove(this.#stamp);
    return stamp - (Number(new TextDecoder().decode(stdout)) || from);
  }
}

export async function* measureStart(bench: Bench): AsyncGenerator<Row> {
  const starts = new Starts(bench);
  const { executable } = bench;
  const { empty, ours, theirs, compiled } = await inTurn(2 * bench.rounds + 1, {
    empty: async () => (await emptyScript())[0],
    ours: () => starts.time(vzrun(...machine(COMMAND_LINE))),
    theirs: () => starts.time(nativeMachine(bench.kept, COMMAND_LINE)),
    compiled: async () => executable ? await starts.time([executable, ...machine(COMMAND_LINE)]) : 0,
  });
  yield { what: "exec to the VM's start", unit: "ms", vzrun: ours, native: theirs, empty };
  if (executable) {
    yield { what: "that of the executable", unit: "ms", vzrun: compiled, native: theirs, empty };
  }
}

export async function* measureBoot({ rounds, kept, executable }: Bench): AsyncGenerator<Row> {
  const { empty, ours, theirs, compiled } = await inTurn(Math.min(rounds, 3), {
    empty: emptyScript,
    ours: () => boot(vzrun(...machine(COMMAND_LINE))),
    theirs: () => boot(nativeMachine(kept, COMMAND_LINE)),
    compiled: async () => executable ? await boot([executable, ...machine(COMMAND_LINE)]) : [0, 0],
  });
  const row = (vzrun: number[][], i: number) => ({
    ...column({ vzrun, native: theirs }, i),
    ...i === 1 && { empty: column({ empty }, 1).empty },
  });
  const [byte, memory] = [
    { what: "exec to the guest's first byte", unit: "ms" },
    { what: "peak memory until then", unit: "MiB" },
  ];
  yield { ...byte, ...row(ours, 0) };
  yield { ...memory, ...row(ours, 1) };
  if (!executable) return;
  yield { ...byte, what: `${byte.what}, executable`, ...row(compiled, 0) };
  yield { ...memory, what: `${memory.what}, executable`, ...row(compiled, 1) };
}

export async function* measureLibrary(bench: Bench): AsyncGenerator<Row> {
  const starts = new Starts(bench);
  const { ours } = await inTurn(bench.rounds, {
    ours: () => starts.time(program("start_library", ...FILES, COMMAND_LINE)),
  });
  yield { what: "VirtualMachine.create to the VM's start", unit: "ms", vzrun: ours };
}

export async function* measureWindow(bench: Bench): AsyncGenerator<Row> {
  const starts = new Starts(bench);
  await using screen = await Screen.start();
  const options = machine(COMMAND_LINE).filter((option) => option !== "-nographic");
  const { empty, ours } = await inTurn(Math.min(bench.rounds, 5), {
    empty: async () => (await emptyScript())[0],
    ours: () => starts.time(vzrun(...options, "-display", "window"), screen.how.env),
  });
  yield { what: "exec to the VM's start with a window", unit: "ms", vzrun: ours, empty };
}
