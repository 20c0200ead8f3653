/** A file that cannot be used for what it is wanted: one line that names it and says why. */
export class FileError extends Error {
  /** By which it is told apart. */
  override name = "FileError";
}

/** What a system call's error says about a file. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (error instanceof Deno.errors.NotADirectory) return "a part of its path is not a folder";
  if (error instanceof Deno.errors.NotCapable) return "it is no ordinary file"; // Deno guards /proc and its like
  if (error instanceof Deno.errors.FilesystemLoop) return "too many symbolic links";
  return (error as Error).message.replace(/ \(os error \d+\).*$/, "");
}

/** The errno of a system call's error; undefined for others. */
export function errnoOf(error: unknown): number | undefined {
  const found = error instanceof Error && /\(os error (\d+)\)/.exec(error.message);
  return found ? Number(found[1]) : undefined;
}

/** Whether an error is a system call's, or Deno's in its place: about a file and not about this program. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable || errnoOf(error) !== undefined;
}

/**
 * What an error says about a file, as a FileError when it is the file's or the system's; any other as it is.
 *
 * @param what What was to be done, and with which file.
 */
export function toFileError(what: string, error: unknown): unknown {
  return isSystemError(error) ? new FileError(`${what}: ${reasonOf(error)}`, { cause: error }) : error;
}

/** Does without what is not there, because another has removed it. */
export function ignoreNotFound<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
