/** The exit codes of a run that nobody has ended from outside; a signal gives 128 and its number. */
export const EXIT = {
  /** The guest stopped. */
  stopped: 0,
  /** The machine failed. */
  failed: 1,
  /** The command line, or a file that it names, is wrong. */
  usage: 2,
} as const;
