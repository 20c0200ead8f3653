import { UnavailableError, VZLinuxRosettaDirectoryShare } from "../vz/mod.ts";
import * as log from "./log.ts";

/** Whether this computer has Rosetta. */
export function rosettaAvailability(): typeof VZLinuxRosettaDirectoryShare.availability {
  if (Deno.build.arch !== "aarch64") return "notSupported"; // it is of Apple silicon, and asking takes time
  try {
    return VZLinuxRosettaDirectoryShare.availability;
  } catch (error) {
    if (error instanceof UnavailableError) return "notSupported";
    throw error;
  }
}

/**
 * Installs Rosetta where it can be and is not yet.
 *
 * @throws {NSError} When that fails; the user is asked.
 */
export async function installRosetta(): Promise<void> {
  if (rosettaAvailability() !== "notInstalled") return;
  log.info("installing Rosetta");
  await VZLinuxRosettaDirectoryShare.install();
}
