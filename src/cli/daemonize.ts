/** `-daemonize`: the program goes on in a process of its own when the machine runs. Loaded when it is asked for. */

import { beginDaemon, type Ended, startDaemon } from "../host/daemon.ts";
import { isSignalIgnored, SIGNALS } from "../host/process.ts";
import { EXIT } from "./exit.ts";
import * as log from "./log.ts";
import type { Settings } from "./qemu/settings.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Fills in what a daemon has where nothing was said: no window, and a console that goes nowhere.
 *
 * @throws {UsageError} When it is to have what only a terminal or a screen has.
 */
export function settleForDaemon(settings: Settings): void {
  const { display, needsWindow, nographic, serial, noDefaults } = settings;
  const refuse = (lacks: string, what: string, remedy: string) => {
    throw new UsageError(`-daemonize: a daemon has no ${lacks} for ${what}: ${remedy}`);
  };
  if (nographic) refuse("terminal", "-nographic", "-display none says that there is no window");
  if (serial.some((port) => port !== "none" && "kind" in port && port.kind === "stdio")) {
    refuse("terminal", "a console on stdio", "-serial file:PATH, pty or unix:PATH");
  }
  if (settings.qmp?.some(({ kind }) => kind === "stdio")) refuse("terminal", "-qmp stdio", "-qmp unix:PATH");
  const window = needsWindow ?? (typeof display === "object" ? "-display window" : undefined);
  if (window !== undefined) refuse("screen", window, "leave one of them out");
  settings.display = "none";
  const isSaid = serial.length > 0 || noDefaults || settings.incoming !== undefined; // or saved
  if (!isSaid) serial.push({ kind: "null" });
}

/** What is different in the process that goes on. */
export interface Daemon {
  /** The machine runs: who has started it need not wait any more. */
  goOnAlone(): void;
}

/** @returns Undefined in the process that a user has started, which is to {@linkcode waitForDaemon}. */
export function asDaemon(): Daemon | undefined {
  return beginDaemon();
}

/**
 * Starts the daemon, and waits until its machine runs or it has ended. Signals are passed on, but for SIGHUP: a terminal
 * that is closed meanwhile ends no machine.
 *
 * @returns The exit code.
 */
export async function waitForDaemon(): Promise<number> {
  const daemon = startDaemon();
  let asked = false; // to end
  // Not before: a program that is started ignores what this one ignores, but not what it listens to.
  for (const [name, number] of Object.entries(SIGNALS) as [keyof typeof SIGNALS, number][]) {
    const ignored = isSignalIgnored(number) || name === "SIGHUP";
    Deno.addSignalListener(name, () => {
      if (ignored) return;
      asked = true;
      daemon.signal(number);
    });
  }
  const early = await daemon.alone();
  if (early) return await exitCodeOf(early);
  return asked ? await exitCodeOf(await daemon.ended()) : EXIT.stopped;
}

/** As a shell has it. A signal that is no user's way to end a program is said. */
async function exitCodeOf(end: Ended): Promise<number> {
  if ("exitCode" in end) return end.exitCode;
  const { signal } = end;
  if (!Object.values<number>(SIGNALS).includes(signal)) {
    await log.error(`it was ended by signal ${signal} before its machine ran`);
  }
  return 128 + signal;
}
