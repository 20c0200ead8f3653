/** Why a run failed, in one line, and its exit code. */

import { FileError } from "../host/error.ts";
import { MachineError } from "../machine/error.ts";
import { NSError } from "../objc/mod.ts";
import { adviceOn, describeError } from "../vz/mod.ts";
import { EXIT } from "./exit.ts";
import * as log from "./log.ts";
import { wordError } from "./qemu/word_error.ts";

/** Says what is wrong, and what to do about it. @returns The exit code. */
export async function reportFailure(error: unknown): Promise<number> {
  if (error instanceof MachineError || error instanceof FileError) {
    await log.error(error instanceof MachineError ? wordError(error) : error.message);
    return EXIT.usage;
  }
  await log.error(
    error instanceof NSError ? wordNSError(error) : error instanceof Error ? error.message : String(error),
  );
  return EXIT.failed;
}

function wordNSError(error: NSError): string {
  const advice = adviceOn(error);
  return `${describeError(error)} (${error.domain} ${error.code})${advice ? `; ${advice}` : ""}`;
}
