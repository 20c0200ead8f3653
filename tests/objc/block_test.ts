import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import "../../src/host/libraries.ts";
import {
  Block,
  Class,
  completion,
  DispatchQueue,
  EncodingError,
  fromObjC,
  NSError,
  type NSObject,
  type ObjectValue,
  type Result,
  succeeded,
} from "../../src/objc/mod.ts";
import { child, commandOf } from "./child.ts";

const object = (result: Result) => result as NSObject;
const array = (...values: ObjectValue[]) => object(Class.named("NSArray").send("arrayWithArray:", values));

/** What `enumerateObjectsUsingBlock:` calls: object, index, address of a BOOL that ends it. */
const EACH = "v@?@Q^B";

Deno.test("block: its function gets what it is called with, without the block itself", () => {
  const got: Result[][] = [];
  using block = new Block(EACH, (...args) => got.push(args));
  using list = array("a", "b");
  list.send("enumerateObjectsUsingBlock:", block);
  assertEquals(got.map(([text, index, stop]) => [fromObjC(text), index, stop]), [
    ["a", 0n, undefined],
    ["b", 1n, undefined],
  ]);
});

Deno.test("block: what its function returns is what the caller gets", () => {
  using list = array(3, 1, 10, 2);
  using numeric = new Block("q@?@@", (a, b) => Math.sign(Number(fromObjC(a)) - Number(fromObjC(b))));
  using sorted = object(list.send("sortedArrayUsingComparator:", numeric));
  assertEquals(fromObjC(sorted), [1, 2, 3, 10]);
  using odd = new Block("B@?@Q^B", (n) => Number(fromObjC(n)) % 2 === 1);
  using indexes = object(list.send("indexesOfObjectsPassingTest:", odd));
  assertEquals([indexes.send("count"), indexes.send("firstIndex"), indexes.send("lastIndex")], [2n, 0n, 1n]);
});

Deno.test("block: messages may be sent in it, and it may be called from within another", () => {
  using list = array("a", "b");
  let text = "";
  using inner = new Block(EACH, (value) => text += String(object(object(value).send("uppercaseString"))));
  using outer = new Block(EACH, () => list.send("enumerateObjectsUsingBlock:", inner));
  list.send("enumerateObjectsUsingBlock:", outer);
  assertEquals(text, "ABAB");
});

Deno.test("block: a queue's thread may call it, and gets its results in order", async () => {
  const queue = DispatchQueue.create("block test");
  using list = array(...Array.from({ length: 200 }, (_, i) => i));
  const seen: unknown[] = [];
  using block = new Block(EACH, (value, index) => seen.push([fromObjC(value), index]));
  block.ref();
  await queue.call(list, "enumerateObjectsUsingBlock:", block);
  assertEquals(seen, Array.from({ length: 200 }, (_, i) => [i, BigInt(i)]));
  using odd = new Block("B@?@Q^B", (n) => Number(fromObjC(n)) % 2 === 1);
  odd.ref();
  const indexes = object(await queue.call(list, "indexesOfObjectsPassingTest:", odd));
  assertEquals(indexes.send("count"), 100n);
  using reversed = new Block("q@?@@", (a, b) => Math.sign(Number(fromObjC(b)) - Number(fromObjC(a))));
  reversed.ref();
  const sorted = object(await queue.call(list, "sortedArrayUsingComparator:", reversed));
  assertEquals(fromObjC(sorted.send("firstObject")), 199);
});

Deno.test("block: several threads may call it at once", async () => {
  using list = array(...Array.from({ length: 50 }, (_, i) => i));
  let sum = 0;
  using block = new Block(EACH, (value) => sum += Number(fromObjC(value)));
  block.ref();
  const queues = Array.from({ length: 8 }, (_, i) => DispatchQueue.create(`block test ${i}`));
  await Promise.all(queues.map((queue) => queue.call(list, "enumerateObjectsUsingBlock:", block)));
  assertEquals(sum, 8 * (49 * 50 / 2));
});

Deno.test("block: a damaged signature is refused when the block is made", () => {
  assertThrows(() => new Block("v@", () => {}), EncodingError, 'expected the block, "@?"');
  assertThrows(() => new Block("v@?{", () => {}), EncodingError, "is not closed");
  assertThrows(() => new Block("v@?(u=i)", () => {}), TypeError, "cannot be passed by value");
});

Deno.test("block: one that was given up is refused before anything gets it", () => {
  using list = array("only");
  const block = new Block(EACH, () => {});
  block[Symbol.dispose]();
  block[Symbol.dispose]();
  assertThrows(
    () => list.send("enumerateObjectsUsingBlock:", block),
    TypeError,
    "This block has been released",
  );
});

// A framework's thread gives a completion handler up after its call, which may have let the program end.
Deno.test("block: what still has one when the program ends does not write into freed memory", async () => {
  const [command, ...args] = commandOf("objc/programs/block_released_late.ts");
  const { code, stdout, stderr } = await new Deno.Command(command, { args }).output();
  assertEquals([code, stdout.length, new TextDecoder().decode(stderr)], [0, 32, ""]);
  assertEquals(stdout.slice(16), stdout.slice(0, 16));
});

Deno.test("block: an error in one reaches whoever listens, and the caller gets zero", async () => {
  const { code, signal, stdout, stderr } = await child("objc/programs/block_throws.ts", "heard");
  assertEquals([code, signal, stderr], [0, null, ""]);
  assertEquals(
    stdout,
    "heard: thrown in void\nheard: thrown in integer\nheard: thrown in object\nheard: thrown on a queue\n" +
      "heard: thrown in boolean\nheard: thrown in struct\nend\n",
  );
});

Deno.test("block: an error in one that nobody listens to ends the program as any other does", async () => {
  const { code, signal, stdout, stderr } = await child("objc/programs/block_throws.ts");
  assertEquals([code, signal, stdout], [1, null, ""]);
  assert(stderr.includes("thrown in void"), stderr);
});

Deno.test("completion: settles with what it is called with, on whatever thread", async () => {
  using list = array("only");
  const { block, called } = completion(EACH);
  list.send("enumerateObjectsUsingBlock:", block);
  const [value, index] = await called;
  assertEquals([fromObjC(value), index], ["only", 0n]);

  const later = completion(EACH);
  await DispatchQueue.create("completion test").call(list, "enumerateObjectsUsingBlock:", later.block);
  assertEquals((await later.called)[1], 0n);
});

Deno.test("completion: one that was called is used again, one that waits is not", async () => {
  using list = array("only");
  const first = completion("v@?@Q^i");
  const second = completion("v@?@Q^i");
  assert(first.block !== second.block);
  list.send("enumerateObjectsUsingBlock:", first.block);
  await first.called;
  const third = completion("v@?@Q^i");
  assert(third.block === first.block);
  list.send("enumerateObjectsUsingBlock:", third.block);
  list.send("enumerateObjectsUsingBlock:", second.block);
  assertEquals((await Promise.all([second.called, third.called])).map(([, index]) => index), [0n, 0n]);
  const other = completion("v@?@Q^I");
  assert(other.block !== first.block && other.block !== second.block);
  list.send("enumerateObjectsUsingBlock:", other.block);
  await other.called;
});

Deno.test("completion: an NSError that it is called with is thrown, nil is success", async () => {
  await succeeded(Promise.resolve([null]));
  const error = object(Class.named("NSError").send("errorWithDomain:code:userInfo:", "TestDomain", -5, null));
  const thrown = await assertRejects(() => succeeded(Promise.resolve([error])), NSError);
  assertEquals([thrown.domain, thrown.code], ["TestDomain", -5]);
});
