/** Says whether Cocoa is in its multithreaded mode: with threads of POSIX's only, then with one of its own. */

import { Class, DispatchQueue } from "../../../src/objc/mod.ts";
import "../raw.ts"; // opens the library

const NSThread = Class.named("NSThread");
const isMultiThreaded = () => Boolean(NSThread.send("isMultiThreaded"));
const before = isMultiThreaded();
await DispatchQueue.create("a thread of POSIX's").call(
  Class.named("NSDate").send("date") as never,
  "description",
);
const still = isMultiThreaded();
NSThread.send("detachNewThreadSelector:toTarget:withObject:", "self", NSThread, null);
console.log(JSON.stringify([before, still, isMultiThreaded()]));
