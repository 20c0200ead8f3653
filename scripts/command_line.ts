/** Command lines of the scripts and the benchmarks, and how those end. */

import { parseArgs } from "@std/cli/parse-args";

/** A command line that is wrong: one line that says what is, and how it is written. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** What a command line may have. */
export interface Usage<B extends string, S extends string> {
  /** How it is written: `deno task sign [FILE] [--identity I]`. */
  usage: string;
  /** Names of options without a value. */
  boolean?: readonly B[];
  /** Names of options with one. */
  string?: readonly S[];
  /** How many words there may be beside the options; none by default. */
  words?: number;
}

/**
 * Reads a command line.
 *
 * @returns Its options by name, and its words.
 * @throws {UsageError} For the first thing in it that is not understood.
 */
export function parseOptions<B extends string = never, S extends string = never>(
  args: readonly string[],
  { usage, boolean = [], string = [], words = 0 }: Usage<B, S>,
) {
  const fail = (problem: string): never => {
    throw new UsageError(`${problem}; usage: ${usage}`);
  };
  const given: string[] = [];
  for (const arg of args) {
    // codesign's word for an ad hoc identity; parseArgs takes a dash for no option's value.
    if (arg === "-" && string.some((name) => given.at(-1) === `--${name}`)) given.push(`${given.pop()}=-`);
    else given.push(arg);
  }
  for (const name of string) {
    const times = given.filter((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`)).length;
    if (times > 1) fail(`--${name} is there ${times} times`);
  }
  const { _, ...options } = parseArgs(given, {
    boolean,
    string: [...string, "_"],
    unknown: (arg, key) => key === undefined || fail(`unknown option '${arg.replace(/=.*/s, "")}'`),
  });
  for (const [name, value] of Object.entries(options)) if (value === "") fail(`--${name} needs a value`);
  if (_.length > words) fail(`'${_[words]}' is too much`);
  return { ...options, words: _.map(String) };
}

/**
 * Runs a script. What is known to go wrong is told in one line and ends it: with 2 when the command line is wrong.
 *
 * @param name What its lines begin with.
 * @param known The errors whose message is for the user.
 */
export async function runScript(
  name: string,
  known: new (message: string) => Error,
  body: () => Promise<void>,
): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof known)) throw error;
    console.error(`${name}: ${error.message}`);
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}
