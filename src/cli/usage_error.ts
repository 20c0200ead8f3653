/** A command line that cannot be understood: one line that names what is wrong. */
export class UsageError extends Error {
  override name = "UsageError";
}
