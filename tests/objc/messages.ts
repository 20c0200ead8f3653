/** Messages as they stand in a source: who gets them, and which selector. */

/** A call in a source that sends a message, or may. */
export interface Call {
  /** As it is written: `NSFileHandle.create`, without white space. */
  receiver: string;
  /** `send`, `call` … */
  name: string;
  /** Its arguments as they are written. */
  args: string[];
}

const OPEN = "([{", CLOSE = ")]}";

/** A source without its comments. */
export function withoutComments(source: string): string {
  return source.replace(
    /("(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)|\/\*[^]*?\*\/|\/\/.*$/gm,
    (_, text) => text ?? "",
  );
}

/** Where the expression begins that ends before an index. */
function startOf(text: string, end: number): number {
  let at = end;
  for (let depth = 0; at > 0; at--) {
    const char = text[at - 1];
    if (CLOSE.includes(char)) depth++;
    else if (OPEN.includes(char)) {
      if (depth-- === 0) break;
    } else if (depth === 0 && !/[\w.#?!]/.test(char)) break;
  }
  return at;
}

/** The arguments that begin at an index, after the parenthesis. */
function argumentsFrom(text: string, start: number): string[] {
  const args: string[] = [];
  let from = start, at = start;
  const end = () => {
    const arg = text.slice(from, at).trim();
    if (arg) args.push(arg);
    from = at + 1;
  };
  for (let depth = 0;; at++) {
    if (at >= text.length) throw new Error("a call that does not end");
    const char = text[at];
    if (char === '"') at = text.indexOf('"', at + 1);
    else if (OPEN.includes(char)) depth++;
    else if (CLOSE.includes(char)) {
      if (depth-- === 0) break;
    } else if (char === "," && depth === 0) end();
  }
  end();
  return args;
}

/**
 * All uses of methods and functions of some names, but for their declarations. One that is used without being called
 * has no arguments.
 */
export function callsOf(methods: readonly string[], functions: readonly string[], text: string): Call[] {
  const uses = new RegExp(`(?<=\\.)(${methods.join("|")})\\b|(?<![\\w.])(${functions.join("|")})\\b`, "g");
  return [...text.matchAll(uses)].flatMap((match) => {
    const before = text.slice(0, match.index);
    if (/\bfunction $|\b(import|export) (type )?\{[^}]*$/.test(before)) return [];
    const after = match.index + match[0].length;
    const dot = match[1] ? before.replace(/\??\.$/, "").length : before.length;
    const open = /^(<[^(]*>)?\(/.exec(text.slice(after))?.[0];
    return [{
      receiver: text.slice(match[1] ? startOf(text, dot) : dot, dot).replace(/\s+/g, ""),
      name: match[0],
      args: open ? argumentsFrom(text, after + open.length) : [],
    }];
  });
}
