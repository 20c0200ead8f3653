/** argv to settings. parseArgs of @std/cli loses the order of different options and knows no single-dash words. */

import { type Option, OPTIONS } from "./options.ts";
import { noSettings, type Settings } from "./settings.ts";
import { UsageError } from "./usage_error.ts";

const byName = new Map<string, Option>(OPTIONS.flatMap((o) => o.names.map((name) => [name, o] as const)));

/** What is not in our table may be in qemu's, which most starts have no need for. */
async function optionOf(name: string): Promise<Option | undefined> {
  return byName.get(name) ?? (await import("./compatibility.ts")).optionOf(name);
}

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

function isThere(file: string): boolean {
  try {
    return file !== "" && Deno.statSync(file) !== undefined;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound); // what else keeps it from use is said where files are checked
  }
}

/** A word that follows no option is the first disk, as qemu has it, and one that looks like a CD is that. */
async function takeFile(settings: Settings, file: string): Promise<void> {
  const { isISO, ISO_HEAD } = await import("../../images/iso.ts");
  const { readAt } = await import("../../host/files.ts");
  const { cd, disk } = await import("./drive.ts");
  let isCD = false;
  try {
    isCD = isISO(readAt("disk", file, ISO_HEAD.offset, ISO_HEAD.length));
  } catch { /* that it cannot be used is said where all files are checked */ }
  settings.disks.unshift(isCD ? cd(file) : disk(file));
}

/**
 * Reads a command line.
 *
 * @throws {UsageError} For the first thing in it that is not understood.
 */
export async function parse(argv: readonly string[]): Promise<Settings> {
  const settings = noSettings();
  const seen = new Map<Option, string>();
  let bare: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i];
    if (!/^--?[^-=]/.test(argument)) {
      if (argument.startsWith("-") || bare !== undefined || !isThere(argument)) {
        const one = bare === undefined ? "" : `: '${bare}' is the disk already, and`;
        throw new UsageError(
          `unexpected argument '${argument}'${one || ":"} every value follows its option, as in -kernel FILE`,
        );
      }
      await takeFile(settings, bare = argument);
      continue;
    }
    const { name, value: attached } = split(argument);
    const option = await optionOf(name);
    if (!option) throw await unknown(argument);
    const given = argument.replace(/=.*/s, "");
    await checkLetter(name, attached ?? argv[i + 1]);
    if (seen.has(option) && option.value && !option.several) {
      const first = seen.get(option)!;
      throw new UsageError(`${given} is given twice${first === given ? "" : ` (as ${first} before)`}`);
    }
    seen.set(option, given);
    if (!option.value) {
      if (attached !== undefined) throw new UsageError(`${given} takes no value`);
      try {
        await option.apply(settings, "");
      } catch (error) {
        throw error instanceof UsageError && option.group === "qemu"
          ? new UsageError(`${given}: ${error.message}`)
          : error;
      }
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
    if (option.group === "qemu" && values[0] === "help") {
      throw new UsageError(`${given} help: -help qemu lists what there is`);
    }
    try {
      await option.apply(settings, ...values);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${given} ${values.join(" ")}: ${error.message}`);
    }
  }
  if (settings.named || settings.bootFirst || settings.disks.some(({ index }) => index !== undefined)) {
    (await import("./references.ts")).resolve(settings);
  }
  return settings;
}

/** Letters that mean something else in qemu: when there is no such file, what was meant may have been that. */
async function checkLetter(name: string, value: string | undefined): Promise<void> {
  if ((name !== "k" && name !== "d") || value === undefined || isThere(value)) return;
  const { LETTERS } = await import("./compatibility.ts");
  const { looks, says } = LETTERS[name];
  if (looks.test(value)) throw new UsageError(`-${name} ${value}: ${says}`);
}
