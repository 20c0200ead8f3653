/** A folder of the host's as what a FAT volume is made of. */

import { nextTurn } from "../host/event_loop.ts";
import { ignoreNotFound, isSystemError, reasonOf } from "../host/error.ts";
import { inodeOf, versionOf } from "../host/files.ts";
import { ImageError } from "./error.ts";
import { foldCase, nameProblem } from "./fat_names.ts";
import { type FatFile, type FatFolder, LARGEST_FILE, LARGEST_VOLUME } from "./fat_volume.ts";

/** What is read at a time. */
const CHUNK = 1024 * 1024;

/** How long the event loop waits for its turn, in ms. */
const TURN = 50;

/** More than this is a mistake, like `/`, or links that lead into one another. */
const MOST_FILES = 1_000_000;

/** A folder, and what cannot be on a volume. */
export interface HostFolder {
  root: FatFolder;
  /** Paths of what is neither a file nor a folder, and of links that lead nowhere. */
  leftOut: string[];
}

/**
 * Reads what is in a folder of the host's, and the sizes of its files. Links are followed.
 *
 * @throws {ImageError} When something in it cannot be on a FAT volume.
 * @throws The errors of reading the folder itself.
 */
export async function readFolder(path: string, signal?: AbortSignal): Promise<HostFolder> {
  return await new FolderReader(signal).read(path);
}

class FolderReader {
  readonly #leftOut: string[] = [];
  /** Folders that are being read, outermost first. */
  readonly #open: string[] = [];
  #files = 0;
  #bytes = 0;
  #turn = performance.now();

  constructor(readonly signal?: AbortSignal) {}

  async read(path: string): Promise<HostFolder> {
    return { root: await this.#folder(path, "", Deno.statSync(path)), leftOut: this.#leftOut };
  }

  async #folder(path: string, name: string, info: Deno.FileInfo): Promise<FatFolder> {
    const identity = inodeOf(info);
    if (this.#open.includes(identity)) {
      throw new ImageError(`'${path}' is a link to a folder that it is in itself`);
    }
    this.#open.push(identity);
    const folder: FatFolder = { name, modified: timeOf(info), entries: [] };
    const names = Array.from(about(path, () => Deno.readDirSync(path)), ({ name }) => name).sort();
    const seen = new Map<string, string>();
    for (const name of names) {
      const entry = await this.#entry(`${path.replace(/\/$/, "")}/${name}`, name);
      if (!entry) continue;
      const same = seen.get(foldCase(name));
      if (same !== undefined) {
        throw new ImageError(`'${path}' has '${same}' and '${name}', which are one name on FAT`);
      }
      seen.set(foldCase(name), name);
      folder.entries.push(entry);
    }
    this.#open.pop();
    return folder;
  }

  async #entry(path: string, name: string): Promise<FatFile | FatFolder | undefined> {
    if (performance.now() - this.#turn > TURN) {
      await nextTurn();
      this.signal?.throwIfAborted();
      this.#turn = performance.now();
    }
    const info = about(path, () => ignoreNotFound(() => statOf(path)));
    // Deno says names that are no UTF-8 with U+FFFD in them.
    if (!info && name.includes("\ufffd")) throw new ImageError(`'${path}': its name is not UTF-8`);
    if (!info?.isFile && !info?.isDirectory) {
      this.#leftOut.push(path);
      return;
    }
    const problem = nameProblem(name);
    if (problem !== undefined) throw new ImageError(`'${path}': ${problem}`);
    if (++this.#files > MOST_FILES) throw new ImageError(`it has more than ${MOST_FILES} files and folders`);
    if (info.isDirectory) return await this.#folder(path, name, info);
    if (info.size > LARGEST_FILE) {
      throw new ImageError(`'${path}' is too large: a file on FAT has less than 4 GiB`);
    }
    this.#bytes += info.size;
    if (this.#bytes > LARGEST_VOLUME) {
      throw new ImageError("it has more than a FAT volume of 32 GiB can hold");
    }
    return { name, modified: timeOf(info), size: info.size, read: () => contents(path, info) };
  }
}

/** What is at the end of all links; nothing when they lead in a circle. */
function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.FilesystemLoop) return undefined;
    throw error;
  }
}

function timeOf({ mtime }: Deno.FileInfo): Date {
  return mtime ?? new Date(0);
}

/** What a file has, as long as it stays what it was. */
function* contents(path: string, info: Deno.FileInfo): Generator<Uint8Array> {
  const checkVersion = (now: Deno.FileInfo) => {
    if (versionOf(now) !== versionOf(info)) {
      throw new ImageError(`'${path}' was changed while it was read`);
    }
  };
  checkVersion(about(path, () => Deno.statSync(path))); // to open a named pipe would wait for its writer
  using file = about(path, () => Deno.openSync(path));
  const bytes = new Uint8Array(Math.min(CHUNK, info.size + 1));
  for (let read; (read = about(path, () => file.readSync(bytes))) !== null;) yield bytes.subarray(0, read);
  checkVersion(file.statSync());
}

/** Does something with a file; what the system says of it, is said with its path. */
function about<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new ImageError(`'${path}': ${reasonOf(error)}`, { cause: error });
  }
}
