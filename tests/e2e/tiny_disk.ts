/** A disk that is soon full. */

/** A disk of a few megabytes, at a folder; undefined where this user may mount none. */
export async function tinyDisk(folder: string): Promise<AsyncDisposable | undefined> {
  const command = (...args: string[]) =>
    new Deno.Command(args[0], { args: args.slice(1), stderr: "null" }).output();
  if (!(await command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder)).success) return undefined;
  return { [Symbol.asyncDispose]: async () => void await command("umount", folder) };
}
