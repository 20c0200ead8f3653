import { assert, assertEquals, assertInstanceOf, assertMatch, assertThrows } from "@std/assert";
import "../../src/host/libraries.ts";
import { methodFamily } from "../../src/objc/method.ts";
import { cString, registerSelector, runtime } from "../../src/objc/runtime.ts";
import { classPointer } from "../../src/objc/arguments.ts";
import {
  type Argument,
  Class,
  defineClass,
  fromObjC,
  NSError,
  NSObject,
  type Result,
  same,
} from "../../src/objc/mod.ts";

const object = (result: Result) => result as NSObject;
const NSNumber = Class.named("NSNumber");
const string = (text: string) => object(Class.named("NSString").send("stringWithString:", text));

Deno.test("send: numbers go in and come out unchanged at the edges of every width", () => {
  const numbers: [make: string, get: string, ...values: (number | bigint)[]][] = [
    ["numberWithChar:", "charValue", -128, 0, 127],
    ["numberWithUnsignedChar:", "unsignedCharValue", 0, 255],
    ["numberWithShort:", "shortValue", -32768, 32767],
    ["numberWithUnsignedShort:", "unsignedShortValue", 65535],
    ["numberWithInt:", "intValue", -(2 ** 31), -1, 2 ** 31 - 1],
    ["numberWithUnsignedInt:", "unsignedIntValue", 2 ** 32 - 1],
    ["numberWithLong:", "longValue", -(2n ** 63n), 2n ** 63n - 1n],
    ["numberWithUnsignedLong:", "unsignedLongValue", 2n ** 64n - 1n],
    ["numberWithLongLong:", "longLongValue", -(2n ** 63n), -1n, 2n ** 63n - 1n],
    ["numberWithUnsignedLongLong:", "unsignedLongLongValue", 0n, 2n ** 63n, 2n ** 64n - 1n],
    ["numberWithInteger:", "integerValue", -5n],
    ["numberWithFloat:", "floatValue", Math.fround(-0.1), Infinity],
    ["numberWithDouble:", "doubleValue", 0.1, -1e308, NaN, 5e-324],
  ];
  for (const [make, get, ...values] of numbers) {
    for (const value of values) {
      using number = object(NSNumber.send(make, value));
      assertEquals(number.send(get), value, `${make} ${value}`);
    }
  }
});

Deno.test("send: a number may stand for a bigint and the other way round", () => {
  assertEquals(object(NSNumber.send("numberWithLongLong:", -7)).send("longLongValue"), -7n);
  assertEquals(object(NSNumber.send("numberWithInt:", -7n)).send("intValue"), -7);
});

// BOOL is bool on arm64 Macs and a char elsewhere: a caller may give true on each.
Deno.test("send: a boolean is understood, whatever BOOL is", () => {
  assertEquals(Boolean(object(NSNumber.send("numberWithBool:", true)).send("boolValue")), true);
  assertEquals(Boolean(object(NSNumber.send("numberWithBool:", false)).send("boolValue")), false);
});

Deno.test("send: selectors, classes and C strings go in and come out as text and classes", () => {
  using text = string("text");
  assert(text.send("respondsToSelector:", "length"));
  assert(!text.send("respondsToSelector:", "launchMissiles"));
  assert(text.send("isKindOfClass:", Class.named("NSString")));
  assertEquals(text.send("UTF8String"), "text");
  const cString = object(Class.named("NSString").send("stringWithUTF8String:", "größer 😀"));
  assertEquals(String(cString), "größer 😀");
  const type = text.send("class");
  assertInstanceOf(type, Class);
  assert(type.send("isSubclassOfClass:", Class.named("NSString")));
  using signature = object(text.send("methodSignatureForSelector:", "length"));
  using invocation = object(Class.named("NSInvocation").send("invocationWithMethodSignature:", signature));
  invocation.send("setSelector:", "length");
  assertEquals(invocation.send("selector"), "length");
});

Deno.test("send: memory goes in as a buffer that the method fills", () => {
  const bytes = new Uint8Array(4);
  object(Class.named("NSData").send("dataWithData:", Uint8Array.of(1, 2, 3, 4, 5)))
    .send("getBytes:length:", bytes, 4);
  assertEquals(bytes, Uint8Array.of(1, 2, 3, 4));
});

