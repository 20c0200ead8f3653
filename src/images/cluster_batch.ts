/** Compressed clusters that are decompressed together, by a worker. */

import type { Part } from "./decompress_cluster.ts";
import type { ImageFile } from "./image_file.ts";
import type { CompressedRun } from "./layer.ts";

/** So many bytes of the disk are in one batch, but for a last cluster: it is read, sent and written at once. */
export const BATCH = 1 << 19;

/** Buffers, which go to a worker and come back. */
export interface Buffers {
  input: Uint8Array<ArrayBuffer>;
  output: Uint8Array<ArrayBuffer>;
}

/** What a worker is told. */
export interface ToWorker extends Buffers {
  parts: Part[];
}

/** What it answers: also which part is broken, if one is. */
export interface FromWorker extends Buffers {
  broken: number | undefined;
}

/** A batch that is decompressed. */
export interface Decompressed extends Pick<FromWorker, "output" | "broken"> {
  batch: ClusterBatch;
}

/** Runs that are gathered, and what of their files is to be read for them. */
export class ClusterBatch {
  readonly runs: { offset: number; run: CompressedRun }[] = [];
  readonly parts: Part[] = [];
  /** In bytes, of the disk. */
  length = 0;
  readonly #reads: { file: ImageFile; at: number; end: number; into: number }[] = [];

  /** How long what is read is. */
  get inputLength(): number {
    const last = this.#reads.at(-1);
    return last ? last.into + last.end - last.at : 0;
  }

  /** Whether a run is better in another batch; what follows in the same cluster stays with it. */
  isFullFor({ cluster, skip, length }: CompressedRun): boolean {
    const last = this.runs.at(-1)?.run;
    if (!last) return false;
    const isSame = last.cluster.file === cluster.file && last.cluster.at === cluster.at;
    if (isSame && skip >= last.skip + last.length) return false;
    return this.length + length > BATCH || this.inputLength + cluster.atMost > 2 * BATCH;
  }

  /** @param offset Where the run is in the disk. */
  add(offset: number, run: CompressedRun): void {
    const { file, at, atMost, compression, size, shortest } = run.cluster;
    let read = this.#reads.at(-1);
    // Clusters mostly lie one behind the other, and the sector in which one ends has the next one's beginning.
    if (read?.file === file && at >= read.at && at <= read.end) read.end = Math.max(read.end, at + atMost);
    else this.#reads.push(read = { file, at, end: at + atMost, into: this.inputLength });
    this.parts.push({
      at: read.into + at - read.at,
      atMost,
      compression,
      size,
      ...shortest !== undefined && { shortest },
      skip: run.skip,
      length: run.length,
    });
    this.runs.push({ offset, run });
    this.length += run.length;
  }

  /** Reads what the parts are in. */
  read(into: Uint8Array): void {
    for (const { file, at, end, into: start } of this.#reads) {
      file.readWhole(at, into.subarray(start, start + end - at));
    }
  }

  /** Where the output belongs in the disk: what is together there is together. */
  *stretches(): Generator<{ offset: number; from: number; to: number }> {
    let from = 0;
    let to = 0;
    for (const [i, { offset, run }] of this.runs.entries()) {
      to += run.length;
      if (this.runs[i + 1]?.offset === offset + run.length) continue;
      yield { offset: offset + run.length - (to - from), from, to };
      from = to;
    }
  }
}
