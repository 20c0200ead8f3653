/** Tables of what is where in a file. */

import type { ImageFile } from "./image_file.ts";

/** The most of a table that is in memory at a time: a table may have 32 MiB, and a chain many layers. */
const TABLE_CHUNK = 64 * 1024;

/** Entries of tables, read from the file in chunks. */
export class Table {
  readonly view = new DataView(new ArrayBuffer(TABLE_CHUNK));
  #start = 0;
  #end = 0;

  constructor(readonly file: ImageFile) {}

  /** Where in `view` the entry is that is at `offset` of the file, in a table that ends at `end`. */
  find(offset: number, end: number): number {
    if (offset < this.#start || offset >= this.#end) {
      const length = Math.min(TABLE_CHUNK, end - offset);
      this.file.readWhole(offset, new Uint8Array(this.view.buffer, 0, length));
      [this.#start, this.#end] = [offset, offset + length];
    }
    return offset - this.#start;
  }
}
