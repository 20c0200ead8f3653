import { assert, assertEquals, assertThrows } from "@std/assert";
import "../../src/host/libraries.ts";
import { autoreleasepool, Class, NSObject, type Result, same } from "../../src/objc/mod.ts";
import { pipe } from "../../src/host/descriptors.ts";
import { child } from "./child.ts";

const object = (result: Result) => result as NSObject;

/** How many references an object has; the wrapper that is asked holds one of them. */
const references = (of: NSObject) => Number(of.send("retainCount"));

Deno.test("ownership: what alloc, new, copy and mutableCopy give belongs to the wrapper alone", () => {
  using plain = object(Class.named("NSObject").send("new"));
  assertEquals(references(plain), 1);
  using array = Class.named("NSMutableArray").create();
  assertEquals(references(array), 1);
  using text = Class.named("NSMutableString").create("initWithString:", "text");
  assertEquals(references(text), 1);
  using copy = object(array.send("copy"));
  assertEquals(references(copy), 1);
  using mutable = object(array.send("mutableCopy"));
  assertEquals(references(mutable), 1);
});

Deno.test("ownership: what other methods give is retained, and the pool's reference goes with the stretch", async () => {
  using array = object(Class.named("NSMutableArray").send("array"));
  assertEquals(references(array), 2);
  await null;
  assertEquals(references(array), 1);
});

Deno.test("ownership: a wrapper holds one reference, and using gives it up", () => {
  using kept = Class.named("NSObject").create();
  using array = Class.named("NSMutableArray").create();
  array.send("addObject:", kept);
  assertEquals(references(kept), 2);
  {
    using _second = object(array.send("objectAtIndex:", 0));
    assert(same(_second, kept));
    const held = references(kept);
    _second[Symbol.dispose]();
    assertEquals(references(kept), held - 1);
  }
  array.send("removeAllObjects");
});

Deno.test("ownership: an object whose last wrapper is disposed of is gone", () => {
  const { reading, writing } = pipe();
  const descriptor = writing.send("fileDescriptor") as number;
  const path = `/dev/fd/${descriptor}`;
  return Promise.resolve().then(() => {
    Deno.lstatSync(path);
    writing[Symbol.dispose]();
    assertThrows(() => Deno.lstatSync(path)); // ENOENT, or EBADF on a Mac
    reading[Symbol.dispose]();
  });
});

Deno.test("ownership: to dispose of a wrapper twice does nothing the second time", () => {
  using kept = Class.named("NSObject").create();
  using array = Class.named("NSMutableArray").create();
  array.send("addObject:", kept);
  const again = autoreleasepool(() => object(array.send("lastObject")));
  const before = references(kept);
  again[Symbol.dispose]();
  again[Symbol.dispose]();
  again[Symbol.dispose]();
  assertEquals(references(kept), before - 1);
});

Deno.test("ownership: a wrapper that was disposed of says so in each use", () => {
  const gone = Class.named("NSMutableArray").create();
  const name = gone.className;
  assertEquals(Deno.inspect(gone), `<${name}>`);
  gone[Symbol.dispose]();
  const message = `This ${name} has been released`;
  using array = Class.named("NSMutableArray").create();
  const uses = [
    () => gone.send("count"),
    () => gone.send("addObject:", "x"),
    () => String(gone),
    () => array.send("addObject:", gone),
    () => same(gone, array),
    () => new NSObject(gone),
  ];
  for (const use of uses) {
    assertEquals(assertThrows(use, TypeError).message.endsWith(message), true, String(use));
  }
  assertEquals(gone.className, name);
  assertEquals(Deno.inspect(gone), `<${name}, released>`);
});

Deno.test("ownership: init uses up what alloc gave, also when it gives nil", () => {
  const allocated = object(Class.named("NSMutableArray").send("alloc"));
  using made = object(allocated.send("initWithCapacity:", 4));
  assertEquals(references(made), 1);
  assertThrows(() => allocated.send("initWithCapacity:", 4), TypeError, "has been released");

  const other = object(Class.named("NSString").send("alloc"));
  assertEquals(other.send("initWithContentsOfFile:", "/nonexistent"), null);
  assertThrows(() => other.send("init"), TypeError, "has been released");
});

Deno.test("ownership: an initializer that fails is an error, not an empty wrapper", () => {
  assertThrows(
    () => Class.named("NSString").create("initWithContentsOfFile:", "/nonexistent"),
    TypeError,
    "-[NSString initWithContentsOfFile:] gave nil",
  );
});

Deno.test("ownership: a wrapper made of a wrapper takes its reference over", () => {
  const first = Class.named("NSObject").create();
  using second = new NSObject(first);
  assertEquals(references(second), 1);
  assertThrows(() => first.send("hash"), TypeError, "has been released");
  first[Symbol.dispose](); // has nothing to give up any more
  assertEquals(references(second), 1);
});

Deno.test("ownership: classes are never released", () => {
  const NSArray = Class.named("NSArray");
  for (let i = 0; i < 10; i++) NSArray[Symbol.dispose]();
  assertEquals(String(Class.named("NSArray")), "NSArray");
  assertEquals(object(NSArray.send("array")).send("count"), 0n);
});

Deno.test("pools: one of one's own frees what a loop makes, and keeps what it returns", () => {
  using array = autoreleasepool(() => object(Class.named("NSMutableArray").send("array")));
  assertEquals(references(array), 1);
  using inner = autoreleasepool(() =>
    autoreleasepool(() => object(Class.named("NSMutableArray").send("array")))
  );
  assertEquals(references(inner), 1);
});

Deno.test("pools: an error passes through one, and an async body is refused", () => {
  assertThrows(
    () =>
      autoreleasepool(() => {
        Class.named("NSMutableArray").send("array");
        throw new RangeError("mine");
      }),
    RangeError,
    "mine",
  );
  assertThrows(() => autoreleasepool(() => Promise.resolve()), TypeError, "the body must not be async");
  assertEquals(autoreleasepool(() => 5), 5);
});

Deno.test("pools: no message is ever sent without one", async () => {
  const { code, stdout, stderr } = await child("objc/programs/messages_across_awaits.ts");
  // GNUstep says "autorelease called without pool" on stderr.
  assertEquals([code, stdout, stderr], [0, "1000 messages\n", ""]);
});

Deno.test("ownership: objects that nobody refers to any more are released by the collector", async () => {
  const { code, stdout, stderr } = await child("objc/programs/many_objects.ts");
  assertEquals([code, stderr], [0, ""]);
  const grown = Number(stdout);
  // 200,000 objects of 1 KiB: 200 MiB, if they stayed.
  assert(grown < 50, `grew by ${grown} MiB`);
});