Deno.test("send: nil goes in as null, comes out as null, and void as undefined", () => {
  using array = Class.named("NSMutableArray").create();
  assertEquals(array.send("lastObject"), null);
  // Again and again: after some calls of one signature FFI is set up another way.
  for (let i = 0; i < 100; i++) assertEquals(array.send("addObject:", "x"), undefined, `call ${i}`);
  assertEquals(Boolean(array.send("isEqual:", null)), false);
  assertEquals(Boolean(array.send("isEqual:", undefined)), false);
});

Deno.test("send: small structs come back in registers, large ones through memory, both whole", () => {
  using text = string("hello");
  assertEquals(text.send("rangeOfString:", "ll"), [2n, 2n]);
  assertEquals(String(text.send("substringWithRange:", [1, 3])), "ell");
  assertEquals(String(text.send("substringWithRange:", [1n, 3n])), "ell");
  const NSValue = Class.named("NSValue");
  const make = (selector: string, value: Argument) => object(NSValue.send(selector, value));
  assertEquals(make("valueWithPoint:", [1.5, -2]).send("pointValue"), [1.5, -2]);
  assertEquals(make("valueWithRange:", [3, 2n ** 64n - 1n]).send("rangeValue"), [3n, 2n ** 64n - 1n]);
  const rect = [[1, 2], [3, 4.5]]; // 32 bytes
  assertEquals(make("valueWithRect:", rect).send("rectValue"), rect);
  using transform = object(Class.named("NSAffineTransform").send("transform"));
  transform.send("setTransformStruct:", [1, 2, 3, 4, 5, 6]); // 48 bytes
  assertEquals(transform.send("transformStruct"), [1, 2, 3, 4, 5, 6]);
  assertEquals(transform.send("transformPoint:", [1, 1]), [9, 12]);
});

// After some calls of one signature FFI is set up another way, which must do the same.
Deno.test("send: the thousandth message of a kind does what the first did", () => {
  using value = object(Class.named("NSValue").send("valueWithRect:", [[1, 2], [3, 4]]));
  using text = string("0123456789");
  for (let i = 0; i < 1000; i++) {
    assertEquals(value.send("rectValue"), [[1, 2], [3, 4]]);
    assertEquals(text.send("characterAtIndex:", i % 10), 48 + i % 10);
    assertEquals(object(NSNumber.send("numberWithDouble:", i / 8)).send("doubleValue"), i / 8);
    assertEquals(text.send("rangeOfString:", String(i % 10)), [BigInt(i % 10), 1n]);
  }
});

Deno.test("send: many arguments of mixed kinds all arrive", () => {
  const got: Result[][] = [];
  const types = "v@:cCsSiIqQfdB@#:{_NSRange=QQ}dddddd{NSRect={NSPoint=dd}{NSSize=dd}}q";
  const made = defineClass<typeof got>("TestManyArguments", {
    "take:::::::::::::::::::::::": { types, implementation: (owner, ...args) => owner.push(args) },
  });
  using target = made.create(got);
  using number = object(NSNumber.send("numberWithInt:", 5));
  const plain: Argument[] = [-1, 255, -2, 65535, -3, 4, -5n, 6n, 0.5, 0.25, true];
  const doubles = [1, 2, 3, 4, 5, 6];
  const rect = [[1, 2], [3, 4]];
  const selector = "take:::::::::::::::::::::::";
  target.send(selector, ...plain, number, Class.named("NSArray"), "foo:bar:", [7, 8], ...doubles, rect, -9);
  const [args] = got;
  assertEquals(args.slice(0, 11), plain as Result[]);
  assert(same(args[11] as NSObject, number));
  assertEquals(String(args[12]), "NSArray");
  assertEquals(args.slice(13), ["foo:bar:", [7n, 8n], ...doubles, rect, -9n]);
});

