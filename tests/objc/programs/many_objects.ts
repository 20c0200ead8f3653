/** Makes objects and forgets them; prints by how many MiB the process has grown meanwhile. */

import "../../../src/host/libraries.ts";
import { Class } from "../../../src/objc/mod.ts";

declare const gc: () => void;

const NSMutableData = Class.named("NSMutableData");

async function make(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    NSMutableData.create("initWithLength:", 1024);
    if (i % 5000 === 0) {
      gc();
      // Finalizers are tasks of the event loop.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

await make(20_000);
const before = Deno.memoryUsage().rss;
await make(200_000);
console.log(Math.round((Deno.memoryUsage().rss - before) / 2 ** 20));
