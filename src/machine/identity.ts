/** The identity that a guest finds the same at each start, in a file or as a UUID. */

import { exists } from "../host/files.ts";
import { VZGenericMachineIdentifier } from "../vz/mod.ts";
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
    await makeOnce(path, (file) => void file.writeSync(VZGenericMachineIdentifier.create().data), signal);
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

/**
 * The identity of a machine; undefined when that is still to be made, or where there are none.
 *
 * @param saved That of a saved machine that goes on, in hexadecimal.
 * @throws {MachineError} When a file or a UUID is none, or another than the saved machine's.
 */
export function identityOf(
  { machineId, uuid }: Machine,
  saved: string | undefined,
): VZGenericMachineIdentifier | undefined {
  const given = machineId !== undefined ? ofFile(machineId) : uuid !== undefined ? ofUUID(uuid) : undefined;
  if (saved === undefined) {
    if (given || machineId !== undefined || !VZGenericMachineIdentifier.api.isAvailable) return given;
    return VZGenericMachineIdentifier.create(); // for this run, and what is saved of it
  }
  if (machineId === undefined && uuid === undefined) return ofBytes(Uint8Array.fromHex(saved));
  if (given?.data.toHex() === saved) return given;
  throw new MachineError(
    "the saved machine has another identity, which it keeps when nothing is said of it",
    {
      field: machineId === undefined ? "uuid" : "machineId",
    },
  );
}

function ofUUID(uuid: string): VZGenericMachineIdentifier {
  const bytes = Uint8Array.fromHex(uuid.replaceAll("-", ""));
  const identifier = VZGenericMachineIdentifier.from(bytes); // whose bytes are a UUID's, as far as is known
  if (identifier) return identifier;
  throw new MachineError("the framework takes no UUID for a machine's identity", { field: "uuid" });
}

function ofBytes(bytes: Uint8Array): VZGenericMachineIdentifier {
  const identifier = VZGenericMachineIdentifier.from(bytes);
  if (identifier) return identifier;
  throw new MachineError("the framework does not take the saved machine's identity");
}

/** Bytes; a file that has more is something else, and may be too large to be read. */
const LONGEST = 64 * 1024;

/**
 * The identity of a file, or none when there is no file yet.
 *
 * @throws {MachineError} When the file holds none.
 */
function ofFile(path: string): VZGenericMachineIdentifier | undefined {
  if (!exists(path)) return undefined;
  const identifier = Deno.statSync(path).size <= LONGEST
    ? VZGenericMachineIdentifier.from(Deno.readFileSync(path))
    : undefined;
  if (identifier) return identifier;
  throw new MachineError(`'${path}' holds no machine's identity; remove it for a new one`, {
    field: "machineId",
  });
}
