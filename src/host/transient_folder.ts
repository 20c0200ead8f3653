/** Folders that go with the run. */

import { processExists } from "./process.ts";

/** A folder that goes when it is disposed of, and when the program ends before. */
export class TransientFolder implements Disposable {
  readonly path: string;
  readonly #dispose = () => this[Symbol.dispose]();

  /**
   * Makes one, and removes what runs that were killed have left beside it.
   *
   * @param what Distinguishes it from others that vzrun makes.
   * @param dir Where; in the system's folder for such when it is not said, or cannot be written.
   */
  constructor(what: string, dir?: string) {
    const prefix = `${dir === undefined ? "" : "."}vzrun-${what}-`;
    this.path = makeFolder(`${prefix}${Deno.pid}-`, dir);
    removeLeftovers(this.path.replace(/\/[^/]*$/, ""), prefix);
    addEventListener("unload", this.#dispose);
  }

  [Symbol.dispose](): void {
    removeEventListener("unload", this.#dispose);
    Deno.removeSync(this.path, { recursive: true });
  }
}

function makeFolder(prefix: string, dir: string | undefined): string {
  try {
    return Deno.makeTempDirSync({ prefix, dir });
  } catch (error) {
    if (dir === undefined || !(error instanceof Deno.errors.PermissionDenied)) throw error;
    return Deno.makeTempDirSync({ prefix });
  }
}

function removeLeftovers(folder: string, prefix: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    const pid = name.startsWith(prefix) ? parseInt(name.slice(prefix.length)) : NaN;
    if (isNaN(pid) || processExists(pid)) continue;
    try {
      Deno.removeSync(`${folder}/${name}`, { recursive: true });
    } catch { /* another user's, or another run was quicker */ }
  }
}
