/** Files that are written from nothing, however large. */

import { errnoOf } from "./error.ts";
import { ENOTSUP } from "./libraries.ts";

/** What is written, as those who write it see it: a `Deno.FsFile` is one too. */
export type WritableFile = Pick<Deno.FsFile, "seekSync" | "statSync" | "truncateSync" | "writeSync">;

// The same on macOS and Linux.
const [EINVAL, ENOTTY] = [22, 25];

/** macOS's file systems say it in these ways. */
const NO_SYNC = [EINVAL, ENOTTY, ENOTSUP];

/**
 * Waits until a file is on its disk. Those of which nobody can know are left as they are: on SMB, WebDAV, NTFS and FUSE
 * macOS has no F_FULLFSYNC, which is what Deno asks it for.
 *
 * @throws What a write has failed with when it came to the disk.
 *
 * Source: fcntl(2) of macOS; the file systems' vnop_ioctl in what Apple has published of them.
 */
export async function syncFile(file: Deno.FsFile): Promise<void> {
  try {
    await file.sync();
  } catch (error) {
    if (!NO_SYNC.includes(errnoOf(error) ?? 0)) throw error;
  }
}

/** How much is written before the disk begins with it, in bytes: each time macOS has the disk empty its own cache. */
const SYNCED_AT_ONCE = 32 << 20;

/**
 * A file that the disk begins with while more of it is written. Synced at its end only, all of it would wait for
 * the disk then: some hundred MiB take as long as it takes to make them.
 */
export class NewFile implements WritableFile {
  readonly #file: Deno.FsFile;
  readonly #path: string;
  #unsynced = 0;
  /** One at a time, so that each takes along what was written during the one before. */
  #syncing?: Promise<void>;
  /** Not every system tells a second sync what the disk has failed at. */
  #failure?: Error;

  /** @param path Leads to the file. */
  constructor(file: Deno.FsFile, path: string) {
    [this.#file, this.#path] = [file, path];
  }

  /** @throws What an earlier write has failed with when it came to the disk, too. */
  writeSync(bytes: Uint8Array): number {
    if (this.#failure) throw this.#failure;
    const count = this.#file.writeSync(bytes);
    this.#unsynced += count;
    if (this.#unsynced >= SYNCED_AT_ONCE && !this.#syncing) this.#beginSync();
    return count;
  }

  seekSync(offset: number | bigint, whence: Deno.SeekMode): number {
    return this.#file.seekSync(offset, whence);
  }

  truncateSync(length?: number): void {
    this.#file.truncateSync(length);
  }

  statSync(): Deno.FileInfo {
    return this.#file.statSync();
  }

  #beginSync(): void {
    this.#unsynced = 0;
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path); // what is written to may be busy while Deno syncs it
    } catch {
      return; // there are too many open: all of it is synced at the end
    }
    this.#syncing = syncFile(file)
      .catch((error) => void (this.#failure = error))
      .finally(() => {
        file.close();
        this.#syncing = undefined;
      });
  }

  /**
   * Waits until all of it is on the disk.
   *
   * @throws What any write has failed with when it came there.
   */
  async sync(): Promise<void> {
    await this.#syncing;
    if (this.#failure) throw this.#failure;
    await syncFile(this.#file);
  }
}
