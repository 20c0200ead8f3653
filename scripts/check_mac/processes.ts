/** The processes that run machines: QEMU, or the framework's own, which are no children of ours. */

import type { Lab } from "./lab.ts";

interface Process {
  pid: number;
  parent: number;
  /** Of the processor, in seconds. */
  time: number;
  command: string;
}

async function all(lab: Lab): Promise<Process[]> {
  const { out } = await lab.run("exec ps -axo pid=,ppid=,time=,command=", []);
  return out.trim().split("\n").map((line) => {
    const [pid, parent, time, command] = line.trim().split(/\s+/);
    const seconds = time.split(/[:-]/).reduce((sum, part) => sum * 60 + Number(part), 0);
    return { pid: Number(pid), parent: Number(parent), time: seconds, command: command ?? "" };
  });
}

/** The numbers of those that run machines of this process, or may. */
export async function machineProcesses(lab: Lab): Promise<number[]> {
  const found = (await all(lab)).filter(({ parent, command }) =>
    command.includes("com.apple.Virtualization") || parent === Deno.pid && command.includes("qemu-system")
  );
  return found.map(({ pid }) => pid);
}

/** Seconds that each process has used of the processor. */
export async function processorTimes(lab: Lab): Promise<Map<number, number>> {
  return new Map((await all(lab)).map(({ pid, time }) => [pid, time]));
}
