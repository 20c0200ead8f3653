import { cString, openFunctions } from "../objc/mod.ts";
import "./libraries.ts";

const libc = openFunctions("system", {
  clonefile: { parameters: ["buffer", "buffer", "u32"], result: "i32", nonblocking: true },
});

/**
 * Makes a copy of a file, which must not be there yet. Where the file system can, the two share their data until
 * one is written; elsewhere holes stay holes.
 *
 * @param from Path of the file.
 * @param to Path of the copy.
 * @throws {Error} When the copy cannot be made; there is then none.
 *
 * Source: clonefile(2) of macOS, which works on APFS only.
 */
export async function cloneFile(from: string, to: string): Promise<void> {
  if (await libc.clonefile(cString(from), cString(to), 0) === 0) return;
  try {
    await Deno.copyFile(from, to); // which also says what is wrong
  } catch (error) {
    await Deno.remove(to).catch(() => {});
    throw error;
  }
}
