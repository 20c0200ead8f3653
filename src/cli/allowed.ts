import type { Run } from "./run_options.ts";

/**
 * Returns when the process may make virtual machines and has its name, where programs are signed with what they may do
 * and have the name of their file.
 *
 * @param options What is checked before anything is signed.
 * @param name What other programs are to see it as, unless that is all the same.
 */
export async function ensureAllowed(
  options: () => Run | Promise<Run>,
  name?: string,
): Promise<void> {
  const { hasLibrary } = await import("../host/libraries.ts");
  if (!hasLibrary("Security")) return;
  const { ensureEntitled } = await import("./entitlement.ts");
  await ensureEntitled(async () => {
    const { checkRun } = await import("./run_machine.ts");
    await checkRun(await options());
  }, { name });
}
