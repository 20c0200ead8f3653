/** The identity that a guest finds the same at each start, in a file. */

import { exists } from "../host/files.ts";
import { VZGenericMachineIdentifier, VZGenericPlatformConfiguration } from "../vz/mod.ts";
import { MachineError, toMachineError } from "./error.ts";

/**
 * Makes the file of a machine's identity, when there is none.
 *
 * @throws {MachineError} When it cannot be made.
 */
export async function makeIdentity(path: string, signal?: AbortSignal): Promise<void> {
  try {
    const { makeOnce } = await import("../host/make_once.ts");
    const write = async (file: Deno.FsFile) =>
      void await file.write(VZGenericMachineIdentifier.create().data);
    await makeOnce(path, write, signal);
  } catch (error) {
    throw toMachineError("machineId", `cannot make the machine's identity '${path}'`, error);
  }
}

/** Bytes; a file that has more is something else, and may be too large to be read. */
const LONGEST = 64 * 1024;

/**
 * The platform with the identity of a file, or none when there is no file yet.
 *
 * @throws {MachineError} When the file holds none.
 */
export function configureIdentity(path: string): VZGenericPlatformConfiguration | undefined {
  if (!exists(path)) return undefined;
  const identifier = Deno.statSync(path).size <= LONGEST
    ? VZGenericMachineIdentifier.from(Deno.readFileSync(path))
    : undefined;
  if (identifier) return VZGenericPlatformConfiguration.create(identifier);
  throw new MachineError(`'${path}' holds no machine's identity; remove it for a new one`, {
    field: "machineId",
  });
}
