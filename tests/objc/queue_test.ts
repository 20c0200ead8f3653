import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import "../../src/host/libraries.ts";
import {
  type Argument,
  Class,
  DispatchQueue,
  fromObjC,
  NSError,
  type NSObject,
  type Result,
  same,
} from "../../src/objc/mod.ts";
import { child } from "./child.ts";

const object = (result: Result) => result as NSObject;
const NSNumber = Class.named("NSNumber");
const NSValue = Class.named("NSValue");
const string = (text: string) => object(Class.named("NSString").send("stringWithString:", text));

Deno.test("queue: a thousand calls are done in the order in which they were made", async () => {
  const queue = DispatchQueue.create("order");
  using list = Class.named("NSMutableArray").create();
  const settled: number[] = [];
  const calls = Array.from({ length: 1000 }, async (_, i) => {
    await queue.call(list, "addObject:", i);
    settled.push(i);
  });
  await Promise.all(calls);
  const order = Array.from({ length: 1000 }, (_, i) => i);
  assertEquals(fromObjC(list), order);
  assertEquals(settled, order);
});

Deno.test("queue: a result of every kind comes back as send gives it", async () => {
  const queue = DispatchQueue.create("results");
  const number = (make: string, value: Argument) => object(NSNumber.send(make, value));
  using text = string("hello");
  using list = Class.named("NSMutableArray").create();
  const calls: [target: NSObject, selector: string, args: Argument[], expected: unknown][] = [
    [number("numberWithChar:", -128), "charValue", [], -128],
    [number("numberWithUnsignedChar:", 255), "unsignedCharValue", [], 255],
    [number("numberWithShort:", -2), "shortValue", [], -2],
    [number("numberWithInt:", -(2 ** 31)), "intValue", [], -(2 ** 31)],
    [number("numberWithUnsignedInt:", 2 ** 32 - 1), "unsignedIntValue", [], 2 ** 32 - 1],
    [number("numberWithLongLong:", -(2n ** 63n)), "longLongValue", [], -(2n ** 63n)],
    [number("numberWithUnsignedLongLong:", 2n ** 64n - 1n), "unsignedLongLongValue", [], 2n ** 64n - 1n],
    [number("numberWithFloat:", 0.5), "floatValue", [], 0.5],
    [number("numberWithDouble:", -0.1), "doubleValue", [], -0.1],
    [text, "rangeOfString:", ["ll"], [2n, 2n]],
    [object(NSValue.send("valueWithPoint:", [1, 2])), "pointValue", [], [1, 2]],
    [object(NSValue.send("valueWithRect:", [[1, 2], [3, 4]])), "rectValue", [], [[1, 2], [3, 4]]],
    [list, "addObject:", ["x"], undefined],
    [Class.named("NSMutableArray").create(), "lastObject", [], null],
  ];
  for (const [target, selector, args, expected] of calls) {
    assertEquals(await queue.call(target, selector, ...args), expected as Result, selector);
    assertEquals(target.send(selector, ...args) ?? null, (expected ?? null) as Result, selector);
  }
  assert(await queue.call(text, "isEqual:", "hello"));
  assert(!await queue.call(text, "isEqual:", "other"));
  assert(same(object(await queue.call(list, "objectAtIndex:", 0)), object(list.send("objectAtIndex:", 0))));
});

Deno.test("queue: classes, selectors and C strings come back as send gives them", async () => {
  const queue = DispatchQueue.create("other results");
  using text = string("hello");
  assertEquals(await queue.call(text, "UTF8String"), "hello");
  const type = await queue.call(text, "class");
  assertInstanceOf(type, Class);
  assertEquals(String(type), String(text.send("class")));
  using signature = object(text.send("methodSignatureForSelector:", "length"));
  using invocation = object(Class.named("NSInvocation").send("invocationWithMethodSignature:", signature));
  invocation.send("setSelector:", "length");
  assertEquals(await queue.call(invocation, "selector"), "length");
  assertEquals(await queue.call(signature, "getArgumentTypeAtIndex:", 1), ":");
});

Deno.test("queue: arguments of every kind arrive", async () => {
  const queue = DispatchQueue.create("arguments");
  using text = string("hello world");
  assertEquals(String(await queue.call(text, "substringWithRange:", [6, 5])), "world");
  assert(await queue.call(text, "respondsToSelector:", "length"));
  assert(await queue.call(text, "isKindOfClass:", Class.named("NSString")));
  const NSString = Class.named("NSString");
  assertEquals(String(await queue.call(NSString, "stringWithUTF8String:", "größer")), "größer");
  for (const value of [-1.5, 2 ** 40]) {
    assertEquals(object(await queue.call(NSNumber, "numberWithDouble:", value)).send("doubleValue"), value);
  }
  assertEquals(object(await queue.call(NSNumber, "numberWithChar:", -7)).send("charValue"), -7);
  const rect = object(await queue.call(NSValue, "valueWithRect:", [[1, 2], [3, 4]]));
  assertEquals(rect.send("rectValue"), [[1, 2], [3, 4]]);
  const bytes = new Uint8Array(3);
  using data = object(Class.named("NSData").send("dataWithData:", Uint8Array.of(1, 2, 3)));
  await queue.call(data, "getBytes:length:", bytes, 3);
  assertEquals(bytes, Uint8Array.of(1, 2, 3));
  assert(!await queue.call(text, "isEqual:", null));
});

