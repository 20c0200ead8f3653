import { UnavailableError, VZLinuxRosettaDirectoryShare } from "../vz/mod.ts";

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
