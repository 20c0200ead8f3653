/** Files that tests of linux/ use. */

/** A file of the project. */
export function projectFile(path: string): string {
  return decodeURIComponent(new URL(`../../${path}`, import.meta.url).pathname);
}

/** Where the guest for a processor is. */
export function guestFiles(arch: string): { kernel: string; initrd: string } {
  const folder = projectFile(`build/guest/${arch}`);
  return { kernel: `${folder}/vmlinuz`, initrd: `${folder}/initrd` };
}
