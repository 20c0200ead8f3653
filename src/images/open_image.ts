/** Images of which raw ones are made, in whatever form. */

import type { WritableFile } from "../host/new_file.ts";
import type { ConvertedFormat } from "./disk_format.ts";
import type { Layer } from "./layer.ts";
import type { Work } from "./progress.ts";

/** An image of which a raw one is made. */
export interface SourceImage extends Disposable {
  /** Of the disk, in bytes; of one that is compressed it is known when that is unpacked. */
  readonly size?: number;
  /** Paths of all that it consists of: when none of them has changed, nor has the disk. */
  readonly paths: string[];
  /** Path of the image that it is based on. */
  readonly backing?: string;
  /** Where the disk is in it, if it can be read here and there. */
  readonly layer?: Layer;
  /**
   * Writes the disk into an empty file. What is zero takes no room in it.
   *
   * @throws {ImageError} When the image is damaged.
   * @throws Whatever ends `work`, and the errors of writing.
   */
  write(into: WritableFile, work?: Work): Promise<void>;
}

/**
 * Opens an image to be read, and all that it is based on. They stay open until it is disposed.
 *
 * @throws {ImageError} When it is damaged, or has what cannot be read here.
 * @throws {Deno.errors.NotFound} And the other errors of opening `path`.
 */
export async function openImage(path: string, format: ConvertedFormat): Promise<SourceImage> {
  switch (format) {
    case "qcow2":
    case "vmdk":
    case "vpc":
    case "vhdx":
      return (await import("./open_layers.ts")).openLayers(path, format);
    default:
      return await (await import("./packed_disk.ts")).openPacked(path, format);
  }
}
