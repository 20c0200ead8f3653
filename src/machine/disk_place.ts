/** Where a disk is: in a file, a device of the host's or a server's. What the last two take is loaded for them only. */

import { isDisk } from "../host/files.ts";

/** Whether a disk's file is the URL of a server's disk. `./nbd://` is a file's path. */
export function isServed(file: string): boolean {
  return /^nbds?(\+\w+)?:\/\//i.test(file);
}

/** Whether a disk is in a file, and neither a device nor a server's. */
export function isImage(file: string): boolean {
  return !isServed(file) && !isDisk(file);
}
