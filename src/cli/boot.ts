/** Settings to a machine that runs, and to the exit code that it ends with. */

import { checkMachine } from "../machine/check.ts";
import type { Machine } from "../machine/machine.ts";
import { configure, VirtualMachine, VirtualMachineConfiguration } from "../vz/mod.ts";
import { hangUp } from "../objc/mod.ts";
import { openConsole, STDOUT } from "./console.ts";
import { describe } from "./describe.ts";
import { Ending } from "./ending.ts";
import { EXIT } from "./exit.ts";
import { KEYS_HELP } from "./keys.ts";
import type { Settings } from "./options.ts";
import { say, sayStep } from "./report.ts";

/**
 * Checks what the command line describes, and runs it, or prints it for `-dry-run`.
 *
 * @returns The exit code.
 * @throws {UsageError} When options do not go together.
 * @throws {MachineError} When a file or a number does not fit.
 * @throws {NSError} When the machine fails.
 */
export async function boot(settings: Settings): Promise<number> {
  const limits = VirtualMachineConfiguration.limits();
  const machine = describe(settings, limits);
  checkMachine(machine, limits);
  if (settings.mode === "dry-run") {
    console.log(JSON.stringify(machine, null, 2));
    return EXIT.stopped;
  }
  return await runMachine(machine, settings.verbosity === "verbose");
}

async function runMachine(machine: Machine, verbose: boolean): Promise<number> {
  const onStdio = machine.serial.some((port) => port.to === "stdio");
  using ending = new Ending(onStdio); // before the terminal is made raw, so that no signal leaves it so
  using stdio = onStdio
    ? openConsole((command) => {
      if (command === "end") ending.force("Ctrl-A x", EXIT.stopped);
      else KEYS_HELP.forEach(say);
    })
    : undefined;
  const configuration = configure(machine, stdio);
  sayStep(`booting ${machine.boot.kernel}`);
  const virtualMachine = VirtualMachine.create(configuration);
  if (verbose) virtualMachine.watchState((state) => sayStep(`the machine is ${state}`));
  await ending.start(virtualMachine);
  if (onStdio) hangUp(STDOUT).then(() => ending.readerGone());
  if (onStdio && Deno.stdin.isTerminal()) say("Ctrl-A x ends the machine, Ctrl-A h lists the keys");

  const stop = await virtualMachine.stopped;
  if (stop.by === "error") throw stop.error;
  sayStep(stop.by === "guest" ? "the guest has powered off" : "the machine was ended");
  return ending.exitCode ?? EXIT.stopped;
}
