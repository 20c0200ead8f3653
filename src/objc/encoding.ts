/**
 * Objective-C type encodings as a type: what `@encode`, `method_getTypeEncoding` and `ivar_getTypeEncoding`
 * say, parsed, with errors that point at the character.
 *
 * Grammar: Apple, "Objective-C Runtime Programming Guide", Type Encodings; GCC manual, "Type encoding" (its
 * bit-fields carry position and storage type, and it writes vectors as `![size,alignment type]`).
 */

/** The one-letter types, with the C type of each. */
export const SCALARS = {
  c: "signed char",
  C: "unsigned char",
  s: "short",
  S: "unsigned short",
  i: "int",
  I: "unsigned int",
  l: "32-bit long",
  L: "32-bit unsigned long",
  q: "long long",
  Q: "unsigned long long",
  t: "__int128",
  T: "unsigned __int128",
  f: "float",
  d: "double",
  D: "long double",
  B: "bool",
  v: "void",
  "*": "char *",
  "%": "atom",
  "#": "Class",
  ":": "SEL",
  "?": "unknown",
} as const;

/** A one-letter type encoding. */
export type Scalar = keyof typeof SCALARS;

/** A member of a struct or union; names are there only in encodings of instance variables. */
export interface Field {
  /** `origin` in `{CGRect="origin"{CGPoint}"size"{CGSize}}` */
  name?: string;
  /** What it holds. */
  type: Type;
}

/** A parsed type. `qualifiers` holds the letters that stood before it, `rnNoORVA`, if any. */
export type Type =
  & (
    | { kind: "scalar"; code: Scalar }
    /** `@`, `@"NSString"`, `@"<NSCopying>"` */
    | { kind: "object"; className?: string }
    /** `@?`, or with its own signature `@?<v@?@>`: return type, then arguments, the block itself first */
    | { kind: "block"; signature?: Type[] }
    | { kind: "pointer"; to: Type }
    | { kind: "array"; length: number; of: Type }
    /** `fields` is null where the encoding does not say what is inside: `{name}` */
    | { kind: "struct" | "union"; name: string; fields: Field[] | null }
    /** `b3`, or GCC's `b16I3`: position in bits and storage type */
    | { kind: "bitfield"; width: number; position?: number; storage?: Scalar }
    | { kind: "vector"; size: number; alignment: number; of: Type }
    /** `jd`: a C99 complex number */
    | { kind: "complex"; of: Type }
  )
  & { qualifiers?: string };

/** A function's types: a method's, whose `args` begin with receiver and selector, or a block's, with the block. */
export interface MethodType {
  /** Of what it returns. */
  result: Type;
  /** Of its arguments, in order. */
  args: Type[];
}

/** Whether a type is `v`: a function of that result returns nothing. */
export function isVoid(type: Type): boolean {
  return type.kind === "scalar" && type.code === "v";
}

/** An encoding that cannot be read: the message holds it, and the place. */
export class EncodingError extends Error {
  /** By which it is told apart. */
  override name = "EncodingError";

  /**
   * Names the place.
   *
   * @param encoding The whole of it.
   * @param offset Index, in the encoding, of the character that does not fit.
   * @param problem What was expected there, or is wrong.
   */
  constructor(readonly encoding: string, readonly offset: number, problem: string) {
    super(`Bad type encoding ${JSON.stringify(encoding)} at ${offset}: ${problem}`);
  }
}

/** Nesting deeper than this is damage, not a type; recursion must end before the stack does. */
const MAX_DEPTH = 128;

/** A bound on counts, so that damage like `[99999999999c]` cannot ask for memory. */
const MAX_COUNT = 0xffff_ffff;

class Parser {
  #at = 0;
  #depth = 0;

  constructor(readonly encoding: string) {}

  get done(): boolean {
    return this.#at >= this.encoding.length;
  }

  fail(problem: string, at = this.#at): never {
    throw new EncodingError(this.encoding, at, problem);
  }

