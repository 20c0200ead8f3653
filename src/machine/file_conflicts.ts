/** What a machine uses each of its files for. */

import { MachineError } from "./error.ts";
import { exists, folderOf, nameOf } from "./files.ts";
import type { Machine } from "./machine.ts";

/** One use of a file. */
interface Use {
  path: string;
  /** For people. */
  what: string;
  written: boolean;
}

function usesOf({ boot, disks, serial, machineId }: Machine): Use[] {
  const uses: Use[] = [];
  const add = (what: string, path: string | undefined, written: boolean) => {
    if (path !== undefined) uses.push({ what, path, written });
  };
  if (boot.from === "linux") {
    add("the kernel", boot.kernel, false);
    add("the initial RAM disk", boot.initrd, false);
  } else {
    add("EFI's variables", boot.variables, true);
  }
  for (const { file, readOnly, snapshot } of disks) add("a disk", file, !readOnly && !snapshot);
  for (const port of serial) if ("path" in port) add("a console", port.path, true);
  add("the machine's identity", machineId, true);
  return uses;
}

/** The same for each name of one file, whether it is there or is still to be made; nothing for what is no file. */
function identityOf(path: string): string | undefined {
  if (!exists(path)) {
    return `${Deno.realPathSync(folderOf(path))}/${nameOf(path)}`;
  }
  const { dev, ino, isFile, isSocket } = Deno.statSync(path);
  return isFile || isSocket ? `${dev}:${ino}` : undefined; // /dev/null can be as many consoles as one likes
}

/**
 * Checks that no file has two uses one of which writes it.
 *
 * @throws {MachineError} For the first that has.
 */
export function checkUses(machine: Machine): void {
  const seen = new Map<string, Use>();
  for (const use of usesOf(machine)) {
    const identity = identityOf(use.path);
    if (identity === undefined) continue;
    const other = seen.get(identity);
    if (other && (other.written || use.written)) {
      throw new MachineError(
        `'${use.path}' is given twice, as ${other.what} and as ${use.what}: only what is not written can be`,
      );
    }
    if (!other) seen.set(identity, use);
  }
}
