/** A run that a front end has asked for: its machine, and the exit code that it ends with. */

import { keepDebuggerShut } from "../host/debugger_signal.ts";
import { hangUp, standardOutput } from "../host/descriptors.ts";
import { Cleanup } from "../machine/cleanup.ts";
import { MachineError } from "../machine/error.ts";
import { checkMachine, complete, type Description } from "../machine/machine.ts";
import { prepareMachine } from "../machine/prepare.ts";
import type { ProgramFile, Reporter, TerminalContext } from "../machine/run_context.ts";
import type { SavedMachine } from "../machine/saved_machine.ts";
import { VirtualMachine } from "../machine/virtual_machine.ts";
import { NSError } from "../objc/mod.ts";
import { describeError, innermost, VZErrorCode, VZVirtualMachineConfiguration, wordsOf } from "../vz/mod.ts";
import type { Application } from "../window/mod.ts";
import type { QMPPlace } from "../control/qmp_server.ts";
import { EXIT } from "./exit.ts";
import * as log from "./log.ts";
import { ProgressBar } from "./progress_bar.ts";
import type { QMP } from "./qmp.ts";
import type { Run, RunOptions } from "./run_options.ts";
import type { Services } from "./services.ts";
import { Shutdown } from "./shutdown.ts";
import { ESCAPE_KEYS_HELP, openTerminal } from "./terminal.ts";

/** Makes the main thread AppKit's, and gives the application when it runs. */
export type MainThread = () => Promise<Application>;

/** What a run gets from the process that it is in. */
export interface Surroundings {
  /** Has to be there for a machine with a window. */
  mainThread?: MainThread;
  /** Called when the machine runs, or with -S waits, and nobody has asked for its end. */
  running?(): void;
}

const reporter: Reporter = { ...log, progress: (what) => new ProgressBar(what) };

/**
 * Checks what the command line describes, and runs it, or prints it for `-dry-run`.
 *
 * @returns The exit code.
 * @throws {MachineError} When a file or a number does not fit.
 * @throws {NSError} When the machine fails.
 */
export async function runMachine(
  options: Run,
  { mainThread, running }: Surroundings = {},
): Promise<number> {
  const { description, saved, window, startsPaused = false } = options;
  using _saved = saved;
  const onStdio = description.serial?.some((port) => port.kind === "stdio") ?? false;
  using shutdown = new Shutdown(onStdio, options.ending); // before the terminal is made raw, so that no signal leaves it so
  keepDebuggerShut(); // after it: any listener hides which signals were ignored
  const [files, ready] = [await filesOf(options), await readyFileOf(options)];
  if (ready) files.push(ready);
  const qmp = options.qmp && await qmpOf(options.qmp, description);
  if (qmp) files.push(...qmp.files);
  const services = await servicesOf(options);
  if (services) files.push(...services.files);
  if (options.dryRun) return await dryRun(description, saved, files, shutdown);
  await using resources = new Cleanup(reporter);
  await qmp?.open(resources);
  await services?.open(resources);
  const machine = await shutdown.prepare(async (signal) => {
    const openStdio = onStdio ? await stdioOf(description, shutdown) : undefined;
    const context: TerminalContext = { ...reporter, files, openStdio, signal, workerStays: true };
    if (!saved) return await VirtualMachine.create(description, context);
    const machine = await VirtualMachine.restore(saved.path, description, context);
    saved[Symbol.dispose](); // which the machine has opened too, for as long as it needs it
    return machine;
  });
  if (!machine) return shutdown.exitCode!;
  resources.defer(() => machine.release());
  if (options.verbosity === "verbose") watch(machine);
  if (ready) machine.ready.then(() => sayFailure(ready.make), () => {}); // it has ended before
  if (window) await openWindow(machine, shutdown, mainThread);
  if (services) resources.use(await services.serve(machine, shutdown));
  if (startsPaused) running?.(); // whoever is to start it by QMP needs the prompt
  const start = qmp ? () => qmp.serve(machine, shutdown, startsPaused) : () => shutdown.start(machine);
  const started = startsPaused ? undefined : running;
  return await Promise.race([run(machine, start, shutdown, onStdio, started), shutdown.givenUp]);
}

/**
 * Checks what the command line describes, and does nothing else.
 *
 * @throws {MachineError} When a file or a number does not fit.
 */
export async function checkRun({ description, saved }: Run): Promise<void> {
  const limits = VZVirtualMachineConfiguration.limits();
  using _saved = saved;
  await checkMachine(await complete(description, limits), limits);
}

/** What the program writes of its own. */
async function filesOf({ pidFile: path }: RunOptions): Promise<ProgramFile[]> {
  if (path === undefined) return [];
  const { checkPidFile, writePidFile } = await import("../host/pid_file.ts");
  return [{ what: "the pid file", path, check: () => checkPidFile(path), open: () => writePidFile(path) }];
}

