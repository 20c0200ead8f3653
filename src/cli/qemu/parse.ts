/** argv to settings. parseArgs of @std/cli loses the order of different options and knows no single-dash words. */

import { noSettings, type Option, OPTIONS, type Settings } from "./options.ts";
import { UsageError } from "./usage_error.ts";

const byName = new Map<string, Option>(OPTIONS.flatMap((o) => o.names.map((name) => [name, o] as const)));

/** The option's name and value in one argument: `-m`, `--m`, `-m=512`. */
function split(argument: string): { name: string; value?: string } {
  const [, name, value] = /^--?([^=]*)(?:=(.*))?$/s.exec(argument)!;
  return { name, value };
}

function isOption(argument: string | undefined): boolean {
  return argument !== undefined && /^--?[^-=]/.test(argument) && byName.has(split(argument).name);
}

async function unknown(argument: string): Promise<UsageError> {
  // Loaded only for a slip: a start has no use for it.
  const { closestString } = await import("@std/text/closest-string");
  const { levenshteinDistance } = await import("@std/text/levenshtein-distance");
  const { name } = split(argument);
  const nearest = closestString(name, [...byName.keys()].filter((known) => known.length > 1));
  const slip = levenshteinDistance(name, nearest) <= Math.floor(nearest.length / 2);
  const given = argument.replace(/=.*/s, "");
  return new UsageError(
    `unknown option '${given}'${slip ? `: did you mean -${nearest}?` : "; -help lists all"}`,
  );
}

/**
 * Reads a command line.
 *
 * @throws {UsageError} For the first thing in it that is not understood.
 */
export async function parse(argv: readonly string[]): Promise<Settings> {
  const settings = noSettings();
  const seen = new Map<Option, string>();
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i];
    if (!/^--?[^-=]/.test(argument)) {
      throw new UsageError(
        `unexpected argument '${argument}': every value follows its option, as in -kernel FILE`,
      );
    }
    const { name, value: attached } = split(argument);
    const option = byName.get(name);
    if (!option) throw await unknown(argument);
    const given = argument.replace(/=.*/s, "");
    if (seen.has(option) && option.value && !option.several) {
      const first = seen.get(option)!;
      throw new UsageError(`${given} is given twice${first === given ? "" : ` (as ${first} before)`}`);
    }
    seen.set(option, given);
    if (!option.value) {
      if (attached !== undefined) throw new UsageError(`${given} takes no value`);
      option.apply(settings, "");
      continue;
    }
    const values = attached === undefined ? [] : [attached];
    const wanted = option.words === 2 ? 2 : 1;
    // Where another option follows, a value was forgotten: no file is called -initrd.
    while (values.length < wanted && i + 1 < argv.length && !isOption(argv[i + 1])) values.push(argv[++i]);
    if (values.length < wanted && option.words !== "optional") {
      const number = values.length === 0 ? "a value" : "one more value";
      throw new UsageError(`${given} needs ${number}: ${given} ${option.value}`);
    }
    try {
      option.apply(settings, ...values);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${given} ${values.join(" ")}: ${error.message}`);
    }
  }
  return settings;
}
