/** Settings to a machine that runs, and to the exit code that it ends with. */

import { checkMachine } from "../machine/check.ts";
import { MachineError } from "../machine/error.ts";
import { unfit } from "../machine/files.ts";
import type { Machine, Serial } from "../machine/machine.ts";
import {
  configure,
  type Handles,
  VZLinuxRosettaDirectoryShare,
  UnavailableError,
  VZVirtualMachine,
  VZVirtualMachineConfiguration,
  VZErrorCode,
} from "../vz/mod.ts";
import { NSError } from "../objc/mod.ts";
import { hangUp } from "../host/descriptors.ts";
import type { Application } from "../window/mod.ts";
import { openConsole, STDOUT } from "./console.ts";
import { describe } from "./describe.ts";
import { Ending } from "./ending.ts";
import { EXIT } from "./exit.ts";
import { openFiles } from "./files.ts";
import { KEYS_HELP } from "./keys.ts";
import type { Settings } from "./options.ts";
import { say, sayStep } from "./report.ts";

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
  const limits = VZVirtualMachineConfiguration.limits();
  const described = await describe(settings, limits, rosettaAvailability());
  checkMachine(described, limits);
  const onStdio = described.serial.some((port) => port.to === "stdio");
  using ending = new Ending(onStdio); // before the terminal is made raw, so that no signal leaves it so
  await using resources = new AsyncDisposableStack();
  const dryRun = settings.mode === "dry-run";
  const machine = await ending.prepare((signal) => openFiles(described, { dryRun, signal, resources }));
  if (!machine) return ending.exitCode!;
  if (dryRun) {
    console.log(JSON.stringify(machine, null, 2));
    return EXIT.stopped;
  }
  if (settings.pidFile !== undefined) {
    const { writePidFile } = await import("./pid_file.ts");
    resources.use(writePidFile(settings.pidFile));
  }
  using made = new DisposableStack();
  const around = { ending, resources, made, mainThread, onStdio };
  return await Promise.race([
    runMachine(machine, around, settings.verbosity === "verbose"),
    ending.givenUp,
  ]);
}

function rosettaAvailability(): typeof VZLinuxRosettaDirectoryShare.availability {
  if (Deno.build.arch !== "aarch64") return "notSupported"; // it is of Apple silicon, and asking takes time
  try {
    return VZLinuxRosettaDirectoryShare.availability;
  } catch (error) {
    if (error instanceof UnavailableError) return "notSupported";
    throw error;
  }
}

/** What a run has around its machine. */
interface Surroundings {
  ending: Ending;
  /** Disposed of when the run has ended. */
  resources: AsyncDisposableStack;
  /** Files that are new, to be taken away again until the machine has a use for them. */
  made: DisposableStack;
  mainThread?: MainThread;
  onStdio: boolean;
}

async function runMachine(machine: Machine, around: Surroundings, verbose: boolean): Promise<number> {
  const { ending, resources, made, onStdio } = around;
  if (machine.machineId !== undefined) {
    const { makeIdentity } = await import("./identity.ts");
    await makeIdentity(machine.machineId);
  }
  const handles = await openConsoles(machine.serial, around);
  const configuration = configure(machine, handles, await efiVariables(machine, resources), made);
  made.move(); // from here on others may have found the new files, and use them
  sayStep("starting the machine");
  const virtualMachine = VZVirtualMachine.create(configuration);
  if (verbose) {
    const { watchLeases } = await import("./leases.ts");
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
  virtualMachine: VZVirtualMachine,
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

/** What each console is attached to, where it is no file. Most starts need no more than the terminal's module. */
async function openConsoles(
  serial: Serial[],
  { ending, resources, made }: Surroundings,
): Promise<(Handles | undefined)[]> {
  const handles: (Handles | undefined)[] = [];
  // The terminal last: until somebody has opened a pty, Ctrl-C is not the guest's.
  const inOrder = [...serial.entries()].sort(([, a], [, b]) => +(a.to === "stdio") - +(b.to === "stdio"));
  for (const [i, port] of inOrder) {
    switch (port.to) {
      case "stdio":
        handles[i] = resources.use(openConsole((command) => {
          if (command === "end") ending.force("Ctrl-A x", EXIT.stopped);
          else KEYS_HELP.forEach(say);
        }));
        break;
      case "pty":
        handles[i] = await (await import("./pty_console.ts")).openPtyConsole(`hvc${i}`, port.wait);
        break;
      case "unix":
        handles[i] = resources.use(
          await (await import("./socket_console.ts")).openSocketConsole(port.path),
        );
        break;
      case "file":
        resources.use((await import("./log_file.ts")).lockLog(port.path, made));
    }
  }
  return handles;
}

/** The file of EFI's variables: the one that was named, or one that goes with the machine. */
async function efiVariables(
  { boot }: Machine,
  resources: AsyncDisposableStack,
): Promise<string | undefined> {
  if (boot.from !== "efi") return undefined;
  if (boot.variables !== undefined) return boot.variables;
  try {
    const { TransientFolder } = await import("./transient_folder.ts");
    return `${resources.use(new TransientFolder("efi")).path}/variables`;
  } catch (error) {
    throw unfit("cannot make a folder for EFI's variables", error);
  }
}
