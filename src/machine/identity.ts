/** The identity that a guest finds the same at each start, in a file. */

import { exists } from "../host/files.ts";
import { VZGenericMachineIdentifier, VZGenericPlatformConfiguration } from "../vz/mod.ts";
import { MachineError, toMachineError } from "./error.ts";
import type { Machine } from "./machine.ts";

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

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws {MachineError} When it is none, or there is a file of the identity too. */
export function checkUUID(uuid: string, file: string | undefined): void {
  const fail = (reason: string): never => {
    throw new MachineError(reason, { field: "uuid" });
  };
  if (!UUID.test(uuid)) fail(`'${uuid}' is no UUID, like 6ba7b810-9dad-11d1-80b4-00c04fd430c8`);
  if (file !== undefined) fail("a machine has one identity: this, or that of a file");
}

/** The platform with the identity of a machine, if it has one and that is not still to be made. */
export function configurePlatform({ machineId, uuid }: Machine): VZGenericPlatformConfiguration | undefined {
  if (machineId !== undefined) return configureIdentity(machineId);
  if (uuid === undefined) return undefined;
  const bytes = Uint8Array.fromHex(uuid.replaceAll("-", ""));
  const identifier = VZGenericMachineIdentifier.from(bytes); // whose bytes are a UUID's, as far as is known
  if (identifier) return VZGenericPlatformConfiguration.create(identifier);
  throw new MachineError("the framework takes no UUID for a machine's identity", { field: "uuid" });
}

/** Bytes; a file that has more is something else, and may be too large to be read. */
const LONGEST = 64 * 1024;

/**
 * The platform with the identity of a file, or none when there is no file yet.
 *
 * @throws {MachineError} When the file holds none.
 */
function configureIdentity(path: string): VZGenericPlatformConfiguration | undefined {
  if (!exists(path)) return undefined;
  const identifier = Deno.statSync(path).size <= LONGEST
    ? VZGenericMachineIdentifier.from(Deno.readFileSync(path))
    : undefined;
  if (identifier) return VZGenericPlatformConfiguration.create(identifier);
  throw new MachineError(`'${path}' holds no machine's identity; remove it for a new one`, {
    field: "machineId",
  });
}
