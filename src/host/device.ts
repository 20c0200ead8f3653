/** Devices of the host's, which have no size and no end as files have them. */

import { Class, cString, type NSObject, openFunctions } from "../objc/mod.ts";
import { FileError, ignoreNotFound, reasonOf } from "./error.ts";
import { O_CLOEXEC } from "./libraries.ts";

const libc = openFunctions("system", { open: { parameters: ["buffer", "i32"], result: "i32" } });

const [O_RDONLY, O_RDWR] = [0, 2]; // on macOS and Linux

/** Whether a path leads to a device with blocks: on a Mac each has a character device besides, `/dev/rdisk4`. */
export function isDisk(path: string): boolean {
  const info = ignoreNotFound(() => Deno.statSync(path));
  return info !== undefined && (info.isBlockDevice === true || /^\/dev\/rdisk\d/.test(path));
}

/**
 * An NSFileHandle of a device, which closes when its last reference goes.
 *
 * @throws {FileError} When it cannot be opened.
 */
export function openDevice(path: string, write: boolean): NSObject {
  try {
    Deno.openSync(path, { read: true, write }).close(); // says why it cannot be
  } catch (error) {
    throw new FileError(`cannot open disk '${path}': ${reasonOf(error)}`, { cause: error });
  }
  const descriptor = libc.open(cString(path), (write ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (descriptor < 0) throw new FileError(`cannot open disk '${path}'`);
  return Class.named("NSFileHandle").create("initWithFileDescriptor:closeOnDealloc:", descriptor, true);
}
