import type { FrontEnd } from "./run_options.ts";

/** The exit codes of a run that nobody has ended from outside; a signal gives 128 and its number. */
export const EXIT = {
  /** The guest stopped. */
  stopped: 0,
  /** The machine failed. */
  failed: 1,
  /** The command line, or a file that it names, is wrong. */
  usage: 2,
} as const;

/** The exit code for a command line, or a file that it names, that is wrong: vfkit has no code of its own for it. */
export function usageExit(frontEnd: FrontEnd): number {
  return frontEnd === "vfkit" ? EXIT.failed : EXIT.usage;
}
