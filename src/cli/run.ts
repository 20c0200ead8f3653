/** A run of the program, from the command line to the exit code. */

import { MachineError } from "../machine/check.ts";
import { EXIT } from "./exit.ts";
import { UsageError } from "./options.ts";
import { parse } from "./parse.ts";
import { sayError, setVerbosity } from "./report.ts";

/**
 * Runs vzrun.
 *
 * @param argv Arguments, without the program's name.
 * @returns The exit code.
 */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    const settings = await parse(argv);
    setVerbosity(settings.verbosity);
    if (settings.mode === "help") return await printHelp();
    if (settings.mode === "version") return await printVersion();
    // Not before now: a wrong option is told, and -help given, also where the libraries are missing.
    const { boot } = await import("./boot.ts");
    return await boot(settings);
  } catch (error) {
    if (error instanceof UsageError || error instanceof MachineError) {
      sayError(error.message);
      return EXIT.usage;
    }
    await sayFailure(error);
    return EXIT.failed;
  }
}

async function printHelp(): Promise<number> {
  const { helpText } = await import("./help.ts");
  console.log(helpText().trimEnd());
  return EXIT.stopped;
}

async function printVersion(): Promise<number> {
  const { default: config } = await import("../../deno.json", { with: { type: "json" } });
  console.log(`vzrun ${config.version} (Deno ${Deno.version.deno}, ${Deno.build.target})`);
  return EXIT.stopped;
}

/** Says why a machine failed, and what to do about it. */
async function sayFailure(error: unknown): Promise<void> {
  if (!(error instanceof Error)) return sayError(String(error));
  const { name, message, reason } = error as Error & { reason?: string };
  if (name !== "NSError") return sayError(message);
  const { adviceOn } = await import("../vz/mod.ts");
  const { domain, code } = error as Parameters<typeof adviceOn>[0];
  const advice = adviceOn(error as Parameters<typeof adviceOn>[0]);
  sayError(`${message}${reason ? ` ${reason}` : ""} (${domain} ${code})${advice ? `; ${advice}` : ""}`);
}
