/** What was made of files, kept so that it is made once. */

import { ignoreNotFound } from "../host/error.ts";
import { versionOf } from "../host/files.ts";
import { makeOnce } from "../host/make_once.ts";
import type { WritableFile } from "../host/new_file.ts";
import { ImageError } from "./error.ts";
import type { Work } from "./progress.ts";
import { Input } from "./byte_reader.ts";

/** For how long after a change a file's times may stay the same at the next one, in ms; some file systems count in 2 s. */
export const COARSEST_CLOCK = 2000;

/**
 * A folder of what was made, named after the content that it was made of. What is in use is locked, and stays; of
 * the rest, what was not used for longest goes when there is too much.
 *
 * `DIGEST.KIND` is a file; a symbolic link `IDENTITY -> DIGEST` says what a source's content is, so that it is not
 * read again.
 */
export class Cache implements Disposable {
  readonly #wanted: string | (() => string);
  #made?: string;
  readonly #limit: number;
  readonly #held = new Map<string, Deno.FsFile>();

  /**
   * @param folder Made when it is missing, and only when there is something to keep; or what makes one then.
   * @param limit Bytes on disk.
   */
  constructor(folder: string | (() => string), limit = 2 * 2 ** 30) {
    this.#wanted = folder;
    this.#limit = limit;
  }

  /**
   * A file made of another one: the one that is kept, or a new one. It stays until the cache is disposed of.
   *
   * @param kind What is made of it; part of a file name.
   * @param make Writes the file.
   * @returns Its path.
   * @throws {ImageError} When it cannot be written.
   */
  async file(
    source: string,
    kind: string,
    make: (file: WritableFile) => void | Promise<void>,
    work: Work = {},
  ): Promise<string> {
    const before = versionOf(Deno.statSync(source));
    const makeOfOne = async (file: WritableFile) => {
      await make(file);
      if (versionOf(Deno.statSync(source)) !== before) {
        throw new ImageError("it was changed while it was read");
      }
    };
    try {
      Deno.mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      const path = `${this.#folder}/${await this.#digest(source, work)}.${kind}`;
      while (!this.#hold(path)) {
        if (await makeOnce(path, makeOfOne, work.signal)) this.#evict(path);
      }
      return path;
    } catch (error) {
      const isForbidden = error instanceof Deno.errors.NotCapable; // Deno guards /proc and its like
      const [, system] = /^(.*) \(os error \d+\)/s.exec((error as Error).message) ?? [];
      const reason = isForbidden ? "that is no place for files" : system;
      if (!reason) throw error;
      throw new ImageError(`it cannot be unpacked into '${this.#folder}': ${reason}`);
    }
  }

  get #folder(): string {
    return this.#made ??= typeof this.#wanted === "string" ? this.#wanted : this.#wanted();
  }

  /** Removes a file that turned out to be no good, so that it is made anew the next time. */
  forget(path: string): void {
    this.#held.get(path)?.close();
    this.#held.delete(path);
    ignoreNotFound(() => Deno.removeSync(path));
  }

  /** Lets others remove what was made. */
  [Symbol.dispose](): void {
    for (const file of this.#held.values()) file.close();
    this.#held.clear();
  }

  /** Keeps a file from being removed, if it is there. */
  #hold(path: string): boolean {
    if (this.#held.has(path)) return true;
    const file = ignoreNotFound(() => Deno.openSync(path));
    if (!file) return false;
    file.lockSync(false);
    // It may have been removed before it was locked.
    if (ignoreNotFound(() => Deno.statSync(path))?.ino !== file.statSync().ino) {
      file.close();
      return false;
    }
    file.utimeSync(new Date(), new Date());
    this.#held.set(path, file);
    return true;
  }

  /** The digest of a file's content. */
  async #digest(source: string, work: Work): Promise<string> {
    using file = Deno.openSync(source);
    const before = file.statSync();
    const link = `${this.#folder}/${versionOf(before)}`;
    const known = ignoreNotFound(() => Deno.readLinkSync(link));
    if (known) return known;
    const now = Date.now();
    const hash = (await import("node:crypto")).createHash("sha256");
    for (const input = new Input(file, work); input.left > 0; await input.yieldToEventLoop()) {
      hash.update(input.next());
    }
    const digest = hash.digest("hex");
    // What changes within the clock's granularity looks unchanged: then its content is not known the next time.
    const changed = Math.max(before.mtime?.getTime() ?? Infinity, before.ctime?.getTime() ?? Infinity);
    if (now - changed > COARSEST_CLOCK && versionOf(file.statSync()) === versionOf(before)) {
      try {
        Deno.symlinkSync(digest, link);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // another was faster
      }
    }
    return digest;
  }

  /** Makes room for what was made. */
  #evict(made: string): void {
    const files: { path: string; used: number; bytes: number }[] = [];
    const links: string[] = [];
    for (const { name, isFile, isSymlink } of Deno.readDirSync(this.#folder)) {
      const path = `${this.#folder}/${name}`;
      if (isSymlink) links.push(path);
      const info = isFile && ignoreNotFound(() => Deno.lstatSync(path));
      if (!info) continue;
      files.push({ path, used: info.mtime?.getTime() ?? 0, bytes: (info.blocks ?? 0) * 512 });
    }
    let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const kept = files.sort((a, b) => a.used - b.used).filter(({ path, bytes: freed }) => {
      const goes = bytes > this.#limit && path !== made && this.#remove(path);
      if (goes) bytes -= freed;
      return !goes;
    });
    for (const link of links) {
      const digest = ignoreNotFound(() => Deno.readLinkSync(link));
      const leads = kept.some(({ path }) => path.startsWith(`${this.#folder}/${digest}.`));
      if (!leads) ignoreNotFound(() => Deno.removeSync(link));
    }
  }

  /** Removes a file, unless someone uses or makes it. */
  #remove(path: string): boolean {
    using file = ignoreNotFound(() => Deno.openSync(path));
    if (!file?.tryLockSync(true)) return file === undefined;
    ignoreNotFound(() => Deno.removeSync(path));
    return true;
  }
}
