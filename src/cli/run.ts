/** A run of the program, from the command line to the exit code. */

import { ensureAllowed } from "./allowed.ts";
import type { Daemon } from "./daemonize.ts";
import { chooseDisplay } from "./display.ts";
import { EXIT } from "./exit.ts";
import * as log from "./log.ts";
import { outcome } from "./outcome.ts";
import type { Settings, Shell } from "./qemu/settings.ts";
import { parse } from "./qemu/parse.ts";

/**
 * Runs vzrun in qemu's words.
 *
 * @param argv Arguments, without the program's name.
 * @returns The exit code.
 */
export function run(argv: readonly string[]): Promise<number> {
  return outcome(async () => {
    const settings = await parse(argv);
    log.setVerbosity(settings.verbosity);
    if (settings.mode === "help") return await printHelp(settings.topic);
    if (settings.mode === "version") return await printVersion();
    if (settings.mode === "completions") return await printCompletions(settings.shell!);
    if (settings.incoming !== undefined) {
      const { displayOf } = await import("./incoming.ts");
      settings.display ??= displayOf(settings.incoming);
    }
    const daemonize = settings.daemonize ? await import("./daemonize.ts") : undefined;
    daemonize?.settleForDaemon(settings);
    let daemon: Daemon | undefined;
    if (settings.mode === "run") {
      await ensureAllowed(async () => (await import("./qemu/to_run.ts")).toRun(settings));
      daemon = daemonize?.asDaemon();
      if (daemonize && !daemon) return await daemonize.waitForDaemon();
    }
    for (const note of settings.notes) log.debug(note); // by the last process of a start
    // Not before now: -help loads nothing of this.
    const { loadRunner } = await import("./load_runner.ts");
    const [{ runMachine }, { toRun }] = await Promise.all([loadRunner(), import("./qemu/to_run.ts")]);
    settings.display = await chooseDisplay(settings) ?? "none";
    if (settings.display !== "none" && settings.mode === "run") {
      const { runWithWindow } = await import("./with_window.ts");
      return await runWithWindow({ frontEnd: "qemu", settings });
    }
    return await runMachine(await toRun(settings), { running: daemon?.goOnAlone });
  }, "qemu");
}

async function printHelp(topic: Settings["topic"]): Promise<number> {
  const { helpText, qemuHelpText } = await import("./qemu/help.ts");
  console.log((topic === "qemu" ? await qemuHelpText() : helpText()).trimEnd());
  return EXIT.stopped;
}

async function printVersion(): Promise<number> {
  const { default: config } = await import("../../deno.json", { with: { type: "json" } });
  console.log(`vzrun ${config.version} (Deno ${Deno.version.deno}, ${Deno.build.target})`);
  return EXIT.stopped;
}

async function printCompletions(shell: Shell): Promise<number> {
  const { completions } = await import("./qemu/completions.ts");
  console.log(completions(shell).trimEnd());
  return EXIT.stopped;
}
