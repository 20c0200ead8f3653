/** A run of the program, from the command line to the exit code. */

import { MachineError } from "../machine/error.ts";
import { hasLibrary } from "../objc/libraries.ts";
import { chooseDisplay } from "./display.ts";

import { EXIT } from "./exit.ts";
import { type Shell, UsageError } from "./options.ts";
import { parse } from "./parse.ts";
import { sayError, setVerbosity } from "./report.ts";

/**
 * Runs vzrun.
 *
 * @param argv Arguments, without the program's name.
 * @returns The exit code.
 */
export function run(argv: readonly string[]): Promise<number> {
  return outcome(async () => {
    const settings = await parse(argv);
    setVerbosity(settings.verbosity);
    if (settings.mode === "help") return await printHelp();
    if (settings.mode === "version") return await printVersion();
    if (settings.mode === "completions") return await printCompletions(settings.shell!);
    if (settings.mode === "run" && hasLibrary("Security")) { // where programs are signed with what they may do
      await (await import("./entitlement.ts")).ensureEntitled();
    }
    settings.display = await chooseDisplay(settings) ?? "none";
    if (settings.display !== "none" && settings.mode === "run") {
      const { runWithWindow } = await import("./with_window.ts");
      return await runWithWindow(settings);
    }
    // Not before now: a wrong option is told, and -help given, also where the libraries are missing.
    const { boot } = await import("./boot.ts");
    return await boot(settings);
  });
}

/** The exit code of what runs; an error is said, and has one too. */
export async function outcome(body: () => Promise<number>): Promise<number> {
  try {
    return await body();
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

async function printCompletions(shell: Shell): Promise<number> {
  const { completions } = await import("./completions.ts");
  console.log(completions(shell).trimEnd());
  return EXIT.stopped;
}

/** Says why a machine failed, and what to do about it. */
async function sayFailure(error: unknown): Promise<void> {
  if (!(error instanceof Error)) return sayError(String(error));
  if (error.name !== "NSError") return sayError(error.message);
  const { NSError } = await import("../objc/mod.ts");
  const { adviceOn } = await import("../vz/mod.ts");
  if (!(error instanceof NSError)) return sayError(error.message);
  const { message, reason, domain, code } = error;
  const whole = reason && !message.includes(reason) ? `${message} ${reason}` : message;
  const advice = adviceOn(error);
  sayError(`${whole} (${domain} ${code})${advice ? `; ${advice}` : ""}`);
}