Deno.test("send: a slip is an error that names the method, before anything is sent", () => {
  const NSString = Class.named("NSString");
  using text = string("hello");
  const name = text.className;
  const slips: [send: () => unknown, message: string][] = [
    [() => NSString.send("stringWithSting:", "x"), "+[NSString stringWithSting:]: no such method"],
    [() => text.send("lenght"), `-[${name} lenght]: no such method`],
    [() => text.send(""), `-[${name} ]: no such method`],
    [() => NSString.send("length"), "+[NSString length]: no such method"],
    [() => NSString.send("string", "x"), "+[NSString string] takes 0 argument(s), not 1"],
    [() => NSString.send("stringWithString:"), "+[NSString stringWithString:] takes 1 argument(s), not 0"],
    [
      () => NSString.send("stringWithString:", "a", "b"),
      "+[NSString stringWithString:] takes 1 argument(s), not 2",
    ],
    [
      () => NSNumber.send("numberWithInt:", "x"),
      '+[NSNumber numberWithInt:], argument 1 ("i"): "x" is not a signed 32-bit integer',
    ],
    [
      () => NSNumber.send("numberWithChar:", 128),
      '+[NSNumber numberWithChar:], argument 1 ("c"): 128 is not a signed 8-bit integer',
    ],
    [
      () => NSNumber.send("numberWithUnsignedShort:", -1),
      '+[NSNumber numberWithUnsignedShort:], argument 1 ("S"): -1 is not an unsigned 16-bit integer',
    ],
    [
      () => NSNumber.send("numberWithInt:", 1.5),
      '+[NSNumber numberWithInt:], argument 1 ("i"): 1.5 is not a signed 32-bit integer',
    ],
    [
      () => NSNumber.send("numberWithLongLong:", 2 ** 60),
      `+[NSNumber numberWithLongLong:], argument 1 ("q"): ${2 ** 60} is not a signed 64-bit integer`,
    ],
    [
      () => NSNumber.send("numberWithUnsignedLongLong:", 2n ** 64n),
      '+[NSNumber numberWithUnsignedLongLong:], argument 1 ("Q"): ' +
      "18446744073709551616n is not an unsigned 64-bit integer",
    ],
    [
      () => NSNumber.send("numberWithInt:", null),
      '+[NSNumber numberWithInt:], argument 1 ("i"): null is not a signed 32-bit integer',
    ],
    [
      () => NSNumber.send("numberWithDouble:", 1n),
      '+[NSNumber numberWithDouble:], argument 1 ("d"): 1n is not a number',
    ],
    [
      () => text.send("respondsToSelector:", 3),
      `-[${name} respondsToSelector:], argument 1 (":"): 3 is not a selector's name`,
    ],
    [
      () => text.send("isKindOfClass:", "NSString"),
      `-[${name} isKindOfClass:], argument 1 ("#"): "NSString" is not a class`,
    ],
    [
      () => NSString.send("stringWithUTF8String:", 3),
      '+[NSString stringWithUTF8String:], argument 1 ("r*"): 3 is not a string',
    ],
    [
      () => text.send("isEqual:", (() => {}) as unknown as Argument),
      `-[${name} isEqual:], argument 1 ("@"): [Function (anonymous)] is not an object, ` +
      "nor anything that Foundation has a class for",
    ],
    [() => Class.named("NSNothing"), "No Objective-C class is named NSNothing"],
  ];
  for (const [send, message] of slips) {
    const error = assertThrows(send, TypeError);
    assertEquals(error.message, message);
  }
});

Deno.test("send: a struct of the wrong shape is an error that names the method and the argument", () => {
  using text = string("hello");
  const head = `-[${text.className} substringWithRange:], argument 1 ("{_NSRange=QQ}"): `;
  for (const value of [[1], [1, 2, 3], 5, [1, 2.5], [1, "x"], [1, -1], null]) {
    const error = assertThrows(() => text.send("substringWithRange:", value as Argument));
    assertInstanceOf(error, TypeError, String(error));
    assert(error.message.startsWith(head), error.message);
    assert(!error.message.includes("is not Expected"), error.message);
  }
});

Deno.test("send: an integer that no NSNumber holds is named once, and as what it is", () => {
  for (const value of [2n ** 64n, -(2n ** 63n) - 1n]) {
    const error = assertThrows(() => Class.named("NSArray").send("arrayWithObject:", value), TypeError);
    const head = `+[NSArray arrayWithObject:], argument 1 ("@"): ${value}n is not `;
    assert(error.message.startsWith(head), error.message);
    assertEquals(error.message.split("is not").length, 2, error.message);
  }
});

