/** Why a run failed, in one line, and its exit code. */

import { FileError } from "../host/error.ts";
import { MachineError } from "../machine/error.ts";
import { NSError } from "../objc/mod.ts";
import { adviceOn, describeError } from "../vz/mod.ts";
import { EXIT, usageExit } from "./exit.ts";
import * as log from "./log.ts";
import type { FrontEnd } from "./run_options.ts";

/** Says what is wrong, and what to do about it. @returns The exit code. */
export async function reportFailure(error: unknown, frontEnd: FrontEnd): Promise<number> {
  if (error instanceof MachineError || error instanceof FileError) {
    await log.error(error instanceof MachineError ? await word(error, frontEnd) : error.message);
    return usageExit(frontEnd);
  }
  await log.error(
    error instanceof NSError ? wordNSError(error) : error instanceof Error ? error.message : String(error),
  );
  return EXIT.failed;
}

async function word(error: MachineError, frontEnd: FrontEnd): Promise<string> {
  const { wordError } = frontEnd === "vfkit"
    ? await import("./vfkit/word_error.ts")
    : await import("./qemu/word_error.ts");
  return wordError(error);
}

function wordNSError(error: NSError): string {
  const advice = adviceOn(error);
  return `${describeError(error)} (${error.domain} ${error.code})${advice ? `; ${advice}` : ""}`;
}
