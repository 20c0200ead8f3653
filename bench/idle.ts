/** Measures what programs do while their guests sleep. */

import { pause, ticksOf } from "../tests/e2e/vzrun.ts";
import { type Bench, commandLine, machine, nativeMachine, status, vzrun } from "./bench.ts";
import { column, type Row } from "./figures.ts";
import { Running } from "./running.ts";

const SECONDS = 10;
/** What a start leaves behind is not idleness: Deno's pool lets its threads go when they were idle for 10 s. */
const SETTLING = 12_000;
const COMMAND_LINE = commandLine("echo idle; sleep 1000");

/** Voluntary context switches by thread, and CPU time in ms. */
function figuresOf(pid: number): { switches: Map<string, number>; cpu: number } {
  const switches = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    switches.set(name, status(pid, "voluntary_ctxt_switches", name));
  }
  return { switches, cpu: ticksOf(pid) * 10 };
}

/** What happens in a process in so many seconds: context switches of all its threads, and CPU time in ms. */
async function watch({ pid }: Running): Promise<[switches: number, cpu: number]> {
  const before = figuresOf(pid);
  await pause(SECONDS * 1000);
  const after = figuresOf(pid);
  // A thread that has ended meanwhile, from a pool, woke once to do so.
  let switches = [...before.switches.keys()].filter((thread) => !after.switches.has(thread)).length;
  for (const [thread, count] of after.switches) switches += count - (before.switches.get(thread) ?? 0);
  return [switches, after.cpu - before.cpu];
}

/** All sleep at the same time, since none takes anything from another. */
export async function* measureIdle({ kept }: Bench): AsyncGenerator<Row> {
  await using ours = new Running(vzrun(...machine(COMMAND_LINE)));
  await using theirs = new Running(nativeMachine(kept, COMMAND_LINE));
  await Promise.all([ours, theirs].map(({ out }) => out.until("idle")));
  await pause(SETTLING);
  const [one, other] = await Promise.all([ours, theirs].map(watch));
  const results = { vzrun: [one], native: [other] };
  yield { what: `context switches in ${SECONDS} idle s`, unit: "", ...column(results, 0) };
  yield { what: `CPU time in ${SECONDS} idle s`, unit: "ms", ...column(results, 1) };
}
