import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import "../../src/host/libraries.ts";
import {
  type Argument,
  Class,
  type Converted,
  fileURL,
  fromObjC,
  NSError,
  NSObject,
  type ObjectValue,
  type Result,
  same,
} from "../../src/objc/mod.ts";
import { child } from "./child.ts";

const object = (result: Result) => result as NSObject;

/** What has gone into Foundation and come back. */
function roundTrip(value: ObjectValue): Converted {
  using array = object(Class.named("NSArray").send("arrayWithObject:", value));
  return (fromObjC(array) as Converted[])[0];
}

Deno.test("conversion: text of every kind comes back as it was", () => {
  for (
    const text of [
      "",
      "a",
      "größer",
      "日本語",
      "😀👨‍👩‍👧",
      "\u{10ffff}",
      "line\nline\r\n\ttab",
      '"%@ %s %d"',
      "x".repeat(100_000),
    ]
  ) {
    assertEquals(roundTrip(text), text);
  }
});

Deno.test("conversion: a NUL in a text is a character like others", () => {
  for (const text of ["\0", "a\0b", "a\0"]) {
    using made = object(Class.named("NSString").send("stringWithString:", text));
    assertEquals(made.send("length"), BigInt(text.length));
    assertEquals(roundTrip(text), text);
  }
});

Deno.test("conversion: half a surrogate pair becomes the replacement character, as everywhere", () => {
  assertEquals(roundTrip("a\ud800b"), "a\ufffdb");
  assertEquals(roundTrip("\udc00"), "\ufffd");
});

Deno.test("conversion: numbers come back as they were, bigint where a number would lose digits", () => {
  const limits = [127, 128, 255, 256, 32767, 65536, 2 ** 31 - 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER];
  for (const value of limits) for (const signed of [value, -value]) assertEquals(roundTrip(signed), signed);
  for (const value of [0, 0.1, -1.5, 1e300, 5e-324, 2 ** 53, 2 ** 64, Infinity, -Infinity, NaN]) {
    assertEquals(roundTrip(value), value);
  }
  for (const value of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 63n, 2n ** 64n - 1n]) {
    assertEquals(roundTrip(value), value);
  }
  assertEquals(roundTrip(5n), 5);
});

Deno.test("conversion: numbers made by Objective-C come as what they are", () => {
  const NSNumber = Class.named("NSNumber");
  const numbers: [make: string, value: Argument, expected: Converted][] = [
    ["numberWithBool:", true, true],
    ["numberWithBool:", false, false],
    ["numberWithChar:", 1, 1],
    ["numberWithInt:", 0, 0],
    ["numberWithInt:", 1, 1],
    ["numberWithUnsignedInt:", 2 ** 32 - 1, 2 ** 32 - 1],
    ["numberWithFloat:", 0.5, 0.5],
    ["numberWithUnsignedLongLong:", 2n ** 64n - 1n, 2n ** 64n - 1n],
  ];
  for (const [make, value, expected] of numbers) {
    assertEquals(fromObjC(NSNumber.send(make, value)), expected, make);
  }
});

Deno.test("conversion: booleans stay booleans, and do not become 1 and 0", () => {
  assertEquals(roundTrip(true), true);
  assertEquals(roundTrip(false), false);
});

Deno.test("conversion: a date comes back with its millisecond", () => {
  for (
    const ms of [
      0,
      1,
      -1,
      -123_456_789_123,
      1_700_000_000_123,
      978_307_200_000,
      -62_135_596_800_000,
      32_503_680_000_999,
    ]
  ) {
    assertEquals(roundTrip(new Date(ms)), new Date(ms));
  }
  // NSDate counts seconds, from another year: every rounding on the way has to come out right.
  for (let ms = -1_000_000_000_000; ms < 4_000_000_000_000; ms += 4_999_999_999) {
    assertEquals((roundTrip(new Date(ms)) as Date).getTime(), ms);
  }
});

Deno.test("conversion: data comes back byte for byte, and is a copy", () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  const back = roundTrip(all) as Uint8Array;
  assertEquals(back, all);
  assert(back !== all);
  assertEquals(roundTrip(new Uint8Array()), new Uint8Array());
  assertEquals(roundTrip(all.subarray(10, 20)), all.slice(10, 20));
  const large = new Uint8Array(1_000_000).fill(7);
  assertEquals((roundTrip(large) as Uint8Array).length, large.length);
});

Deno.test("conversion: URLs come back as they were", () => {
  for (
    const url of [
      "https://example.org/a/b?c=d&e=%20#f",
      "file:///tmp/a%20b",
      "mailto:a@b.c",
      "http://x/%C3%A9",
    ]
  ) {
    const back = roundTrip(new URL(url));
    assertInstanceOf(back, URL);
    assertEquals(back.href, url);
  }
});

