/** The program in a worker, beside a main thread that is AppKit's. Exit codes go by message: a worker has none. */

/// <reference lib="webworker" />
import { exitProcess } from "../host/process.ts";
import { Application } from "../window/mod.ts";
import { runMachine } from "./run_machine.ts";
import { EXIT } from "./exit.ts";
import type { CommandLine, Run } from "./run_options.ts";
import { setVerbosity } from "./log.ts";
import { outcome } from "./outcome.ts";
import type { FromWorker, ToWorker } from "./with_window.ts";

const self = globalThis as unknown as DedicatedWorkerGlobalScope;

const tell = (message: FromWorker) => self.postMessage(message);

const told = () =>
  new Promise<ToWorker>((resolve) => self.onmessage = ({ data }: MessageEvent<ToWorker>) => resolve(data));

let application: Application | undefined;

async function runApplication(): Promise<Application> {
  const running = told();
  tell("window");
  await running;
  return application = await Application.running();
}

/** How long AppKit may take to come back, in milliseconds: with a menu open it does not before that is closed. */
const PATIENCE = 1_000;

async function end(exitCode: number): Promise<void> {
  self.dispatchEvent(new Event("unload")); // Deno tells only the main thread's listeners: a terminal is put back by it
  tell({ exitCode });
  await application?.stop();
  setTimeout(() => exitProcess(exitCode), PATIENCE);
}

// Nobody hears of them on the main thread, which would run on for ever.
for (const type of ["error", "unhandledrejection"] as const) {
  self.addEventListener(type, (event: Event) => {
    event.preventDefault();
    console.error((event as ErrorEvent).error ?? (event as PromiseRejectionEvent).reason);
    end(EXIT.failed);
  });
}

async function optionsOf(line: CommandLine): Promise<Run> {
  if (line.frontEnd === "vfkit") return line.options;
  const { toRun } = await import("./qemu/to_run.ts");
  return await toRun(line.settings);
}

const line = await told() as CommandLine;
end(
  await outcome(async () => {
    const options = await optionsOf(line);
    setVerbosity(options.verbosity);
    return await runMachine(options, { mainThread: runApplication });
  }, line.frontEnd),
);
