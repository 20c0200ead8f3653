/** Something named on the command line that is not fit: one line that says what, and what to do. */
export class MachineError extends Error {
  /** By which it is told apart. */
  override name = "MachineError";
}