Deno.test("conversion: collections come back with all that is in them, null included", () => {
  const nested: ObjectValue = [
    1,
    "two",
    null,
    [true, [], new Map()],
    new Map<string, ObjectValue>([["", new Uint8Array([1])], ["größe 😀", [new Map([["x", null]])]]]),
  ];
  assertEquals(roundTrip(nested), nested as Converted);
  assertEquals(roundTrip([undefined]), [null]);
  const long = Array.from({ length: 5000 }, (_, i) => i);
  assertEquals(roundTrip(long), long);
});

Deno.test("conversion: subclasses are what they derive from, and other objects stay themselves", () => {
  using text = Class.named("NSMutableString").create("initWithString:", "text");
  assertEquals(fromObjC(text), "text");
  using plain = Class.named("NSObject").create();
  assert(fromObjC(plain) === plain);
  using array = object(Class.named("NSArray").send("arrayWithObject:", plain));
  assert(same((fromObjC(array) as NSObject[])[0], plain));
  assertEquals(fromObjC(null), null);
  assertEquals(fromObjC(undefined), null);
  assertEquals(fromObjC(5), 5);
});

Deno.test("conversion: a URL with no scheme, which JavaScript has none for, is no error", () => {
  using url = object(Class.named("NSURL").send("URLWithString:", "a/relative/path"));
  // As it is, or its text: an error would make a whole collection unreadable for one element.
  const converted = fromObjC(url);
  assert(converted === url || converted === "a/relative/path");
});

Deno.test("conversion: what Foundation has nothing for is refused before it gets there", () => {
  for (const value of [Symbol("x"), () => {}, {}, new Set(), /x/]) {
    const send = () => roundTrip(value as unknown as ObjectValue);
    assertThrows(send, TypeError, "nor anything that Foundation has a class for");
  }
});

// In a process of its own: an exception of Objective-C's ends it.
Deno.test("conversion: a date that is none is a JavaScript error", async () => {
  const { code, stdout, stderr } = await child("objc/programs/unfit_value.ts", "date");
  assertEquals([code, stdout, stderr], [0, "TypeError\n", ""]);
});

// NSURL takes some letters only escaped that JavaScript's URL has as they are; nil must not go in its place.
Deno.test("conversion: a URL with unusual letters arrives, or is a JavaScript error", async () => {
  const { code, stdout, stderr } = await child("objc/programs/unfit_value.ts", "url");
  assertEquals([code, stderr], [0, ""]);
  assert(/^TypeError$|taken: .*example.org\/a/m.test(stdout), stdout);
});

Deno.test("conversion: a file's URL is seen from the current folder, and keeps every letter of its name", () => {
  const before = Deno.cwd();
  const folder = Deno.realPathSync(Deno.makeTempDirSync()); // the current folder is told without links
  const names = [
    "some file",
    "a\\b",
    "100%",
    "%41",
    "gr\u00f6\u00dfe",
    "gro\u0308\u00dfe",
    "#1",
    "a?b",
    "a;b",
    "a\nb",
    "~",
    "~root",
    "a:b",
  ];
  try {
    for (const [i, name] of names.entries()) {
      const inside = `${folder}/${i}/${name}`; // two of the names are one to a Mac's file system
      Deno.mkdirSync(inside, { recursive: true });
      Deno.chdir(inside);
      using relative = fileURL(name);
      using absolute = fileURL(`${inside}/${name}`);
      for (const url of [relative, absolute]) {
        assert(url.send("isFileURL"), name);
        assertEquals(fromObjC(url.send("path")), `${inside}/${name}`);
      }
    }
  } finally {
    Deno.chdir(before);
    Deno.removeSync(folder, { recursive: true });
  }
});

Deno.test("NSError: what lies under an error is its cause, however deep", () => {
  const domains = ["Outer", "Middle", "NSPOSIXErrorDomain"];
  const object = domains.toReversed().reduce<NSObject | undefined>(
    (under, domain, i) =>
      Class.named("NSError").send(
        "errorWithDomain:code:userInfo:",
        domain,
        i,
        new Map<string, NSObject | string>([
          // GNUstep's keys are called as their constants are, with Key behind.
          ...["", "Key"].flatMap((key): [string, NSObject | string][] => [
            [`NSLocalizedDescription${key}`, `about ${domain}`],
            ...under ? [[`NSUnderlyingError${key}`, under] as [string, NSObject]] : [],
          ]),
        ]),
      ) as NSObject,
    undefined,
  );
  const found = [];
  for (let error: unknown = NSError.from(object!); error; error = (error as Error).cause) {
    assert(error instanceof NSError);
    found.push([error.domain, error.code, error.message]);
  }
  assertEquals(found, [
    ["Outer", 2, "about Outer"],
    ["Middle", 1, "about Middle"],
    ["NSPOSIXErrorDomain", 0, "about NSPOSIXErrorDomain"],
  ]);
});
