/**
 * Measures vzrun against a native Objective-C client of the same library that boots the same guest, in turn.
 *
 *   deno task bench [--json] [--runs N]
 *
 * On Linux; what it reads of a process it reads from /proc.
 */

import { format } from "@std/fmt/bytes";
import { fromFileUrl } from "@std/path/posix/from-file-url";
import { parseOptions, runScript, UsageError } from "../scripts/command_line.ts";
import { measureDisks } from "./disks.ts";
import { measureKernels } from "./kernels.ts";
import { measureNetworks } from "./networks.ts";
import { measureSockets } from "./sockets.ts";

const ROOT = fromFileUrl(new URL("..", import.meta.url));
const ARCH = Deno.build.arch;
const GUEST = `${ROOT}build/guest/${ARCH}`;
const BUILD = `${ROOT}build/bench`;
const CONSOLE_BYTES = 100_000_000;
const MESSAGES = 2_000_000;
const IDLE_SECONDS = 10;

interface Row {
  what: string;
  unit: string;
  vzrun: number[];
  native?: number[];
  /** An empty Deno script that opens the same libraries. */
  empty?: number[];
}

const deno = (permissions: string[], script: string, args: string[]) => [
  Deno.execPath(),
  "run",
  "-q",
  ...permissions,
  "--config",
  `${ROOT}deno.json`,
  `${ROOT}${script}`,
  ...args,
];

const kernel = [`${GUEST}/vmlinuz`, `${GUEST}/initrd`];
const clients = {
  vzrun: (append: string) =>
    deno(["-P"], "main.ts", [
      "-quiet",
      "-nographic",
      ...["-kernel", kernel[0], "-initrd", kernel[1], "-append", append, "-m", "512", "-smp", "1"],
    ]),
  native: (append: string) => [`${BUILD}/boot`, ...kernel, append, "512", "1"],
};
type Client = keyof typeof clients;
const CLIENTS = Object.keys(clients) as Client[];

const now = () => performance.timeOrigin + performance.now();

