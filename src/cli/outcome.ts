import { EXIT } from "./exit.ts";
import * as log from "./log.ts";
import { UsageError } from "./qemu/usage_error.ts";

/** The exit code of what runs; an error is said, and has one too. */
export async function outcome(body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof UsageError) {
      await log.error(error.message);
      return EXIT.usage;
    }
    const { reportFailure } = await import("./failure.ts");
    return await reportFailure(error);
  }
}
