/** Images that have tables of where the disk is. */

import type { WritableFile } from "../host/new_file.ts";
import { convert } from "./convert.ts";
import type { Layer } from "./layer.ts";
import type { SourceImage } from "./open_image.ts";
import { open, openQcow2, pathsOf } from "./open_qcow2.ts";
import type { Work } from "./progress.ts";
import { vhd } from "./vhd.ts";
import { vhdx } from "./vhdx.ts";
import { vmdk } from "./vmdk.ts";

/** An image of one or more layers. */
class LayeredImage implements SourceImage {
  readonly size: number;
  readonly paths: string[];
  readonly backing?: string;

  constructor(readonly layer: Layer) {
    this.size = layer.size;
    this.paths = pathsOf(layer);
    if (layer.backing) this.backing = layer.backing.file.path;
  }

  write(into: WritableFile, work?: Work): Promise<void> {
    return convert(this.layer, into, work);
  }

  [Symbol.dispose](): void {
    this.layer[Symbol.dispose]();
  }
}

/** Opens an image as {@linkcode openImage} does. */
export function openLayers(path: string, format: "qcow2" | "vmdk" | "vpc" | "vhdx"): SourceImage {
  switch (format) {
    case "qcow2":
      return new LayeredImage(openQcow2(path));
    case "vmdk":
      return new LayeredImage(open(path, vmdk));
    case "vpc":
      return new LayeredImage(open(path, vhd));
    case "vhdx":
      return new LayeredImage(open(path, vhdx));
  }
}
