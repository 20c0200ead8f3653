import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  EncodingError,
  formatType,
  parseBlockType,
  parseMethodType,
  parseType,
  SCALARS,
  type Type,
} from "../../src/objc/encoding.ts";

const int: Type = { kind: "scalar", code: "i" };
const char: Type = { kind: "scalar", code: "c" };
const double: Type = { kind: "scalar", code: "d" };
const object: Type = { kind: "object" };

/** Encodings as compilers write them, and what they say. */
const TYPES: [encoding: string, type: Type][] = [
  ["@", object],
  ['@"NSString"', { kind: "object", className: "NSString" }],
  ['@"<NSCopying>"', { kind: "object", className: "<NSCopying>" }],
  ['@"NSView<NSCoding><NSCopying>"', { kind: "object", className: "NSView<NSCoding><NSCopying>" }],
  ["@?", { kind: "block" }],
  ["@?<v@?>", { kind: "block", signature: [{ kind: "scalar", code: "v" }, { kind: "block" }] }],
  ['@?<q@?@"NSError"@?<v@?i>>', {
    kind: "block",
    signature: [
      { kind: "scalar", code: "q" },
      { kind: "block" },
      { kind: "object", className: "NSError" },
      { kind: "block", signature: [{ kind: "scalar", code: "v" }, { kind: "block" }, int] },
    ],
  }],
  ["^?", { kind: "pointer", to: { kind: "scalar", code: "?" } }],
  ["^v", { kind: "pointer", to: { kind: "scalar", code: "v" } }],
  ["^^i", { kind: "pointer", to: { kind: "pointer", to: int } }],
  ["^@", { kind: "pointer", to: object }],
  ["^{_NSZone=}", { kind: "pointer", to: { kind: "struct", name: "_NSZone", fields: [] } }],
  ["^{__CFString}", { kind: "pointer", to: { kind: "struct", name: "__CFString", fields: null } }],
  ["[12c]", { kind: "array", length: 12, of: char }],
  ["[0i]", { kind: "array", length: 0, of: int }],
  ["[2[3^i]]", {
    kind: "array",
    length: 2,
    of: { kind: "array", length: 3, of: { kind: "pointer", to: int } },
  }],
  ["{CGSize=dd}", { kind: "struct", name: "CGSize", fields: [{ type: double }, { type: double }] }],
  ["{?=ic}", { kind: "struct", name: "?", fields: [{ type: int }, { type: char }] }],
  ["{=i}", { kind: "struct", name: "", fields: [{ type: int }] }],
  ["{CGRect={CGPoint=dd}{CGSize=dd}}", {
    kind: "struct",
    name: "CGRect",
    fields: [
      { type: { kind: "struct", name: "CGPoint", fields: [{ type: double }, { type: double }] } },
      { type: { kind: "struct", name: "CGSize", fields: [{ type: double }, { type: double }] } },
    ],
  }],
  ["(value=id)", { kind: "union", name: "value", fields: [{ type: int }, { type: double }] }],
  ["(value)", { kind: "union", name: "value", fields: null }],
  ["{a=(?=i[4c])*}", {
    kind: "struct",
    name: "a",
    fields: [
      {
        type: {
          kind: "union",
          name: "?",
          fields: [{ type: int }, { type: { kind: "array", length: 4, of: char } }],
        },
      },
      { type: { kind: "scalar", code: "*" } },
    ],
  }],
  ['{p="x"d"y"d}', {
    kind: "struct",
    name: "p",
    fields: [{ name: "x", type: double }, { name: "y", type: double }],
  }],
  // A quoted text after @ is a class where the struct, or another name, follows it …
  ['{p="a"@"NSString"}', {
    kind: "struct",
    name: "p",
    fields: [{ name: "a", type: { kind: "object", className: "NSString" } }],
  }],
  ['{p="a"@"NSString""b"i}', {
    kind: "struct",
    name: "p",
    fields: [{ name: "a", type: { kind: "object", className: "NSString" } }, { name: "b", type: int }],
  }],
  // … and the next field's name where a type does.
  ['{p="a"@"b"i}', {
    kind: "struct",
    name: "p",
    fields: [{ name: "a", type: object }, { name: "b", type: int }],
  }],
  ['{p="a"@"b"@"c"^@"d"i}', {
    kind: "struct",
    name: "p",
    fields: [
      { name: "a", type: object },
      { name: "b", type: object },
      { name: "c", type: { kind: "pointer", to: object } },
      { name: "d", type: int },
    ],
  }],
  ['{p="a"[2@"NSString"]"b"(u="c"@"NSDate""d"@)}', {
    kind: "struct",
    name: "p",
    fields: [
      { name: "a", type: { kind: "array", length: 2, of: { kind: "object", className: "NSString" } } },
      {
        name: "b",
        type: {
          kind: "union",
          name: "u",
          fields: [{ name: "c", type: { kind: "object", className: "NSDate" } }, { name: "d", type: object }],
        },
      },
    ],
  }],
  ['{p=""b3"rest"b29}', {
    kind: "struct",
    name: "p",
    fields: [
      { name: "", type: { kind: "bitfield", width: 3 } },
      { name: "rest", type: { kind: "bitfield", width: 29 } },
    ],
  }],
  ["{p=b16I3b19I5}", {
    kind: "struct",
    name: "p",
    fields: [
      { type: { kind: "bitfield", width: 3, position: 16, storage: "I" } },
      { type: { kind: "bitfield", width: 5, position: 19, storage: "I" } },
    ],
  }],
  // NeXT's form with an int after it is no GCC form: no width follows.
  ["{p=b16Ib3}", {
    kind: "struct",
    name: "p",
    fields: [
      { type: { kind: "bitfield", width: 16 } },
      { type: { kind: "scalar", code: "I" } },
      { type: { kind: "bitfield", width: 3 } },
    ],
  }],
  ["b1", { kind: "bitfield", width: 1 }],
  ["![16,16f]", { kind: "vector", size: 16, alignment: 16, of: { kind: "scalar", code: "f" } }],
  ["jd", { kind: "complex", of: double }],
  ["^jf", { kind: "pointer", to: { kind: "complex", of: { kind: "scalar", code: "f" } } }],
  ["{vector<int, std::allocator<int> >=^i^i}", {
    kind: "struct",
    name: "vector<int, std::allocator<int> >",
    fields: [{ type: { kind: "pointer", to: int } }, { type: { kind: "pointer", to: int } }],
  }],
  ["^{map<A={x}>}", { kind: "pointer", to: { kind: "struct", name: "map<A={x}>", fields: null } }],
  ["r*", { kind: "scalar", code: "*", qualifiers: "r" }],
  ["Vv", { kind: "scalar", code: "v", qualifiers: "V" }],
  ["rnNoORVA^ri", { kind: "pointer", to: { ...int, qualifiers: "r" }, qualifiers: "rnNoORVA" }],
  ['{p="a"r^{q}}', {
    kind: "struct",
    name: "p",
    fields: [{
      name: "a",
      type: { kind: "pointer", to: { kind: "struct", name: "q", fields: null }, qualifiers: "r" },
    }],
  }],
];

