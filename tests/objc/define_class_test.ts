import { assert, assertEquals, assertThrows } from "@std/assert";
import "../../src/host/libraries.ts";
import {
  Class,
  defineClass,
  DispatchQueue,
  EncodingError,
  fromObjC,
  type NSObject,
  type Result,
  same,
} from "../../src/objc/mod.ts";
import { child } from "./child.ts";

const object = (result: Result) => result as NSObject;

Deno.test("defineClass: its methods act for their owner, with what they are sent", () => {
  const owner = { name: "owner", notes: [] as unknown[] };
  const made = defineClass<typeof owner>("TestNotes", {
    "note:": { types: "v@:@", implementation: (owner, text) => owner.notes.push(fromObjC(text)) },
    "note:count:": {
      types: "Q@:@Q",
      implementation: (owner, text, count) => owner.notes.push([fromObjC(text), count]),
    },
    "name": { types: "@@:", implementation: (owner) => owner.name },
    "size": { types: "{NSSize=dd}@:", implementation: () => [1, 2] },
    "isNoted": { types: "B@:", implementation: (owner) => owner.notes.length > 0 },
    "same:": { types: "@@:@", implementation: (_, value) => value },
    "nothing": { types: "@@:", implementation: () => null },
  });
  using instance = made.create(owner);
  assertEquals(instance.send("isNoted"), false);
  instance.send("note:", "first");
  assertEquals(instance.send("note:count:", "second", 2), 2n);
  assertEquals(owner.notes, ["first", ["second", 2n]]);
  assertEquals(String(instance.send("name")), "owner");
  assertEquals(instance.send("size"), [1, 2]);
  assertEquals(instance.send("isNoted"), true);
  assert(same(object(instance.send("same:", instance)), instance));
  assertEquals(instance.send("nothing"), null);
});

Deno.test("defineClass: each instance has its own owner", () => {
  const made = defineClass<{ n: number }>("TestOwners", {
    "n": { types: "i@:", implementation: (owner) => owner.n },
  });
  const owners = [{ n: 1 }, { n: 2 }, { n: 3 }];
  const instances = owners.map((owner) => made.create(owner));
  assertEquals(instances.map((instance) => instance.send("n")), [1, 2, 3]);
});

Deno.test("defineClass: an instance is an object of the runtime like others", () => {
  const made = defineClass<object>("TestDerived", {
    "description": { types: "@@:", implementation: () => "mine" },
    "isEqual:": { types: "C@:@", implementation: () => true },
  }, "NSMutableArray");
  using plain = defineClass<object>("TestPlain", {}).create({});
  assert(plain.send("isKindOfClass:", Class.named("NSObject")));
  assertEquals(plain.send("retainCount"), 1n);
  const owner = {};
  using instance = made.create(owner);
  assertEquals(instance.className, "TestDerived");
  assert(instance.send("isKindOfClass:", Class.named("NSArray")));
  assertEquals(String(instance), "mine");
  assert(
    instance.respondsTo("isEqual:") && instance.respondsTo("addObject:") && !instance.respondsTo("mine"),
  );
});

Deno.test("defineClass: a taken name gets a number, and both classes work", () => {
  const define = (text: string) =>
    defineClass<object>("TestTwice", { "text": { types: "@@:", implementation: () => text } });
  const owner = {};
  const instances = ["one", "two", "three"].map((text) => define(text).create(owner));
  assertEquals(instances.map((instance) => instance.className), ["TestTwice", "TestTwice_2", "TestTwice_3"]);
  assertEquals(instances.map((instance) => String(instance.send("text"))), ["one", "two", "three"]);
  assertEquals(defineClass<object>("NSString", {}).create(owner).className, "NSString_2");
});

Deno.test("defineClass: damaged types or an unknown superclass make no class", () => {
  const define = (types: string, superclass?: string) => () =>
    defineClass<object>("TestDamaged", { "x": { types, implementation: () => {} } }, superclass);
  assertThrows(define("v"), EncodingError, 'expected the receiver, "@"');
  assertThrows(define("v@:{"), EncodingError, "is not closed");
  assertThrows(define("v@:", "NSNothing"), TypeError, "No Objective-C class is named NSNothing");
  assertThrows(() => Class.named("TestDamaged"), TypeError);
});

Deno.test("defineClass: a queue's thread may send to an instance", async () => {
  const owner = { got: [] as unknown[] };
  const made = defineClass<typeof owner>("TestOnQueue", {
    "add:": { types: "q@:q", implementation: (owner, n) => (owner.got.push(n), (n as bigint) * 2n) },
    "rect": { types: "{NSRect={NSPoint=dd}{NSSize=dd}}@:", implementation: () => [[1, 2], [3, 4]] },
  });
  using instance = made.create(owner);
  made.ref();
  const queue = DispatchQueue.create("delegate");
  const results = await Promise.all(Array.from({ length: 100 }, (_, i) => queue.call(instance, "add:", i)));
  assertEquals(results, Array.from({ length: 100 }, (_, i) => BigInt(2 * i)));
  assertEquals(owner.got, Array.from({ length: 100 }, (_, i) => BigInt(i)));
  assertEquals(await queue.call(instance, "rect"), [[1, 2], [3, 4]]);
  made.unref();
});

Deno.test("defineClass: an object made for a caller on another thread is still there when it gets it", async () => {
  const { code, signal, stdout, stderr } = await child("objc/programs/object_for_a_queue.ts");
  assertEquals([code, signal, stdout, stderr], [0, null, "300 texts\n", ""]);
});

Deno.test("defineClass: an owner is held weakly, and without it the methods do nothing", async () => {
  const { code, signal, stdout, stderr } = await child("objc/programs/owner_gone.ts");
  assertEquals([code, signal, stderr], [0, null, ""]);
  assertEquals(stdout, "owner there: 5n, text, true, 1,2\nowner gone: 0n, null, false, 0,0\n");
});