async function output(command: string[], cwd = ROOT): Promise<string> {
  const { success, stdout } = await new Deno.Command(command[0], {
    args: command.slice(1),
    cwd,
    stderr: "inherit",
  })
    .output();
  if (!success) throw new Error(`failed: ${command.join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Builds the native programs. */
async function build(): Promise<void> {
  await Deno.mkdir(BUILD, { recursive: true });
  const flags = async (kind: string) => (await output(["make", "-s", "-C", `${ROOT}linux`, kind])).split(" ");
  const [cflags, ldflags] = [await flags("cflags"), await flags("ldflags")];
  await output(["clang", "-O2", ...cflags, `${ROOT}bench/native/boot.m`, "-o", `${BUILD}/boot`, ...ldflags]);
  await output(["clang", "-O2", `${ROOT}bench/native/stamp.c`, "-o", `${BUILD}/stamp`]);
}

function spawn(command: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(command[0], {
    args: command.slice(1),
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.stdout.cancel();
  await child.status;
}

/** A figure of /proc/PID/status or of one of its threads, which are many. */
function status(pid: number, key: string, thread?: string): number {
  const path = thread ? `/proc/${pid}/task/${thread}/status` : `/proc/${pid}/status`;
  return Number(new RegExp(`^${key}:\\s*(\\d+)`, "m").exec(Deno.readTextFileSync(path))![1]);
}

/** Milliseconds from exec to the start of QEMU and to the guest's first byte, and peak memory in MiB until then. */
async function start(client: Client): Promise<[start: number, firstByte: number, memory: number]> {
  const stamp = `${BUILD}/stamp.txt`;
  const from = now();
  const child = spawn(clients[client]("console=hvc0"), {
    BENCH_STAMP: stamp,
    BENCH_QEMU: `/usr/bin/qemu-system-${ARCH}`,
    VIRTUALIZATION_QEMU: `${BUILD}/stamp`,
  });
  const reader = child.stdout.getReader();
  await reader.read();
  const firstByte = now() - from;
  const memory = status(child.pid, "VmHWM") / 1024;
  reader.releaseLock();
  await end(child);
  return [Number(await Deno.readTextFile(stamp)) - from, firstByte, memory];
}

/** The same of a script that only opens the libraries: until it has ended, and its peak memory. */
async function emptyScript(): Promise<[start: number, memory: number]> {
  const from = now();
  const memory = await output(deno(["-A"], "bench/open_libraries.ts", []));
  return [now() - from, Number(memory) / 1024];
}

/** Megabytes a second of a guest that writes zeros to its raw console, from the first byte to the last. */
async function throughput(client: Client): Promise<number> {
  const write = `stty raw -F /dev/hvc0; head -c ${CONSOLE_BYTES} /dev/zero`;
  const child = spawn(clients[client](`console=hvc0 quiet run="${write}"`));
  let bytes = 0;
  let from = 0;
  for await (const chunk of child.stdout) {
    if (bytes === 0) from = now();
    bytes += chunk.length;
  }
  const seconds = (now() - from) / 1000;
  await child.status;
  if (bytes < CONSOLE_BYTES) throw new Error(`${client}: ${bytes} bytes of ${CONSOLE_BYTES} have arrived`);
  return bytes / 1e6 / seconds;
}

/** Voluntary context switches by thread, and CPU time in ms. */
function idleFigures(pid: number): { switches: Map<string, number>; cpu: number } {
  const switches = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    switches.set(name, status(pid, "voluntary_ctxt_switches", name));
  }
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
  return { switches, cpu: (Number(fields[11]) + Number(fields[12])) * 10 }; // ticks of 10 ms
}

/** Voluntary context switches of all threads, and CPU time in ms, of the process while its guest sleeps. */
async function idle(client: Client): Promise<[switches: number, cpu: number]> {
  const child = spawn(clients[client](`console=hvc0 quiet run="echo idle; sleep 1000"`));
  const reader = child.stdout.getReader();
  await reader.read();
  // What a start leaves behind is not idleness: Deno's pool lets its threads go when they were idle for 10 s.
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  const before = idleFigures(child.pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000));
  const after = idleFigures(child.pid);
  reader.releaseLock();
  await end(child);
  // A thread that has ended meanwhile, from a pool, woke once to do so.
  const ended = [...before.switches.keys()].filter((thread) => !after.switches.has(thread)).length;
  let switches = ended;
  for (const [thread, count] of after.switches) switches += count - (before.switches.get(thread) ?? 0);
  return [switches, after.cpu - before.cpu];
}

async function inTurn<T>(
  times: number,
  measure: (client: Client) => Promise<T>,
): Promise<Record<Client, T[]>> {
  const results: Record<Client, T[]> = { vzrun: [], native: [] };
  for (let i = 0; i < times; i++) for (const client of CLIENTS) results[client].push(await measure(client));
  return results;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

async function measure(runs: number): Promise<Row[]> {
  const column = <T extends number[]>(results: Record<Client, T[]>, i: number) => ({
    vzrun: results.vzrun.map((r) => r[i]),
    native: results.native.map((r) => r[i]),
  });
  const empty = [];
  for (let i = 0; i < runs; i++) empty.push(await emptyScript());
  const starts = await inTurn(runs, start);
  const writes = await inTurn(Math.min(runs, 3), throughput);
  const idles = await inTurn(Math.min(runs, 2), idle);
  const messages = await inTurn(Math.min(runs, 5), async (client) => {
    const command = client === "vzrun"
      ? deno(["-P"], "bench/messages.ts", [`${MESSAGES}`])
      : [`${BUILD}/boot`, "messages", `${MESSAGES}`];
    return Number(await output(command));
  });
  const kernels = await measureKernels(GUEST, BUILD, deno(["-A"], "bench/open_kernel.ts", []), runs);
  const disks = await measureDisks(BUILD, deno(["-A"], "bench/convert_disk.ts", []), Math.min(runs, 5));
  const program = deno(["-A"], "bench/frames_to_stream.ts", []);
  const networks = await measureNetworks(GUEST, deno(["-P"], "main.ts", []), program, Math.min(runs, 3));
  const sockets = await measureSockets(GUEST, deno(["-P"], "main.ts", []), Math.min(runs, 3));
  return [
    { what: "exec to the VM's start", unit: "ms", ...column(starts, 0), empty: empty.map((e) => e[0]) },
    { what: "exec to the guest's first byte", unit: "ms", ...column(starts, 1) },
    { what: "peak memory", unit: "MiB", ...column(starts, 2), empty: empty.map((e) => e[1]) },
    { what: `console throughput, ${format(CONSOLE_BYTES)}`, unit: "MB/s", ...writes },
    { what: `context switches in ${IDLE_SECONDS} idle s`, unit: "", ...column(idles, 0) },
    { what: `CPU time in ${IDLE_SECONDS} idle s`, unit: "ms", ...column(idles, 1) },
    { what: "a message to a getter", unit: "ns", ...messages },
    ...kernels,
    ...disks,
    ...networks,
    ...sockets,
  ];
}

function print(rows: Row[]): void {
  const text = (values?: number[]) => values ? median(values).toFixed(1) : "";
  const ratio = (a: number[], b?: number[]) => b && median(b) > 0 ? (median(a) / median(b)).toFixed(2) : "";
  const line = (...cells: string[]) =>
    console.log(cells.map((cell, i) => i === 0 ? cell.padEnd(40) : cell.padStart(10)).join(" "));
  line("median", "vzrun", "native", "ratio", "empty", "ratio");
  for (const { what, unit, vzrun, native, empty } of rows) {
    const name = unit ? `${what} (${unit})` : what;
    line(name, text(vzrun), text(native), ratio(vzrun, native), text(empty), ratio(vzrun, empty));
  }
}

await runScript("bench", UsageError, async () => {
  const usage = "deno task bench [--json] [--runs N]";
  const options = parseOptions(Deno.args, { usage, boolean: ["json"], string: ["runs"] });
  const runs = Number(options.runs ?? 7);
  if (!(Number.isInteger(runs) && runs > 0)) {
    throw new UsageError(`--runs takes a whole number from 1 on, not '${options.runs}'; usage: ${usage}`);
  }
  await build();
  const rows = await measure(runs);
  if (options.json) console.log(JSON.stringify({ arch: ARCH, deno: Deno.version.deno, runs, rows }, null, 2));
  else print(rows);
});
