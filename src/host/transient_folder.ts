/** Folders that go with the run. */

import { removeOwn } from "./files.ts";
import { tryLock } from "./lock.ts";

/** A folder that goes when it is disposed of, and when the program ends before. */
export class TransientFolder implements Disposable {
  readonly path: string;
  /** Tells other runs, whatever PID namespace they are in, that this one lives; undefined where there are no locks. */
  readonly #lock?: Deno.FsFile;
  readonly #own: Deno.FileInfo;
  readonly #unload = () => {
    try {
      this[Symbol.dispose]();
    } catch { /* the program ends, and the next one removes it */ }
  };

  /**
   * Makes one, and removes what runs that were killed have left beside it.
   *
   * @param what Distinguishes it from others that vzrun makes.
   * @param dir Where; in the system's folder for such when it is not said, or cannot be written.
   */
  constructor(what: string, dir?: string) {
    const prefix = `${dir === undefined ? "" : "."}vzrun-${what}-`;
    ({ path: this.path, lock: this.#lock } = makeFolder(`${prefix}${Deno.pid}-`, dir));
    this.#own = Deno.statSync(this.path);
    removeLeftovers(this.path.replace(/\/[^/]*$/, ""), prefix);
    addEventListener("unload", this.#unload);
  }

  /** @throws {FileError} When it cannot be removed. */
  [Symbol.dispose](): void {
    removeEventListener("unload", this.#unload);
    using _lock = this.#lock;
    removeOwn(this.path, this.#own);
  }
}

function makeFolder(prefix: string, dir: string | undefined): { path: string; lock?: Deno.FsFile } {
  while (true) {
    const path = makeTempDir(prefix, dir);
    try {
      const lock = tryLock(path);
      if (lock) return { path, lock };
    } catch (error) {
      // A file system without locks has nobody who could take one, and then remove it.
      if (!(error instanceof Deno.errors.NotFound)) return { path };
    }
    // Another run took it for one that was left: it had no lock yet.
  }
}

function makeTempDir(prefix: string, dir: string | undefined): string {
  try {
    return Deno.makeTempDirSync({ prefix, dir });
  } catch (error) {
    if (dir === undefined || !(error instanceof Deno.errors.PermissionDenied)) throw error;
    return Deno.makeTempDirSync({ prefix });
  }
}

/** Removes those that nobody has locked. The name has the run's process id and what makeTempDir adds. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const isOne = isDirectory && name.startsWith(prefix) && /^\d+-[0-9a-f]+$/.test(name.slice(prefix.length));
    if (!isOne) continue;
    try {
      using lock = tryLock(`${folder}/${name}`);
      if (lock) Deno.removeSync(`${folder}/${name}`, { recursive: true });
    } catch { /* another user's, or another run was quicker */ }
  }
}
