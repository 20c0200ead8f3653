/** argv to what it says, as pflag reads it. parseArgs of @std/cli gives a value of numbers or nothing silently. */

import { UsageError } from "../usage_error.ts";
import type { Program } from "./devices.ts";
import { emptyLine, type Line } from "./line.ts";
import { type Option, OPTIONS } from "./options.ts";

/** An option as it was given, with what is attached to it: `--cpus=2`, `-c2`, `-c=2`. */
function split(argument: string): { option?: Option; given: string; attached?: string } {
  const [, long, value] = /^--([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
  if (long !== undefined) {
    return { option: OPTIONS.find(({ name }) => name === long), given: `--${long}`, attached: value };
  }
  const [given, rest] = [argument.slice(0, 2), argument.slice(2)];
  const option = OPTIONS.find(({ short }) => short === given[1]);
  return { option, given, ...rest !== "" && { attached: rest.replace(/^=/, "") } };
}

async function unknown(given: string): Promise<UsageError> {
  // Loaded only for a slip: a start has no use for it.
  const { closestString } = await import("@std/text/closest-string");
  const { levenshteinDistance } = await import("@std/text/levenshtein-distance");
  const names = OPTIONS.map(({ name }) => `--${name}`);
  const nearest = closestString(given, names);
  const slip = levenshteinDistance(given, nearest) <= Math.floor(nearest.length / 3);
  return new UsageError(
    `unknown option '${given}'${slip ? `: did you mean ${nearest}?` : "; --help lists all"}`,
  );
}

/**
 * Reads a command line.
 *
 * @throws {UsageError} For the first thing in it that is not understood.
 */
export async function parse(argv: readonly string[], program: Program): Promise<Line> {
  const line = emptyLine(program);
  const seen = new Set<Option>();
  for (let i = 0; i < argv.length; i++) {
    if (!/^--?[^-=]/.test(argv[i])) {
      throw new UsageError(
        `unexpected argument '${argv[i]}': every value follows its option, as in --cpus 2`,
      );
    }
    const { option, given, attached } = split(argv[i]);
    if (!option) throw await unknown(given);
    if (seen.has(option) && option.value && !option.several) throw new UsageError(`${given} is given twice`);
    seen.add(option);
    let value = attached ?? "";
    if (!option.value && attached !== undefined && !/^(true|false)$/.test(attached)) {
      throw new UsageError(`${given} takes no value`);
    }
    if (option.value && attached === undefined) {
      if (i + 1 === argv.length) throw new UsageError(`${given} needs a value: ${given} ${option.value}`);
      value = argv[++i];
    }
    try {
      option.apply(line, value);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${given} ${value}: ${error.message}`);
    }
  }
  return line;
}
