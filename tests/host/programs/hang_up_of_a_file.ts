/** Waits a second for the hang-up of a file; prints whether it came, and the processor time in milliseconds. */

import process from "node:process";
import { Class, type NSObject } from "../../../src/objc/mod.ts";
import { hangUp } from "../../../src/host/descriptors.ts";

const file = Class.named("NSFileHandle").send(
  "fileHandleForReadingAtPath:",
  import.meta.filename!,
) as NSObject;
let settled = false;
const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
hangUp(file).then(() => settled = true);
const before = used();
await new Promise((resolve) => setTimeout(resolve, 1000));
console.log(settled, Math.round(used() - before));
file[Symbol.dispose]();
Deno.exit(0);
