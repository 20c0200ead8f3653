/** What a machine uses each of its files for: one that is written has no second use. */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { exists, inodeOf } from "../host/files.ts";
import { MachineError, refusable } from "./error.ts";
import type { Machine } from "./machine.ts";

/** One use of a file. */
interface Use {
  path: string;
  field: string;
  /** For people. */
  what: string;
  written: boolean;
}

function usesOf({ boot, disks, serial, machineId }: Machine): Use[] {
  const uses: Use[] = [];
  const add = (field: string, what: string, path: string | undefined, written: boolean) => {
    if (path !== undefined) uses.push({ field, what, path, written });
  };
  if (boot.kind === "linux") {
    add("boot.kernel", "the kernel", boot.kernel, false);
    add("boot.initrd", "the initial RAM disk", boot.initrd, false);
  } else {
    add("boot.variables", "EFI's variables", boot.variables, true);
  }
  for (const [i, { file, readOnly, snapshot }] of disks.entries()) {
    add(`disks[${i}].file`, "a disk", file, !readOnly && !snapshot);
  }
  for (const [i, port] of serial.entries()) {
    if ("path" in port) add(`serial[${i}].path`, "a console", port.path, true);
  }
  add("machineId", "the machine's identity", machineId, true);
  return uses;
}

/** The same for each name of one file, whether it is there or is still to be made; nothing for what is no file. */
function identityOf(path: string): string | undefined {
  if (!exists(path)) return `${Deno.realPathSync(dirname(path))}/${basename(path)}`;
  const info = Deno.statSync(path);
  return info.isFile || info.isSocket ? inodeOf(info) : undefined; // /dev/null can be as many consoles as one likes
}

/**
 * Checks that no file has two uses one of which writes it.
 *
 * @throws {MachineError} For the first that has.
 */
export function checkConflicts(machine: Machine): void {
  const seen = new Map<string, Use>();
  for (const use of usesOf(machine)) {
    const { field, path, what, written } = use;
    const identity = refusable(field, `cannot use '${path}'`, () => identityOf(path));
    if (identity === undefined) continue;
    const other = seen.get(identity);
    if (other && (other.written || written)) {
      throw new MachineError(
        `'${path}' is given twice, as ${other.what} and as ${what}: only what is not written can be`,
        { field },
      );
    }
    if (!other) seen.set(identity, use);
  }
}
