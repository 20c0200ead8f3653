/** Sends to an instance while its owner is there, and when it was collected. */

import "../../../src/host/libraries.ts";
import { defineClass, type NSObject } from "../../../src/objc/mod.ts";

declare const gc: () => void;

const made = defineClass<object>("Owned", {
  "nothing": { types: "v@:", implementation: () => {} },
  "number": { types: "q@:", implementation: () => 5 },
  "text": { types: "@@:", implementation: () => "text" },
  "boolean": { types: "B@:", implementation: () => true },
  "point": { types: "{NSPoint=dd}@:", implementation: () => [1, 2] },
});

function describe(instance: NSObject): string {
  instance.send("nothing");
  return ["number", "text", "boolean", "point"].map((selector) => {
    const value = instance.send(selector);
    return typeof value === "bigint" ? `${value}n` : String(value);
  }).join(", ");
}

let owner: object | undefined = { large: new Uint8Array(1000) };
const instance = made.create(owner);
const watched = new WeakRef(owner);
console.log(`owner there: ${describe(instance)}`);
owner = undefined;
while (watched.deref()) {
  await new Promise((resolve) => setTimeout(resolve, 1));
  gc();
}
console.log(`owner gone: ${describe(instance)}`);
