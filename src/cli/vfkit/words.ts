/** The words of a bootloader or a device: `TYPE,KEY=VALUE,FLAG`. */

import { UsageError } from "../usage_error.ts";

/** What a word needs: a value, none, or `on` or `off`, also said as `true` and `false`. */
export type WordKind = "value" | "flag" | "switch";

/** Splits at commas; with `quotes`, not at those between double quotes, which stay. */
export function splitWords(text: string, quotes = false): string[] {
  if (!quotes) return text.split(",");
  if ((text.match(/"/g)?.length ?? 0) % 2 > 0) throw new UsageError('a " has no other');
  return text.match(/(?:"[^"]*"|[^,"])+|(?<=,|^)(?=,|$)/g) ?? [text];
}

/** The words behind a type, by their names. */
export class Words {
  readonly #type: string;
  readonly #given = new Map<string, string | undefined>();

  /** @throws {UsageError} For a word that there is not, one that is said twice, and one with a value or without. */
  constructor(type: string, words: readonly string[], known: Readonly<Record<string, WordKind>>) {
    this.#type = type;
    for (const word of words) {
      const [, key, value] = /^([^=]*)(?:=(.*))?$/s.exec(word)!;
      const kind = Object.hasOwn(known, key) ? known[key] : undefined;
      if (!kind) {
        const names = Object.keys(known);
        const which = names.length > 0 ? `known are ${names.join(", ")}` : "it has none";
        throw new UsageError(`unknown word '${key}' of ${type}: ${which}`);
      }
      if (this.#given.has(key)) throw new UsageError(`${key} is given twice`);
      if (kind === "flag" && value !== undefined) throw new UsageError(`${key} takes no value`);
      if (kind !== "flag" && !value) throw new UsageError(`${key}= has no value`);
      if (kind === "switch" && !/^(on|off|true|false)$/.test(value!)) {
        throw new UsageError(`${key}=${value}: it is on or off`);
      }
      this.#given.set(key, value);
    }
  }

  /** Whether it was said. */
  has(key: string): boolean {
    return this.#given.has(key);
  }

  /** The value of a word; undefined when it was not said. */
  get(key: string): string | undefined {
    return this.#given.get(key);
  }

  /** The value of a word that has to be there. */
  need(key: string): string {
    const value = this.get(key);
    if (value === undefined) throw new UsageError(`${key}= is missing, which ${this.#type} needs`);
    return value;
  }

  /** A word that is on or off; undefined when it was not said. */
  isOn(key: string): boolean | undefined {
    const value = this.get(key);
    return value === undefined ? undefined : value === "on" || value === "true";
  }

  /** One of words that exclude each other. @throws {UsageError} When there is none of them, or a second. */
  oneOf(...keys: string[]): string {
    const given = keys.filter((key) => this.has(key));
    if (given.length === 1) return given[0];
    if (given.length === 0) throw new UsageError(`${this.#type} needs one of ${keys.join(", ")}`);
    throw new UsageError(`${given[0]} and ${given[1]} exclude each other`);
  }
}

/** A whole number. @param what What it is, for people. */
export function parseNumber(text: string, what: string, least = 0, most = 2 ** 32 - 1): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new UsageError(`'${text}' is no ${what}: expected a number from ${least} to ${most}`);
}