Deno.test("send: a method whose types cannot be passed, or read, is told and not tried", () => {
  const pointer = runtime.objc_allocateClassPair(classPointer("NSObject"), cString("TestUnsendable"), 0n);
  const implementation = runtime.class_getMethodImplementation(
    classPointer("NSObject"),
    registerSelector("self"),
  );
  for (const [selector, types] of [["union:", "v@:(u=id)"], ["damaged:", "v@:{a"]]) {
    runtime.class_addMethod(pointer, registerSelector(selector), implementation, cString(types));
  }
  runtime.objc_registerClassPair(pointer);
  using target = Class.named("TestUnsendable").create();
  const problems: [selector: string, message: string][] = [
    ["union:", 'A value of type "(u=id)" cannot be passed by value'],
    ["damaged:", 'Bad type encoding "v@:{a" at 3: the struct is not closed by "}"'],
  ];
  for (const [selector, problem] of problems) {
    const error = assertThrows(() => target.send(selector, 1), TypeError);
    assertEquals(error.message, `-[TestUnsendable ${selector}] cannot be sent: ${problem}`);
  }
});

Deno.test("errors: a method that fails throws what it says, with domain and code", () => {
  const manager = object(Class.named("NSFileManager").send("defaultManager"));
  const error = assertThrows(() => manager.send("removeItemAtPath:error:", "/nonexistent/file"), NSError);
  assertEquals(error.name, "NSError");
  assertMatch(`${error.domain} ${error.code}`, /^(NSPOSIXErrorDomain 2|NSCocoaErrorDomain 4)$/); // GNUstep's, Apple's
  assert(error.message.length > 0);
  const json = new TextEncoder().encode("{");
  const parse = () => Class.named("NSJSONSerialization").send("JSONObjectWithData:options:error:", json, 0);
  const described = assertThrows(parse, NSError);
  assertEquals(described.domain, "NSCocoaErrorDomain");
  assert(described.message.length > 0);
});

Deno.test("errors: a method that succeeds gives its result, and nothing of the error", () => {
  const json = new TextEncoder().encode('{"a":[1,true,null]}');
  const parse = Class.named("NSJSONSerialization").send("JSONObjectWithData:options:error:", json, 0);
  assertEquals(fromObjC(parse), new Map([["a", [1, true, null]]]));
});

Deno.test("errors: one that gives no reason is an error too", () => {
  const read = () =>
    Class.named("NSString").send("stringWithContentsOfFile:encoding:error:", "/nonexistent", 4);
  const error = assertThrows(read, NSError);
  assertEquals(
    error.message,
    "+[NSString stringWithContentsOfFile:encoding:error:] failed and gave no reason",
  );
});

Deno.test("errors: a caller may give the out parameter and look at it", () => {
  const manager = object(Class.named("NSFileManager").send("defaultManager"));
  const out = new BigUint64Array(1);
  assert(!manager.send("removeItemAtPath:error:", "/nonexistent/file", out));
  assert(out[0] !== 0n);
  assert(!manager.send("removeItemAtPath:error:", "/nonexistent/file", null));
});

Deno.test("method families: a word ends where a name's word does", () => {
  const families: [selector: string, family: ReturnType<typeof methodFamily>][] = [
    ["alloc", "alloc"],
    ["allocWithZone:", "alloc"],
    ["allocate", null],
    ["new", "new"],
    ["newValue", "new"],
    ["newer", null],
    ["newline", null],
    ["copy", "copy"],
    ["copyWithZone:", "copy"],
    ["copying", null],
    ["mutableCopy", "mutableCopy"],
    ["mutableCopyWithZone:", "mutableCopy"],
    ["mutableCopying", null],
    ["init", "init"],
    ["initWithString:", "init"],
    ["init:", "init"],
    ["initialize", null],
    ["initial", null],
    ["_init", "init"],
    ["__copyThing", "copy"],
    ["_initialize", null],
    ["description", null],
    ["isInit", null],
    ["Copy", null],
    ["", null],
  ];
  for (const [selector, family] of families) assertEquals(methodFamily(selector), family, selector);
});
