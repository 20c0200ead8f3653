/** Settings to a machine that runs, and to the exit code that it ends with. */

import { checkMachine, MachineError } from "../machine/check.ts";
import type { Machine, Serial } from "../machine/machine.ts";
import {
  checkDevices,
  configure,
  type Handles,
  LinuxRosettaDirectoryShare,
  UnavailableError,
  VirtualMachine,
  VirtualMachineConfiguration,
  VZErrorCode,
} from "../vz/mod.ts";
import { hangUp, NSError } from "../objc/mod.ts";
import type { Application } from "../window/mod.ts";
import { openConsole, STDOUT } from "./console.ts";
import { describe } from "./describe.ts";
import { transientVariables } from "./efi_variables.ts";
import { Ending } from "./ending.ts";
import { EXIT } from "./exit.ts";
import { KEYS_HELP } from "./keys.ts";
import { watchLeases } from "./leases.ts";
import type { Settings } from "./options.ts";
import { openPtyConsole } from "./pty_console.ts";
import { say, sayStep } from "./report.ts";
import { openSocketConsole } from "./socket_console.ts";

/** Makes the main thread AppKit's, and gives the application when it runs. */
export type MainThread = () => Promise<Application>;

/**
 * Checks what the command line describes, and runs it, or prints it for `-dry-run`.
 *
 * @param mainThread Has to be there for a machine with a window.
 * @returns The exit code.
 * @throws {UsageError} When options do not go together.
 * @throws {MachineError} When a file or a number does not fit.
 * @throws {NSError} When the machine fails.
 */
export async function boot(settings: Settings, mainThread?: MainThread): Promise<number> {
  const limits = VirtualMachineConfiguration.limits();
  const machine = await describe(settings, limits, rosettaAvailability());
  checkMachine(machine, limits);
  if (settings.mode === "dry-run") {
    checkDevices(machine);
    console.log(JSON.stringify(machine, null, 2));
    return EXIT.stopped;
  }
  const onStdio = machine.serial.some((port) => port.to === "stdio");
  using ending = new Ending(onStdio); // before the terminal is made raw, so that no signal leaves it so
  using resources = new DisposableStack();
  const run = runMachine(
    machine,
    { ending, resources, mainThread, onStdio },
    settings.verbosity === "verbose",
  );
  return await Promise.race([run, ending.givenUp]);
}

function rosettaAvailability(): typeof LinuxRosettaDirectoryShare.availability {
  if (Deno.build.arch !== "aarch64") return "notSupported"; // it is of Apple silicon, and asking takes time
  try {
    return LinuxRosettaDirectoryShare.availability;
  } catch (error) {
    if (error instanceof UnavailableError) return "notSupported";
    throw error;
  }
}

/** What a run has around its machine. */
interface Surroundings {
  ending: Ending;
  resources: DisposableStack;
  mainThread?: MainThread;
  onStdio: boolean;
}

async function runMachine(machine: Machine, around: Surroundings, verbose: boolean): Promise<number> {
  const { ending, resources, onStdio } = around;
  const handles: (Handles | undefined)[] = [];
  for (const [i, port] of machine.serial.entries()) {
    handles.push(await open(port, `hvc${i}`, ending, resources));
  }
  const configuration = configure(machine, handles, efiVariables(machine, resources));
  sayStep("starting the machine");
  const virtualMachine = VirtualMachine.create(configuration);
  if (verbose) {
    virtualMachine.watchState((state) => sayStep(`the machine is ${state}`));
    for (const { mac } of machine.network) {
      if (mac) resources.use(watchLeases(mac, (address) => sayStep(`the guest's address is ${address}`)));
    }
  }
  if (machine.display) await openWindow(machine, virtualMachine, around);
  await ending.start(virtualMachine).catch(refuseConfiguration);
  if (onStdio) hangUp(STDOUT).then(() => ending.readerGone());
  if (onStdio && Deno.stdin.isTerminal()) say("Ctrl-A x ends the machine, Ctrl-A h lists the keys");

  const stop = await virtualMachine.stopped;
  if (stop.by === "error") throw stop.error;
  sayStep(stop.by === "guest" ? "the guest has powered off" : "the machine was ended");
  return ending.exitCode ?? EXIT.stopped;
}

/** Before the start, so that the first thing that the guest shows is seen. */
async function openWindow(
  machine: Machine,
  virtualMachine: VirtualMachine,
  around: Surroundings,
): Promise<void> {
  const { display, name = "vzrun" } = machine;
  const { ending, mainThread } = around;
  if (!display || !mainThread) throw new TypeError("a window needs the main thread");
  const { Window } = await import("../window/mod.ts");
  const { width, height, fullGrab } = display;
  const options = { width, height, capturesSystemKeys: fullGrab };
  await Window.open(await mainThread(), virtualMachine, name, options, {
    close: (why) => ending.ask(why, EXIT.stopped, true),
    forceStop: () => ending.force("Force Stop", EXIT.stopped),
    failed: (error) => say(error.message),
  });
}

/** What the framework finds unfit only when it opens it, like a disk that another machine has, is bad input too. */
function refuseConfiguration(error: unknown): never {
  const unfit = error instanceof NSError && error.domain === "VZErrorDomain" &&
    error.code === VZErrorCode.invalidVirtualMachineConfiguration;
  throw unfit ? new MachineError(error.message) : error;
}

/** What a console is attached to, where it is no file. */
async function open(
  port: Serial,
  name: string,
  ending: Ending,
  resources: DisposableStack,
): Promise<Handles | undefined> {
  switch (port.to) {
    case "stdio":
      return resources.use(openConsole((command) => {
        if (command === "end") ending.force("Ctrl-A x", EXIT.stopped);
        else KEYS_HELP.forEach(say);
      }));
    case "pty":
      return await openPtyConsole(name, port.wait);
    case "unix":
      return resources.use(await openSocketConsole(port.path));
  }
}

/** The file of EFI's variables: the one that was named, or one that goes with the machine. */
function efiVariables({ boot }: Machine, resources: DisposableStack): string | undefined {
  if (boot.from !== "efi") return undefined;
  return boot.variables ?? resources.use(transientVariables()).path;
}