  peek(): string {
    return this.encoding[this.#at] ?? "";
  }

  accept(char: string): boolean {
    if (this.peek() !== char) return false;
    this.#at++;
    return true;
  }

  expect(char: string, where: string): void {
    if (!this.accept(char)) this.fail(`expected "${char}" ${where}, found ${this.found()}`);
  }

  found(): string {
    return this.done ? "the end" : JSON.stringify(this.peek());
  }

  number(what: string): number {
    const start = this.#at;
    while (isDigit(this.peek())) this.#at++;
    if (this.#at === start) this.fail(`expected ${what}, found ${this.found()}`);
    const value = Number(this.encoding.slice(start, this.#at));
    if (value > MAX_COUNT) this.fail(`${what} is too large`, start);
    return value;
  }

  /** The place of an argument in a frame; `+` means a register (GNU), `-` a negative offset. */
  frameOffset(): void {
    if (this.accept("+") || this.accept("-")) this.number("a frame offset");
    else if (isDigit(this.peek())) this.number("a frame offset");
  }

  quoted(what: string): string {
    this.expect('"', `before ${what}`);
    const end = this.encoding.indexOf('"', this.#at);
    if (end < 0) this.fail(`${what} has no closing quote`, this.#at - 1);
    const text = this.encoding.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  type(inFields = false): Type {
    if (++this.#depth > MAX_DEPTH) this.fail("nested too deeply");
    const start = this.#at;
    while (this.peek() !== "" && "rnNoORVA".includes(this.peek())) this.#at++;
    const qualifiers = this.encoding.slice(start, this.#at);
    const type = this.#unqualified(inFields);
    this.#depth--;
    if (qualifiers) type.qualifiers = qualifiers;
    return type;
  }

  #unqualified(inFields: boolean): Type {
    const start = this.#at;
    const char = this.peek();
    this.#at++;
    switch (char) {
      case "@":
        return this.#object(inFields);
      case "^":
        return { kind: "pointer", to: this.type(inFields) };
      case "[": {
        const length = this.number("the length of an array");
        const of = this.type(inFields);
        this.expect("]", "after an array's type");
        return { kind: "array", length, of };
      }
      case "{":
        return this.#aggregate("struct", "}");
      case "(":
        return this.#aggregate("union", ")");
      case "b":
        return this.#bitfield();
      case "!": {
        this.expect("[", 'after "!"');
        const size = this.number("the size of a vector");
        this.expect(",", "after a vector's size");
        const alignment = this.number("the alignment of a vector");
        const of = this.type(inFields);
        this.expect("]", "after a vector's type");
        return { kind: "vector", size, alignment, of };
      }
      case "j":
        return { kind: "complex", of: this.type(inFields) };
    }
    if (char !== "" && Object.hasOwn(SCALARS, char)) return { kind: "scalar", code: char as Scalar };
    this.#at = start;
    this.fail(`expected a type, found ${this.found()}`);
  }

  #object(inFields: boolean): Type {
    if (this.accept("?")) {
      if (!this.accept("<")) return { kind: "block" };
      const signature = this.#until(">", "a block's signature");
      if (signature.length === 0) this.fail("a block's signature needs a return type", this.#at - 1);
      return { kind: "block", signature };
    }
    if (this.peek() !== '"') return { kind: "object" };
    // Among named fields `@"x"i` may be an object followed by a field named x: a quoted text is the class
    // name only where a type's end or another name follows it.
    if (inFields) {
      const end = this.encoding.indexOf('"', this.#at + 1);
      const next = end < 0 ? "" : this.encoding[end + 1] ?? "";
      if (end >= 0 && next !== '"' && next !== "}" && next !== ")" && next !== "]") return { kind: "object" };
    }
    return { kind: "object", className: this.quoted("a class name") };
  }

  #until(close: string, what: string): Type[] {
    const types: Type[] = [];
    while (!this.accept(close)) {
      if (this.done) this.fail(`${what} is not closed by "${close}"`);
      types.push(this.type());
    }
    return types;
  }

  #aggregate(kind: "struct" | "union", close: string): Type {
    const open = this.#at - 1;
    const start = this.#at;
    // The names of C++ templates hold types of their own: {vector<std::pair<int, A>>=^i}
    let angles = 0;
    while (!this.done && (angles > 0 || (this.peek() !== "=" && this.peek() !== close))) {
      if (this.peek() === "<") angles++;
      if (this.peek() === ">") angles--;
      this.#at++;
    }
    const name = this.encoding.slice(start, this.#at);
    if (this.done) this.fail(`the ${kind} is not closed by "${close}"`, open);
    if (this.accept(close)) return { kind, name, fields: null };
    this.#at++; // "="
    const fields: Field[] = [];
    while (!this.accept(close)) {
      if (this.done) this.fail(`the ${kind} is not closed by "${close}"`, open);
      if (this.peek() === '"') fields.push({ name: this.quoted("a field's name"), type: this.type(true) });
      else fields.push({ type: this.type() });
    }
    return { kind, name, fields };
  }

  #bitfield(): Type {
    const first = this.number("the width of a bit-field");
    const storage = this.peek();
    // GCC: position, storage type, width. Elsewhere no digit ever follows a type inside a struct.
    if (storage !== "" && Object.hasOwn(SCALARS, storage) && isDigit(this.encoding[this.#at + 1] ?? "")) {
      this.#at++;
      const width = this.number("the width of a bit-field");
      return { kind: "bitfield", width, position: first, storage: storage as Scalar };
    }
    return { kind: "bitfield", width: first };
  }

  /** A return type and arguments, each followed by its place in the frame, or not. */
  signature(): MethodType {
    const types: Type[] = [];
    do {
      types.push(this.type());
      this.frameOffset();
    } while (!this.done);
    const [result, ...args] = types;
    return { result, args };
  }

  end(): void {
    if (!this.done) this.fail(`expected the end, found ${this.found()}`);
  }
}

function isDigit(char: string): boolean {
  return char >= "0" && char <= "9";
}

/**
 * Parses the encoding of one type.
 *
 * @throws {EncodingError} When it is no type, or more than one.
 * @example
 * ```ts
 * import { parseType } from "@objc/runtime";
 * console.log(parseType("{CGSize=dd}")); // a struct named CGSize of two doubles
 * ```
 */
export function parseType(encoding: string): Type {
  const parser = new Parser(encoding);
  const type = parser.type();
  parser.end();
  return type;
}

/**
 * Parses a method's encoding: return type and arguments, each followed by its place in the frame, or not.
 *
 * @throws {EncodingError} When a type in it cannot be read, or the receiver and the selector are missing.
 * @example
 * ```ts
 * import { parseMethodType } from "@objc/runtime";
 * console.log(parseMethodType("v24@0:8@16").args.length); // 3
 * ```
 */
export function parseMethodType(encoding: string): MethodType {
  const parser = new Parser(encoding);
  const { result, args } = parser.signature();
  if (args[0]?.kind !== "object" && !(args[0]?.kind === "scalar" && args[0].code === "#")) {
    parser.fail('expected the receiver, "@", as first argument');
  }
  if (!(args[1]?.kind === "scalar" && args[1].code === ":")) {
    parser.fail('expected the selector, ":", as second argument');
  }
  return { result, args };
}

/**
 * Parses a block's signature, like `v@?@`: return type, the block itself, then its arguments.
 *
 * @throws {EncodingError} When a type in it cannot be read or the block is not its own first argument.
 */
export function parseBlockType(encoding: string): MethodType {
  const parser = new Parser(encoding);
  const { result, args } = parser.signature();
  if (args[0]?.kind !== "block") parser.fail('expected the block, "@?", as first argument');
  return { result, args };
}

/** The encoding of a parsed type, without frame offsets: what {@linkcode parseType} has read. */
export function formatType(type: Type): string {
  const q = type.qualifiers ?? "";
  switch (type.kind) {
    case "scalar":
      return q + type.code;
    case "object":
      return q + (type.className === undefined ? "@" : `@"${type.className}"`);
    case "block":
      return q + (type.signature ? `@?<${type.signature.map(formatType).join("")}>` : "@?");
    case "pointer":
      return `${q}^${formatType(type.to)}`;
    case "array":
      return `${q}[${type.length}${formatType(type.of)}]`;
    case "struct":
    case "union": {
      const [open, close] = type.kind === "struct" ? "{}" : "()";
      if (!type.fields) return q + open + type.name + close;
      const fields = type.fields.map((f) => (f.name === undefined ? "" : `"${f.name}"`) + formatType(f.type));
      return `${q}${open}${type.name}=${fields.join("")}${close}`;
    }
    case "bitfield":
      return q + (type.storage ? `b${type.position}${type.storage}${type.width}` : `b${type.width}`);
    case "vector":
      return `${q}![${type.size},${type.alignment}${formatType(type.of)}]`;
    case "complex":
      return `${q}j${formatType(type.of)}`;
  }
}
