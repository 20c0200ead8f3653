import { makeOnce } from "../host/make_once.ts";
import { unfit } from "../machine/files.ts";
import { VZGenericMachineIdentifier } from "../vz/mod.ts";

/**
 * Makes the file of a machine's identity, when there is none.
 *
 * @throws {MachineError} When it cannot be made.
 */
export async function makeIdentity(path: string): Promise<void> {
  try {
    await makeOnce(path, async (file) => void await file.write(VZGenericMachineIdentifier.create().data));
  } catch (error) {
    throw unfit(`cannot make the machine's identity '${path}'`, error);
  }
}
