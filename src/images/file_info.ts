/** What there is to know of a file before it is read. */

/** The same as long as a path leads to the same file and that is unchanged, as far as its times tell. */
export function identityOf({ dev, ino, size, mtime, ctime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join("-");
}

/** Does without what is not there, because another has removed it. */
export function ifThere<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