Deno.test("encoding: every letter that stands for a type is read", () => {
  for (const code of Object.keys(SCALARS) as (keyof typeof SCALARS)[]) {
    assertEquals(parseType(code), { kind: "scalar", code });
    assertEquals(formatType(parseType(code)), code);
  }
});

Deno.test("encoding: each kind of type is read as what it is", () => {
  for (const [encoding, type] of TYPES) assertEquals(parseType(encoding), type, encoding);
});

Deno.test("encoding: what was read is written again letter by letter", () => {
  for (const [encoding] of TYPES) assertEquals(formatType(parseType(encoding)), encoding);
});

Deno.test("encoding: a method's types come without their places in the frame", () => {
  const encodings: [encoding: string, types: string][] = [
    ["v@:", "v @ :"],
    ["v16@0:8", "v @ :"],
    ["@24@0:8@16", "@ @ : @"],
    ["@24@+0:+8@+16", "@ @ : @"],
    ["v12@-4:-8i-12", "v @ : i"],
    ["{CGRect={CGPoint=dd}{CGSize=dd}}16@0:8", "{CGRect={CGPoint=dd}{CGSize=dd}} @ :"],
    ["Vv20#0:8c16", "Vv # : c"],
    ["B32@0:8@16^@24", "B @ : @ ^@"],
    ['v32@0:8@"NSString"16@?<v@?@"NSError">24', 'v @ : @"NSString" @?<v@?@"NSError">'],
    ["C28@0:8[4i]16o^@20", "C @ : [4i] o^@"],
  ];
  for (const [encoding, expected] of encodings) {
    const { result, args } = parseMethodType(encoding);
    assertEquals([result, ...args].map(formatType).join(" "), expected, encoding);
  }
});

