import { FileError, ignoreNotFound, toFileError } from "./error.ts";
import { partialOf, removeOwn, versionOf } from "./files.ts";
import { checkOutputFile } from "./output_file.ts";

/** A file that is there as long as something is so: whoever waits for that waits for the file. */
export class MarkFile implements Disposable {
  readonly #path: string;
  readonly #content: string;
  /** What is there when it is ours: the number of a file that is gone may be another's. */
  #own?: string;
  #isOver = false;

  /**
   * Takes away what a run that was killed has left there.
   *
   * @param content What is in it.
   * @throws {FileError} When there is a file of something else, or it cannot be removed.
   */
  constructor(path: string, content: string) {
    [this.#path, this.#content] = [path, content];
    MarkFile.check(path, content);
    try {
      ignoreNotFound(() => Deno.removeSync(path));
    } catch (error) {
      throw toFileError(`cannot write '${path}'`, error);
    }
  }

  /**
   * Checks that a path can be that of one, and writes nothing.
   *
   * @throws {FileError} When it cannot be written, or is a file of something else.
   */
  static check(path: string, content: string): void {
    checkOutputFile(path);
    try {
      const size = ignoreNotFound(() => Deno.statSync(path).size) ?? 0;
      if (size === 0 || size === content.length && Deno.readTextFileSync(path) === content) return;
    } catch (error) {
      throw toFileError(`cannot write '${path}'`, error);
    }
    throw new FileError(`cannot write '${path}': it is there and holds something else`);
  }

  /** Makes it, whole. @throws {FileError} When it cannot be written. */
  make(): void {
    if (this.#isOver) return;
    const partial = partialOf(this.#path);
    try {
      Deno.writeTextFileSync(partial, this.#content);
      Deno.renameSync(partial, this.#path);
      this.#own = versionOf(Deno.lstatSync(this.#path));
    } catch (error) {
      throw toFileError(`cannot write '${this.#path}'`, error);
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    const there = ignoreNotFound(() => Deno.lstatSync(this.#path));
    if (there && versionOf(there) === this.#own) removeOwn(this.#path, there);
  }
}
