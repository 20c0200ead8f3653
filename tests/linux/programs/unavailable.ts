/** Makes an object by an initializer that Apple's headers mark unavailable. */

import "../../../src/host/libraries.ts";
import { Class, type NSObject, openFramework } from "../../../src/objc/mod.ts";

openFramework("Virtualization");
const [name, initializer] = Deno.args;
const type = Class.named(name);
if (initializer === "new") type.send("new");
else (type.send("alloc") as NSObject).send(initializer);
console.log("made");