Deno.test("encoding: a block's types begin with the block", () => {
  const { result, args } = parseBlockType('v16@?0@"NSError"8');
  assertEquals([result, ...args].map(formatType), ["v", "@?", '@"NSError"']);
});

Deno.test("encoding: an error names the encoding, the place and what is wrong there", () => {
  const failures: [encoding: string, offset: number, problem: string][] = [
    ["", 0, "expected a type, found the end"],
    ["x", 0, 'expected a type, found "x"'],
    ["r", 1, "expected a type, found the end"],
    ["rnx", 2, 'expected a type, found "x"'],
    ["ii", 1, 'expected the end, found "i"'],
    ["i4", 1, 'expected the end, found "4"'],
    ["^", 1, "expected a type, found the end"],
    ["[", 1, "expected the length of an array, found the end"],
    ["[i]", 1, 'expected the length of an array, found "i"'],
    ["[4]", 2, 'expected a type, found "]"'],
    ["[4i", 3, 'expected "]" after an array\'s type, found the end'],
    ["[4ii]", 3, 'expected "]" after an array\'s type, found "i"'],
    ["[4294967296c]", 1, "the length of an array is too large"],
    ["[99999999999999999999999999c]", 1, "the length of an array is too large"],
    ["{", 0, 'the struct is not closed by "}"'],
    ["{CGSize", 0, 'the struct is not closed by "}"'],
    ["{CGSize=", 0, 'the struct is not closed by "}"'],
    ["{CGSize=dd", 0, 'the struct is not closed by "}"'],
    ["^{CGSize=d)", 10, 'expected a type, found ")"'],
    ["{a={b=i}", 0, 'the struct is not closed by "}"'],
    ["(a=i", 0, 'the union is not closed by ")"'],
    ["{A<B=i}", 0, 'the struct is not closed by "}"'],
    ['{a="x}', 3, "a field's name has no closing quote"],
    ['{a="x"}', 6, 'expected a type, found "}"'],
    ['{a="x"i"y"}', 10, 'expected a type, found "}"'],
    ['@"NSString', 1, "a class name has no closing quote"],
    ["@?<", 3, 'a block\'s signature is not closed by ">"'],
    ["@?<v@?", 6, 'a block\'s signature is not closed by ">"'],
    ["@?<>", 3, "a block's signature needs a return type"],
    ["b", 1, "expected the width of a bit-field, found the end"],
    ["bI", 1, 'expected the width of a bit-field, found "I"'],
    ["b4294967296", 1, "the width of a bit-field is too large"],
    ["!f", 1, 'expected "[" after "!", found "f"'],
    ["![16f]", 4, 'expected "," after a vector\'s size, found "f"'],
    ["![16,f]", 5, 'expected the alignment of a vector, found "f"'],
    ["![16,16f", 8, 'expected "]" after a vector\'s type, found the end'],
    ["j", 1, "expected a type, found the end"],
    ["i\u{1f600}", 1, 'expected the end, found "\\ud83d"'],
    ["^".repeat(128) + "i", 128, "nested too deeply"],
  ];
  for (const [encoding, offset, problem] of failures) {
    const error = assertThrows(() => parseType(encoding), EncodingError);
    assertEquals(error.message, `Bad type encoding ${JSON.stringify(encoding)} at ${offset}: ${problem}`);
    assertEquals([error.encoding, error.offset], [encoding, offset]);
  }
});

