/** Files that tests of linux/ use. */

import { fromFileUrl } from "@std/path/posix/from-file-url";

/** A file of the project. */
export function projectFile(path: string): string {
  return fromFileUrl(new URL(`../../${path}`, import.meta.url));
}

/** Where the guest for a processor is. */
export function guestFiles(arch: string): { kernel: string; initrd: string } {
  const folder = projectFile(`build/guest/${arch}`);
  return { kernel: `${folder}/vmlinuz`, initrd: `${folder}/initrd` };
}
