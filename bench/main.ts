/**
 * Measures vzrun against a native Objective-C client of the same library that boots the same guest, and against the
 * usual tools, in turn. On Linux; what it reads of a process it reads from /proc.
 *
 *   deno task bench [--only NAME,…] [--runs N] [--executable FILE] [--json]
 */

import { fromFileUrl } from "@std/path/posix/from-file-url";
import { parseOptions, runScript, UsageError } from "../scripts/command_line.ts";
import { type Bench, buildNative, type Measure, output } from "./bench.ts";
import { measureConsole } from "./console.ts";
import { measureDisks } from "./disks.ts";
import { HEAD, lineOf, type Row } from "./figures.ts";
import { measureIdle } from "./idle.ts";
import { measureKernels } from "./kernels.ts";
import { measureMessage } from "./message.ts";
import { measureNetworks } from "./networks.ts";
import { measureSockets } from "./sockets.ts";
import { measureBoot, measureLibrary, measureStart, measureWindow } from "./start.ts";

const USAGE = "deno task bench [--only NAME,…] [--runs N] [--executable FILE] [--json]";

const GROUPS: Record<string, Measure> = {
  start: measureStart,
  memory: measureBoot,
  boot: measureBoot, // memory is seen there
  library: measureLibrary,
  window: measureWindow,
  message: measureMessage,
  kernels: measureKernels,
  disks: measureDisks,
  console: measureConsole,
  networks: measureNetworks,
  sockets: measureSockets,
  idle: measureIdle,
};

function groupsOf(only: string | undefined): Set<Measure> {
  const names = only?.split(",") ?? Object.keys(GROUPS);
  const unknown = names.find((name) => !Object.hasOwn(GROUPS, name));
  if (unknown !== undefined) {
    throw new UsageError(`--only knows no '${unknown}'; it has ${Object.keys(GROUPS).join(", ")}`);
  }
  return new Set(names.map((name) => GROUPS[name]));
}

function roundsOf(text = "7"): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new UsageError(`--runs takes a whole number from 1 on, not '${text}'; usage: ${USAGE}`);
}

async function executableOf(path: string | undefined, groups: Set<Measure>): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const fail = (problem: string): never => {
    throw new UsageError(`--executable: ${problem}; deno task compile makes dist/vzrun`);
  };
  if (![measureStart, measureBoot].some((measure) => groups.has(measure))) {
    throw new UsageError("--executable has rows in start and memory only");
  }
  let file: string;
  try {
    file = Deno.realPathSync(path); // a process is looked for in PATH otherwise
  } catch {
    return fail(`there is no '${path}'`);
  }
  const said = await output([file, "-version"]).catch(() => ""); // a folder, or another program
  return said.startsWith("vzrun ") ? file : fail(`'${path}' is no vzrun`);
}

/** A folder for what is made, which is empty: what an interrupted run has left is taken away. */
function emptyFolder(path: string): string {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.mkdirSync(path, { recursive: true });
  return path;
}

await runScript("bench", UsageError, async () => {
  const options = parseOptions(Deno.args, {
    usage: USAGE,
    boolean: ["json"],
    string: ["only", "runs", "executable"],
  });
  const groups = groupsOf(options.only);
  const rounds = roundsOf(options.runs);
  const executable = await executableOf(options.executable, groups);
  const kept = fromFileUrl(new URL("../build/bench", import.meta.url));
  Deno.mkdirSync(kept, { recursive: true });
  using lock = Deno.openSync(`${kept}/lock`, { write: true, create: true });
  if (!lock.tryLockSync(true)) {
    console.error("bench: waiting for another one, which would be seen in the figures");
    await lock.lock(true);
  }
  await buildNative(kept);
  const scratch = emptyFolder(`${kept}/scratch`);
  try {
    const bench: Bench = { rounds, executable, kept, scratch };
    const rows: Row[] = [];
    if (!options.json) console.log(HEAD);
    for (const measure of groups) {
      for await (const row of measure(bench)) {
        rows.push(row);
        if (!options.json) console.log(lineOf(row));
      }
    }
    const { arch } = Deno.build;
    if (options.json) {
      console.log(JSON.stringify({ arch, deno: Deno.version.deno, runs: rounds, rows }, null, 2));
    }
  } finally {
    Deno.removeSync(scratch, { recursive: true });
  }
});
