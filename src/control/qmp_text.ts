/** JSON as QMP has it: values that follow each other with anything or nothing between, and lines that end with CRLF. */

/** The largest command that is read, in characters. */
const LONGEST = 2 ** 20;

/** How deep brackets may stand in each other. Source: qemu's MAX_NESTING. */
const DEEPEST = 1_024;

/** What a client has said: the text of a value, or what is wrong with it. */
export type Said = { text: string } | { problem: string };

const isSpace = (character: string) => " \t\r\n".includes(character);
/** What numbers and words consist of. */
const isPlain = (character: string) => /[-+.0-9A-Za-z]/.test(character);
const isOpening = (character: string) => character === "{" || character === "[";
const isClosing = (character: string) => character === "}" || character === "]";

/**
 * Splits what comes into values, wherever it is cut. A string may stand between apostrophes, as people type it in a
 * shell. Rubbish is told once and left out: up to the end of its line, of the string in which a character stands that
 * no string may have, or of the value.
 */
export class ValueReader {
  #text = "";
  #depth = 0;
  #quote = "";
  #escaped = false;
  /** Outside of brackets: a number, a word or rubbish, which goes on up to a space or a bracket. */
  #loose = false;
  #skipping = false;

  /** The values that a further piece completes. */
  *feed(piece: string): Generator<Said> {
    for (const character of piece) {
      const said = this.#take(character);
      if (said) yield said;
    }
  }

  /** What an end without a line's end leaves. */
  *end(): Generator<Said> {
    if (this.#loose && this.#quote === "") yield this.#over();
  }

  #over(): Said {
    const text = this.#text;
    this.#reset();
    return { text };
  }

  #reset(): void {
    this.#text = "";
    this.#depth = 0;
    this.#quote = "";
    this.#escaped = this.#loose = this.#skipping = false;
  }

  #wrong(problem: string, skip: boolean): Said {
    this.#reset();
    this.#skipping = skip;
    return { problem: `JSON parse error, ${problem}` };
  }

  #take(character: string): Said | undefined {
    if (this.#skipping) {
      if (character === "\n") this.#skipping = false;
      return undefined;
    }
    if (this.#text.length >= LONGEST) return this.#wrong("the command is too long", true);
    if (this.#quote !== "") return this.#takeInString(character);
    if (isSpace(character)) {
      if (this.#loose) return this.#over();
      if (this.#depth > 0) this.#text += character;
      return undefined;
    }
    if (this.#depth === 0 && !this.#loose && this.#text === "" && isClosing(character)) {
      return this.#wrong("expecting value", false);
    }
    if (this.#loose && (isOpening(character) || isClosing(character))) {
      return this.#wrong("expecting value", true);
    }
    if (character === '"' || character === "'") {
      this.#quote = character;
      this.#loose ||= this.#depth === 0;
      this.#text += '"';
      return undefined;
    }
    if (isOpening(character)) {
      if (++this.#depth > DEEPEST) return this.#wrong("too many brackets stand in each other", true);
    } else if (isClosing(character)) {
      this.#text += character;
      return --this.#depth === 0 ? this.#over() : undefined;
    } else if (!isPlain(character) && character !== "," && character !== ":") {
      return this.#wrong("stray character", character !== "\n");
    } else if (this.#depth === 0) {
      this.#loose = true;
    }
    this.#text += character;
    return undefined;
  }

  #takeInString(character: string): Said | undefined {
    if (character < " ") return this.#wrong("a control character stands in a string", character !== "\n");
    if (this.#escaped) {
      this.#escaped = false;
      this.#text += character === "'" ? "'" : `\\${character}`;
    } else if (character === "\\") {
      this.#escaped = true;
    } else if (character === this.#quote) {
      this.#quote = "";
      this.#text += '"';
      if (this.#depth === 0) return this.#over();
    } else {
      this.#text += character === '"' ? '\\"' : character;
    }
    return undefined;
  }
}

/** JSON's numbers as they are written, which JavaScript has and its types here have not. Source: ECMAScript, JSON.rawJSON. */
const exact = JSON as unknown as { rawJSON(text: string): object; isRawJSON(value: unknown): boolean };

/**
 * A value whose numbers are all that they were, to be written again.
 *
 * @throws {SyntaxError} When it is no JSON.
 */
export function parsed(text: string): unknown {
  const keep = (_: string, value: unknown, { source = "" }: { source?: string } = {}) =>
    typeof value === "number" && String(value) !== source ? exact.rawJSON(source) : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown);
}

/** A value as qemu writes it: scripts look for `"return": {}` with its space. */
export function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(", ")}]`;
  if (typeof value !== "object" || value === null || exact.isRawJSON(value)) {
    return JSON.stringify(value) ?? "null";
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}: ${written(member)}`).join(", ")}}`;
}

/** A line for a client. */
export function lineOf(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${written(value)}\r\n`);
}