Deno.test("encoding: a method without receiver or selector is refused with what is missing", () => {
  const failures: [encoding: string, problem: string][] = [
    ["", "at 0: expected a type, found the end"],
    ["v", 'at 1: expected the receiver, "@", as first argument'],
    ["vi:", 'at 3: expected the receiver, "@", as first argument'],
    ["v@", 'at 2: expected the selector, ":", as second argument'],
    ["v8@0@8", 'at 6: expected the selector, ":", as second argument'],
    ["v@:+", "at 4: expected a frame offset, found the end"],
    ["v16@0:8}", 'at 7: expected a type, found "}"'],
  ];
  for (const [encoding, problem] of failures) {
    assertThrows(() => parseMethodType(encoding), EncodingError, problem);
  }
  assertThrows(
    () => parseBlockType("v@"),
    EncodingError,
    'at 2: expected the block, "@?", as first argument',
  );
  assertThrows(() => parseBlockType("v"), EncodingError, 'expected the block, "@?", as first argument');
});

Deno.test("encoding: what is nested as deeply as types are is read", () => {
  const encoding = "^".repeat(100) + "i";
  assertEquals(formatType(parseType(encoding)), encoding);
});

/** A generator of numbers below a bound, the same at every run (xorshift32). */
function random(seed: number): (bound: number) => number {
  return (bound) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % bound;
  };
}

/** Reads it, or fails as it should; what is read must be written and read again as the same. */
function parsesOrFails(encoding: string): boolean {
  let type: Type;
  try {
    type = parseType(encoding);
  } catch (error) {
    if (!(error instanceof EncodingError)) {
      throw new Error(`for ${JSON.stringify(encoding)}`, { cause: error });
    }
    assert(error.offset >= 0 && error.offset <= encoding.length, `offset ${error.offset} in ${encoding}`);
    return false;
  }
  const written = formatType(type);
  assertEquals(formatType(parseType(written)), written, encoding);
  return true;
}

Deno.test("encoding: a damaged encoding is read, or refused with a place in it, and nothing else", () => {
  const below = random(20261121);
  const sources = [
    ...TYPES.map(([encoding]) => encoding),
    "^".repeat(120) + "i",
    "{a=".repeat(60) + "}".repeat(60),
  ];
  const alphabet = Object.keys(SCALARS).join("") + '@"{}()[]<>=^!,bj0123456789rnNoORVA+-|$ \0\u{1f600}';
  const letter = () => alphabet[below(alphabet.length)];
  let read = 0;
  const rounds = 60_000;
  for (let i = 0; i < rounds; i++) {
    let text = sources[below(sources.length)];
    for (let edits = 1 + below(4); edits > 0; edits--) {
      const at = below(text.length + 1);
      const end = at + below(4);
      switch (below(5)) {
        case 0:
          text = text.slice(0, at) + text.slice(end);
          break;
        case 1:
          text = text.slice(0, at) + letter() + text.slice(at);
          break;
        case 2:
          text = text.slice(0, at) + letter() + text.slice(at + 1);
          break;
        case 3:
          text = text.slice(0, end) + text.slice(at);
          break;
        case 4:
          text = text.slice(0, at) + sources[below(sources.length)] + text.slice(at);
      }
    }
    if (parsesOrFails(text)) read++;
  }
  // Both ways must have been taken, or this has shown nothing.
  assert(read > rounds / 20 && read < rounds * 19 / 20, `${read} of ${rounds} could be read`);
});

Deno.test("encoding: endless nesting and huge numbers are refused at once", () => {
  const heads = ["^", "{a=", "(a=", "[1", "@?<", "![1,1", "j", "r", '{a="b"', "{", "[", '@"', "{<"];
  const started = performance.now();
  for (const head of heads) {
    assertEquals(parsesOrFails(head.repeat(100_000)), false, head);
  }
  for (const head of ["[", "b", "![", "![1,", "b1I"]) {
    assertEquals(parsesOrFails(head + "9".repeat(100_000)), false, head);
  }
  // Milliseconds, unless some step looks at all of the rest each time.
  assert(performance.now() - started < 20_000);
});