/** What opens the console on standard input and output; firmware's is looked at. */
async function stdioOf({ boot }: Description, shutdown: Shutdown): Promise<TerminalContext["openStdio"]> {
  const open = () =>
    openTerminal((command) => {
      if (command === "end") shutdown.force("Ctrl-A x", EXIT.stopped);
      else ESCAPE_KEYS_HELP.forEach(log.info);
    });
  if (boot.kind !== "efi") return open;
  const { noticeOutput } = await import("./noticed_output.ts");
  return () => noticeOutput(open());
}

/** Does without what fails, and says so. */
function sayFailure(action: () => void): void {
  try {
    action();
  } catch (error) {
    log.info(wordsOf(error));
  }
}

/** What is in the file of -ready, as systemd says it. */
const READY = "READY=1\n";

/** The file that is there when the guest is ready. */
async function readyFileOf(
  { readyFile: path }: RunOptions,
): Promise<ProgramFile & { make(): void } | undefined> {
  if (path === undefined) return undefined;
  const { MarkFile } = await import("../host/mark_file.ts");
  let file: InstanceType<typeof MarkFile> | undefined;
  return {
    what: "the file of -ready",
    path,
    check: () => MarkFile.check(path, READY),
    open: () => file = new MarkFile(path, READY),
    make: () => file!.make(),
  };
}

/** What speaks QMP. */
async function qmpOf(places: readonly QMPPlace[], description: Description): Promise<QMP> {
  const { QMP } = await import("./qmp.ts");
  return new QMP(places, description);
}

/** What is served beside the machine. */
async function servicesOf(options: RunOptions): Promise<Services | undefined> {
  const { rest, ignition, timeSync } = options;
  if (!rest && ignition === undefined && timeSync === undefined) return undefined;
  const { Services } = await import("./services.ts");
  return await Services.of(options);
}

async function dryRun(
  description: Description,
  saved: SavedMachine | undefined,
  files: ProgramFile[],
  shutdown: Shutdown,
): Promise<number> {
  await using cleanup = new Cleanup(reporter);
  const prepared = await shutdown.prepare((signal) =>
    prepareMachine(description, { dryRun: true, signal, cleanup, reporter, files, saved })
  );
  if (!prepared) return shutdown.exitCode!;
  console.log(JSON.stringify(prepared.machine, null, 2));
  return EXIT.stopped;
}

/** Says what happens to a machine. */
function watch(machine: VirtualMachine): void {
  machine.watchState((state) => log.debug(`the machine is ${state}`));
  const cards = machine.machine.network;
  for (const card of cards.keys()) {
    const where = cards.length > 1 ? ` on network card ${card + 1}` : "";
    machine.address(card).then((address) => log.debug(`the guest's address${where} is ${address}`), () => {});
  }
}

async function run(
  machine: VirtualMachine,
  start: () => Promise<void>,
  shutdown: Shutdown,
  onStdio: boolean,
  running?: () => void,
): Promise<number> {
  log.debug("starting the machine");
  await start().catch((error) => refuseConfiguration(machine, error));
  if (shutdown.exitCode === undefined) running?.();
  if (onStdio) hangUp(standardOutput()).then(() => shutdown.readerGone());
  if (onStdio && Deno.stdin.isTerminal()) log.info("Ctrl-A x ends the machine, Ctrl-A h lists the keys");
  const stop = await machine.stopped;
  if (stop.kind === "error") throw stop.error;
  log.debug(stop.kind === "guest" ? "the guest has powered off" : "the machine was ended");
  return shutdown.exitCode ?? EXIT.stopped;
}

/** Before the start, so that the first thing that the guest shows is seen. */
async function openWindow(
  machine: VirtualMachine,
  shutdown: Shutdown,
  mainThread?: MainThread,
): Promise<void> {
  const { display, name = "vzrun" } = machine.machine;
  if (!display || !mainThread) throw new TypeError("a window needs the main thread");
  const { Window } = await import("../window/mod.ts");
  const { width, height, fullGrab: capturesSystemKeys, hidpi } = display;
  await Window.open(await mainThread(), machine, name, { width, height, capturesSystemKeys, hidpi }, {
    close: (why) => shutdown.ask(why, EXIT.stopped, true),
    forceStop: () => shutdown.force("Force Stop", EXIT.stopped),
    failed: (error) => log.info(wordsOf(error)),
  });
}

const ENOENT = 2;

/**
 * What the framework finds unfit only when it opens it, like a variable store that is none, is bad input too; but not a
 * file that was there when it was checked.
 */
function refuseConfiguration({ machine: { boot } }: VirtualMachine, error: unknown): never {
  if (!(error instanceof NSError)) throw error;
  const { domain, code } = innermost(error);
  const isGone = domain === "NSPOSIXErrorDomain" && code === ENOENT;
  const isUnfit = error.domain === "VZErrorDomain" &&
    error.code === VZErrorCode.invalidVirtualMachineConfiguration;
  if (!isUnfit || isGone) throw error;
  // The framework names no file; of a boot loader for EFI it is the variables'.
  const isStore = boot.kind === "efi" && error.message.includes("boot loader");
  const what = isStore ? `cannot use the variable store '${boot.variables}': ` : "";
  throw new MachineError(what + describeError(error), { cause: error });
}
