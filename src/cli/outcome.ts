import { usageExit } from "./exit.ts";
import * as log from "./log.ts";
import type { FrontEnd } from "./run_options.ts";
import { UsageError } from "./usage_error.ts";

/** The exit code of what runs; an error is said, and has one too. */
export async function outcome(body: () => Promise<number>, frontEnd: FrontEnd): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UsageError) {
      await log.error(error.message);
      return usageExit(frontEnd);
    }
    const { reportFailure } = await import("./failure.ts");
    return await reportFailure(error, frontEnd);
  }
}
