/** Files that are written from nothing, however large. */

/** What is written, as those who write it see it: a `Deno.FsFile` is one too. */
export type WritableFile = Pick<Deno.FsFile, "seekSync" | "statSync" | "truncateSync" | "writeSync">;

/** How much is written before the disk begins with it, in bytes. */
const SYNCED_AT_ONCE = 16 << 20;

/**
 * A file that the disk begins with while more of it is written. Synced at its end only, all of it would wait for
 * the disk then: some hundred MiB take as long as it takes to make them.
 */
export class NewFile implements WritableFile {
  readonly #file: Deno.FsFile;
  #unsynced = 0;
  /** One at a time, so that each takes along what was written during the one before. */
  #syncing?: Promise<void>;
  /** The system tells only one sync what the disk has failed at. */
  #failure?: Error;

  constructor(file: Deno.FsFile) {
    this.#file = file;
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
    this.#syncing = this.#file.syncData()
      .catch((error) => void (this.#failure = error))
      .finally(() => this.#syncing = undefined);
  }

  /**
   * Waits until all of it is on the disk.
   *
   * @throws What any write has failed with when it came there.
   */
  async sync(): Promise<void> {
    await this.#syncing;
    if (this.#failure) throw this.#failure;
    await this.#file.sync();
  }
}
