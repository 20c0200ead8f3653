/** The three answers that a word of qemu's gets here: it is done, it is so anyway, or it cannot be. */

import { UsageError } from "./usage_error.ts";

/** What becomes of a word of qemu's. One that is not done is so anyway, or cannot be and says why. */
export interface Answer {
  /** What it becomes. */
  does?: string;
  /** Why it is so without. */
  so?: string;
  /** The values with which it is so; all, when none are named. */
  values?: readonly string[];
  /** Why it cannot be, or not with other values, and what to use. */
  cannot?: string;
}

/** Words by their names. */
export type Answers = Readonly<Record<string, Answer>>;

/** What was taken because it is so anyway, for `-verbose`. */
export type Notes = string[];

/**
 * Takes a word that is not done.
 *
 * @param word As it was given, for the note.
 * @throws {UsageError} When it cannot be.
 */
export function answer({ so, values, cannot }: Answer, word: string, value: string, notes: Notes): void {
  if (so !== undefined && (!values || values.includes(value))) {
    notes.push(`${word}: ${so}`);
    return;
  }
  throw new UsageError(cannot ?? `only ${values!.join(", ")} can be, since ${so}`);
}

/**
 * What becomes of a word that stands for a kind; undefined when there is no such word.
 *
 * @throws {UsageError} When it cannot be.
 */
export function kindOf(kinds: Answers, word: string): Answer | undefined {
  const known = Object.hasOwn(kinds, word) ? kinds[word] : undefined;
  if (known?.cannot !== undefined) throw new UsageError(known.cannot);
  return known;
}

/** The parts of `a,key=value,…`; a comma in a value is written twice. A part without `=` has no value. */
export function partsOf(text: string): [key: string, value?: string][] {
  if (text === "") return [];
  // No argument holds a zero: it stands for a comma in a value while the others separate.
  return text.replaceAll(",,", "\0").split(",").map((part) => {
    const [, key, value] = /^([^=]*)(?:=(.*))?$/s.exec(part.replaceAll("\0", ","))!;
    return value === undefined ? [key] : [key, value];
  });
}

/**
 * The values of the keys that are done; the others are answered.
 *
 * @param known All that there are.
 * @param flags Keys that mean `on` when they stand alone, as `readonly` does.
 * @throws {UsageError} For a key that is unknown, twice there, without a value, or that cannot be.
 */
export function readKeys<K extends string>(
  parts: [key: string, value?: string][],
  known: Readonly<Record<K, Answer>>,
  notes: Notes,
  flags: readonly string[] = [],
): Partial<Record<K, string>> {
  const result: Partial<Record<string, string>> = {};
  for (const [key, given] of parts) {
    const value = given ?? (flags.includes(key) ? "on" : undefined);
    const done = () => Object.keys(known).filter((name) => (known as Answers)[name].does !== undefined);
    const others = () => done().length > 0 ? `; known are ${done().join(", ")}` : "";
    if (value === undefined) throw new UsageError(`'${key}' is not key=value${others()}`);
    if (!Object.hasOwn(known, key)) throw new UsageError(`unknown '${key}='${others()}`);
    if (Object.hasOwn(result, key)) throw new UsageError(`${key}= is given twice`);
    result[key] = value;
    const found = (known as Answers)[key];
    if (found.does !== undefined) continue;
    try {
      answer(found, `${key}=${value}`, value, notes);
    } catch (error) {
      throw new UsageError(`${key}=: ${(error as Error).message}`);
    }
  }
  return result as Partial<Record<K, string>>;
}

/** One line of the table of qemu's words. */
export interface Row {
  word: string;
  answer: "does it" | "is so anyway" | "cannot";
  text: string;
}

/** The lines of a word. */
export function rowsOf(word: string, { does, so, values, cannot }: Answer): Row[] {
  const rows: Row[] = [];
  if (does !== undefined) rows.push({ word, answer: "does it", text: does });
  if (so !== undefined) {
    const text = values ? `${values.join(", ")}: ${so}` : so;
    rows.push({ word, answer: "is so anyway", text });
  }
  if (cannot !== undefined) {
    rows.push({ word, answer: "cannot", text: so === undefined ? cannot : `else: ${cannot}` });
  }
  return rows;
}
