/** A disk as a chain of layers: what one layer does not hold is in the next, its backing file. */

import { damaged, ImageError } from "./error.ts";
import type { ImageFile } from "./image_file.ts";

/** A compressed cluster of a qcow2 image, or grain of a VMDK one. */
export interface CompressedCluster {
  /** zlib's deflate with its header and checksum, or without. */
  compression: "zlib" | "deflate" | "zstd";
  file: ImageFile;
  /** Where it begins in the file. */
  at: number;
  /** Its length in the file is known only to lie between these. */
  atLeast: number;
  atMost: number;
  /** Its length when it is decompressed. */
  size: number;
  /** The least that it has of that, where it may be shorter. */
  shortest?: number;
}

/** The error of a cluster that cannot be decompressed. */
export function brokenCluster({ at, file }: CompressedCluster): ImageError {
  return damaged(`the compressed cluster at byte ${at} of '${file.path}' is broken`);
}

/** Bytes of a disk that lie together, from an offset on that the asker knows. */
export type Run = EmptyRun<"unallocated" | "zero"> | DataRun | CompressedRun;

export interface EmptyRun<Kind> {
  kind: Kind;
  length: number;
}

export interface DataRun {
  kind: "data";
  length: number;
  file: ImageFile;
  at: number;
}

export interface CompressedRun {
  kind: "compressed";
  length: number;
  cluster: CompressedCluster;
  /** Where in the decompressed cluster it begins. */
  skip: number;
}

/** One image of a chain. */
export interface Layer extends Disposable {
  readonly format: "raw" | "qcow2" | "vmdk" | "vpc" | "vhdx";
  readonly file: ImageFile;
  /** Of the disk, in bytes. */
  readonly size: number;
  /** The image that has what this one does not hold. */
  readonly backing?: Layer;
  /**
   * What there is at an offset below `size`: at least one byte, at most `length`.
   *
   * @throws {ImageError} When the image is damaged there.
   */
  run(offset: number, length: number): Run;
}

/** A raw image: all of it is data, or all up to a size. */
export class RawLayer implements Layer {
  readonly format = "raw";

  constructor(readonly file: ImageFile, readonly size: number = file.size) {}

  run(offset: number, length: number): Run {
    return { kind: "data", length: Math.min(length, this.size - offset), file: this.file, at: offset };
  }

  [Symbol.dispose](): void {
    this.file[Symbol.dispose]();
  }
}

/** What there is at an offset of a chain, as {@linkcode Layer.run} says it; what no layer holds is zero. */
export function locate(
  layer: Layer,
  offset: number,
  length: number,
): EmptyRun<"zero"> | DataRun | CompressedRun {
  const run = layer.run(offset, length);
  if (run.kind === "data" || run.kind === "compressed") return run;
  const { backing } = layer;
  if (run.kind === "zero" || !backing || offset >= backing.size) return { kind: "zero", length: run.length };
  const most = Math.min(run.length, backing.size - offset);
  return ofBacking(backing.file.path, () => locate(backing, offset, most));
}

/** Lets the errors of a backing file say whose they are. */
export function ofBacking<T>(path: string, what: () => T): T {
  try {
    return what();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ImageError(`its backing file '${path}' cannot be used: ${error.message}`);
  }
}
