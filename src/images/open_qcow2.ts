/** Opens qcow2 images, with the images behind them. */

import { dirname } from "@std/path/posix/dirname";
import { isAbsolute } from "@std/path/posix/is-absolute";
import { printable } from "../host/printable.ts";
import { ImageError } from "./error.ts";
import { ImageFile } from "./image_file.ts";
import { type Layer, ofBacking, RawLayer } from "./layer.ts";
import { Qcow2 } from "./qcow2.ts";
import { QCOW2_HEAD, type Qcow2Header, readQcow2Header } from "./qcow2_header.ts";

/**
 * Opens an image to be read, and all that are behind it. They stay open until it is disposed.
 *
 * @throws {ImageError} When one of them is damaged, or has what cannot be read here.
 * @throws {Deno.errors.NotFound} And the other errors of opening `path`.
 */
export function openQcow2(path: string): Qcow2 {
  return open(path, (file) => qcow2(file, new Set()));
}

/** The paths of an image and of those behind it: when none of them has changed, nor has the disk. */
export function pathsOf(image: Layer): string[] {
  return [image.file.path, ...(image.backing ? pathsOf(image.backing) : [])];
}

/** Opens a file, which is closed when nothing can be made of it. */
export function open<T>(path: string, make: (file: ImageFile) => T): T {
  const file = new ImageFile(path);
  try {
    return make(file);
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}

/** @param above The identities of the files that it is behind. */
function qcow2(file: ImageFile, above: Set<string>): Qcow2 {
  const head = new Uint8Array(Math.min(QCOW2_HEAD, file.size));
  file.readWhole(0, head);
  const header = readQcow2Header(head, file.size);
  const behind = new Set(above).add(file.identity);
  return new Qcow2(file, header, header.backing && openBacking(file.path, header.backing, behind));
}

function openBacking(image: string, backing: NonNullable<Qcow2Header["backing"]>, above: Set<string>): Layer {
  const { name, format } = backing;
  // As in QEMU, what has a colon before its first slash names a protocol (nbd:, ssh:, json:), not a file.
  if (/^[^/]*:|\0/.test(name)) {
    throw new ImageError(`its backing file '${printable(name)}' is not a path`);
  }
  // Not joined: that takes a `..` away that has to be looked up, since the folder before it may be a link.
  const folder = dirname(image);
  const path = isAbsolute(name) || folder === "." ? name : `${folder}/${name}`;
  return ofBacking(printable(path), () => {
    // The guest of a raw image can write a header that names any file of the host. Who then takes the image for
    // what it looks like gives that file to the guest; so, as in libvirt, nobody guesses.
    if (!format) {
      throw new ImageError("its format is not told: tell it first (qemu-img rebase -u -b FILE -F FORMAT)");
    }
    if (format !== "raw" && format !== "qcow2") {
      throw new ImageError(`its format is '${printable(format)}', neither raw nor qcow2`);
    }
    try {
      return open(path, (file) => {
        if (above.has(file.identity)) throw new ImageError("it is behind itself");
        return format === "raw" ? new RawLayer(file) : qcow2(file, above);
      });
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) throw new ImageError("there is no such file");
      // What has a code is what the system says.
      throw error instanceof Error && "code" in error ? new ImageError(printable(error.message)) : error;
    }
  });
}
