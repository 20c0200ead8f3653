/** A method in JavaScript whose result is an object, called by a queue's thread. */

import "../../../src/host/libraries.ts";
import { defineClass, DispatchQueue } from "../../../src/objc/mod.ts";

const made = defineClass<object>("Texts", {
  // Too long for a tagged pointer, so that it is a real object.
  "text:": { types: "@@:q", implementation: (_, n) => `a text of some length, and the number ${n}` },
});
const owner = {};
const instance = made.create(owner);
made.ref();
const queue = DispatchQueue.create("texts");
let count = 0;
for (let i = 0; i < 300; i++) {
  const text = await queue.call(instance, "text:", i);
  if (String(text) === `a text of some length, and the number ${i}`) count++;
}
console.log(`${count} texts`);
Deno.exit(owner ? 0 : 1);
