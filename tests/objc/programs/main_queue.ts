/** A worker sends to the main queue and is called by the main thread, which is in its run loop until it is told. */

import "../../../src/host/libraries.ts";
import { Class, defineClass, DispatchQueue, fromObjC, type NSObject } from "../../../src/objc/mod.ts";

async function inWorker(): Promise<void> {
  const main = DispatchQueue.main();
  const onMain = await main.call(Class.named("NSThread"), "isMainThread");
  console.log(`main thread: ${Boolean(onMain)}`);
  // A target and an action, as a menu's item has them.
  const owner = { told: [] as unknown[] };
  const targets = defineClass<typeof owner>("TestTarget", {
    "act:": { types: "v@:@", implementation: (owner, value) => owner.told.push(fromObjC(value)) },
  });
  const target = targets.create(owner);
  targets.ref();
  for (const value of [3, 4]) await main.call(target, "performSelector:withObject:", "act:", value);
  targets.unref();
  console.log(`told by it: ${owner.told.join(", ")}`);
  (globalThis as unknown as { postMessage(message: string): void }).postMessage("stop");
}

if (self.name === "other") {
  await inWorker();
} else {
  let stopped = false;
  const runLoop = Class.named("NSRunLoop").send("currentRunLoop") as NSObject; // Foundation is the main thread's
  const worker = new Worker(import.meta.url, { type: "module", name: "other" });
  worker.onmessage = () => stopped = true;
  while (!stopped) {
    using soon = Class.named("NSDate").send("dateWithTimeIntervalSinceNow:", 0.05) as NSObject;
    runLoop.send("runUntilDate:", soon);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  console.log("stopped");
  worker.terminate();
}
