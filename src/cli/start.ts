/** Which front end the program has. Nothing is loaded of the other one. */

import { programName } from "../host/program_name.ts";

/** Programs in whose place this one runs, by their words. */
const OTHERS = ["vfkit", "krunkit"] as const;

const otherOf = (name: string | undefined) => OTHERS.find((other) => other === name);

/**
 * Runs vzrun: in qemu's words, or in the place of another program, when it was started by that one's name or that is its
 * first argument.
 *
 * @param argv Arguments, without the program's name.
 * @returns The exit code.
 */
export async function start(argv: readonly string[]): Promise<number> {
  const named = otherOf(argv[0]);
  const program = named ?? otherOf(programName());
  if (!program) return await (await import("./run.ts")).run(argv);
  const { runAs } = await import("./vfkit/run.ts");
  return await runAs(program, named ? argv.slice(1) : argv);
}
