/** A run in vfkit's words, from the command line to the exit code. */

import { ensureAllowed } from "../allowed.ts";
import { EXIT } from "../exit.ts";
import * as log from "../log.ts";
import { outcome } from "../outcome.ts";
import type { RunOptions } from "../run_options.ts";
import { UsageError } from "../usage_error.ts";
import type { Program } from "./devices.ts";
import type { Line } from "./line.ts";
import { parse } from "./parse.ts";

/**
 * Runs vzrun in the place of another program.
 *
 * @param argv Arguments, without the program's name.
 * @returns The exit code.
 */
export function runAs(program: Program, argv: readonly string[]): Promise<number> {
  return outcome(async () => {
    const line = await parse(argv, program);
    if (line.mode !== "run") return await tell(line);
    log.setVerbosity(line.verbosity);
    const options = await optionsOf(line);
    await ensureAllowed(() => options, program);
    (await import("../../host/program_name.ts")).nameProcess(program);
    if (line.devices.some((device) => device.type === "rosetta" && device.install)) {
      await (await import("../rosetta.ts")).installRosetta();
    }
    if (options.window) {
      const { windowObstacle } = await import("../display.ts");
      const problem = await windowObstacle();
      if (problem !== undefined) throw new UsageError(`--gui: ${problem}`);
      const { runWithWindow } = await import("../with_window.ts");
      return await runWithWindow({ frontEnd: "vfkit", options });
    }
    const { loadRunner } = await import("../load_runner.ts");
    const { runMachine } = await loadRunner();
    return await runMachine(options);
  }, "vfkit");
}

async function optionsOf(line: Line): Promise<RunOptions> {
  const { toRun } = await import("./to_run.ts");
  const { rosettaAvailability } = await import("../rosetta.ts");
  const asksForIt = line.devices.some(({ type }) => type === "rosetta");
  return toRun(line, asksForIt ? rosettaAvailability() : undefined);
}

async function tell({ mode, program }: Line): Promise<number> {
  const { helpText, versionText } = await import("./help.ts");
  console.log((mode === "help" ? helpText(program) : versionText(program)).trimEnd());
  return EXIT.stopped;
}
