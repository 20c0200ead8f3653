/** Makes objects by calls on a queue and forgets them; prints by how many MiB the process has grown meanwhile. */

import "../../../src/host/libraries.ts";
import { Class, DispatchQueue } from "../../../src/objc/mod.ts";

declare const gc: () => void;

const queue = DispatchQueue.create("copies");
const data = Class.named("NSMutableData").create("initWithLength:", 10 * 1024);

async function make(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await queue.call(data, "mutableCopy"); // owned
    await queue.make("NSMutableData", "initWithLength:", 10 * 1024);
    await queue.call(data, "subdataWithRange:", [0, 10 * 1024]); // autoreleased on the queue
    if (i % 500 === 0) {
      gc();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}

await make(2_000);
const before = Deno.memoryUsage().rss;
await make(10_000);
console.log(Math.round((Deno.memoryUsage().rss - before) / 2 ** 20));
