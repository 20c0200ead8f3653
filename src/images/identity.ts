/** The same as long as a path leads to the same file and that is unchanged, as far as its times tell. */
export function identityOf({ dev, ino, size, mtime, ctime }: Deno.FileInfo): string {
  return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join("-");
}
