/** How large a disk can be. */

import { damaged, ImageError } from "./error.ts";

/** No file of ext4 is longer; a larger size than this is damage. */
export const LARGEST_DISK = 16 * 1024 ** 4;

/** @throws {ImageError} When a disk cannot have so many bytes. */
export function checkDiskSize(size: number): void {
  if (size === 0) throw damaged("its disk has no bytes");
  if (size > LARGEST_DISK) throw new ImageError(`its disk of ${size} bytes is larger than 16 TiB`);
  if (size % 512 !== 0) throw damaged(`its disk has ${size} bytes, which are no whole sectors`);
}
