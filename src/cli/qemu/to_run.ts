/** Settings to a run. */

import { rosettaAvailability } from "../rosetta.ts";
import type { Run } from "../run_options.ts";
import type { Settings } from "./settings.ts";
import { toMachine } from "./to_machine.ts";

/**
 * The run that a command line asks for.
 *
 * @throws {UsageError} When options do not go together.
 * @throws {MachineError} When the saved machine that is to go on is not there.
 */
export async function toRun(settings: Settings): Promise<Run> {
  const { mode, verbosity, pidFile, ready, qmp, startsPaused, ignition, timeSync } = settings;
  if (ignition !== undefined) (await import("./vsock.ts")).checkIgnition(settings.vsock ?? []);
  const described = await describe(settings);
  return {
    ...described,
    window: described.description.display !== undefined,
    dryRun: mode === "dry-run",
    verbosity,
    pidFile,
    readyFile: ready?.file,
    qmp,
    startsPaused,
    ignition,
    timeSync,
  };
}

/** The machine, and the saved one that it goes on from. */
async function describe(settings: Settings): Promise<Pick<Run, "description" | "saved">> {
  if (settings.incoming === undefined) return { description: toMachine(settings, rosettaAvailability()) };
  const { describeSaved } = await import("../incoming.ts");
  return describeSaved(settings.incoming, settings);
}
