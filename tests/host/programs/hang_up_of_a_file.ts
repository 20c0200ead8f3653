/** Waits a second for the hang-up of a file; prints whether it came, and the processor time in milliseconds. */

import process from "node:process";
import { fileHandle, hangUp } from "../../../src/host/descriptors.ts";

using file = Deno.openSync(import.meta.filename!);
let settled = false;
// The descriptor's number: the highest that is open, since files get the next free one.
const link = (n: number) => {
  try {
    return Deno.readLinkSync(`/dev/fd/${n}`);
  } catch {
    return "";
  }
};
const descriptor = Array.from({ length: 1024 }, (_, n) => n).findLast((n) =>
  link(n) === import.meta.filename
);
if (descriptor === undefined) throw new Error("the file's descriptor was not found");
const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
hangUp(fileHandle(descriptor)).then(() => settled = true);
const before = used();
await new Promise((resolve) => setTimeout(resolve, 1000));
console.log(settled, Math.round(used() - before));
file.statSync();
Deno.exit(0);