Deno.test("queue: what calls made, took and gave is released by the collector", async () => {
  const { code, stdout, stderr } = await child("objc/programs/many_calls.ts");
  assertEquals([code, stderr], [0, ""]);
  // 30,000 times 10 KiB: 300 MiB, if they stayed.
  assert(Number(stdout) < 60, `grew by ${stdout.trim()} MiB`);
});

Deno.test("queue: an object is made on the thread that it belongs to", async () => {
  const queue = DispatchQueue.create("maker");
  using text = await queue.make("NSMutableString", "initWithString:", "hello");
  assertEquals(String(text), "hello");
  text.send("appendString:", " world");
  assertEquals(String(text), "hello world");
  const unmade = () => queue.make("NSData", "initWithContentsOfFile:", "/nonexistent");
  await assertRejects(unmade, TypeError, "-[NSData initWithContentsOfFile:] gave nil");
  await assertRejects(() => queue.make("NSNothing"), TypeError, "No Objective-C class is named NSNothing");
});

Deno.test("queue: a worker's calls on the main queue are done by a main thread that is busy with its run loop", async () => {
  const { code, stdout, stderr } = await child("objc/programs/main_queue.ts");
  assertEquals([code, stdout, stderr], [0, "main thread: true\ntold by it: 3, 4\nstopped\n", ""]);
});

Deno.test("queue: an error that a method gives rejects the promise, and a success does not", async () => {
  const queue = DispatchQueue.create("errors");
  const manager = object(Class.named("NSFileManager").send("defaultManager"));
  const failed = queue.call(manager, "removeItemAtPath:error:", "/nonexistent/file");
  const error = await assertRejects(() => failed, NSError);
  assertMatch(`${error.domain} ${error.code}`, /^(NSPOSIXErrorDomain 2|NSCocoaErrorDomain 4)$/); // GNUstep's, Apple's
  const JSON = Class.named("NSJSONSerialization");
  const parse = (text: string) =>
    queue.call(JSON, "JSONObjectWithData:options:error:", new TextEncoder().encode(text), 0);
  await assertRejects(() => parse("{"), NSError);
  assertEquals(fromObjC(await parse("[1,true]")), [1, true]);
  const unexplained = () =>
    queue.call(Class.named("NSString"), "stringWithContentsOfFile:encoding:error:", "/nonexistent", 4);
  await assertRejects(unexplained, NSError, "failed and gave no reason");
});

Deno.test("queue: a slip is an error before anything is sent", () => {
  const queue = DispatchQueue.create("slips");
  using text = string("hello");
  const name = text.className;
  const slips: [send: () => unknown, message: string][] = [
    [() => queue.call(text, "lenght"), `-[${name} lenght]: no such method`],
    [() => queue.call(text, "length", 1), `-[${name} length] takes 0 argument(s), not 1`],
    [
      () => queue.call(NSNumber, "numberWithInt:", "x"),
      '+[NSNumber numberWithInt:], argument 1 ("i"): "x" is not a signed 32-bit integer',
    ],
  ];
  for (const [send, message] of slips) assertEquals(assertThrows(send, TypeError).message, message);
  const gone = Class.named("NSObject").create();
  gone[Symbol.dispose]();
  assertThrows(() => queue.call(gone, "hash"), TypeError, "This NSObject has been released");
});

Deno.test("queue: arguments stay until the queue comes to them", async () => {
  const { code, signal, stdout, stderr } = await child("objc/programs/arguments_of_a_queue.ts");
  assertEquals([code, signal, stdout, stderr], [0, null, "500 texts\n", ""]);
});

Deno.test("queue: what it is busy with keeps nobody else waiting", async () => {
  const queue = DispatchQueue.create("busy");
  const other = DispatchQueue.create("free");
  const NSThread = Class.named("NSThread");
  let busy = true;
  const slow = queue.call(NSThread, "sleepForTimeInterval:", 1).then(() => busy = false);
  const behind = queue.call(NSNumber, "numberWithInt:", 1).then(() => busy);
  let ticks = 0;
  while (ticks < 10) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(object(await other.call(NSNumber, "numberWithInt:", ticks)).send("intValue"), ticks);
    ticks++;
  }
  assert(busy, "the slow call held up the event loop, or another queue");
  await slow;
  assertEquals(await behind, false);
});

Deno.test("queue: a program whose only work is a call waits for it, and then ends", async () => {
  const { code, stdout, stderr } = await child("objc/programs/queue_keeps_alive.ts");
  assertEquals([code, stdout, stderr], [0, "done\n", ""]);
});
