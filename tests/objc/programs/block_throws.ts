/** Blocks whose functions throw. With the argument "heard" someone listens to the errors. */

import "../../../src/host/libraries.ts";
import { Block, Class, defineClass, DispatchQueue, type NSObject } from "../../../src/objc/mod.ts";

if (Deno.args[0] === "heard") {
  addEventListener("error", (event) => {
    event.preventDefault();
    console.log(`heard: ${event.error.message}`);
  });
}

const failing = (what: string) => () => {
  throw new Error(`thrown in ${what}`);
};
const list = Class.named("NSArray").send("arrayWithArray:", [1, 2]) as NSObject;
const expect = (value: unknown, expected: unknown) => {
  if (value !== expected) throw new Error(`got ${value}, not ${expected}`);
};

const first = Class.named("NSArray").send("arrayWithObject:", "x") as NSObject;
first.send("enumerateObjectsUsingBlock:", new Block("v@?@Q^B", failing("void")));

const methods = defineClass<object>("Throws", {
  "integer": { types: "q@:", implementation: failing("integer") },
  "object": { types: "@@:", implementation: failing("object") },
  "boolean": { types: "B@:", implementation: failing("boolean") },
  "range": { types: "{_NSRange=QQ}@:", implementation: failing("struct") },
});
const owner = {};
const target = methods.create(owner);
expect(target.send("integer"), 0n);
expect(target.send("object"), null);

const block = new Block("v@?@Q^B", () => {
  throw new Error("thrown on a queue");
});
block.ref();
await DispatchQueue.create("throws").call(first, "enumerateObjectsUsingBlock:", block);
block.unref();
expect(list.send("count"), 2n);

expect(target.send("boolean"), false);
expect(String(target.send("range")), "0,0");
console.log("end");
Deno.exit(owner ? 0 : 1);
