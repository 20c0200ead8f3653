/** Calls with arguments that JavaScript forgets, while the queue is still busy with something else. */

import "../../../src/host/libraries.ts";
import { Class, DispatchQueue, fromObjC, type NSObject } from "../../../src/objc/mod.ts";

declare const gc: () => void;

const queue = DispatchQueue.create("arguments");
const slow = queue.call(Class.named("NSThread"), "sleepForTimeInterval:", 0.3);
const NSString = Class.named("NSString");
const list = Class.named("NSMutableArray").create();
const calls: Promise<unknown>[] = [];
for (let i = 0; i < 250; i++) {
  calls.push(queue.call(list, "addObject:", `text number ${i}, which is an object`));
  calls.push(queue.call(NSString, "stringWithUTF8String:", `C string number ${i}`));
  if (i % 50 === 0) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}
gc();
await slow;
const results = await Promise.all(calls);
const added = fromObjC(list) as string[];
let right = added.filter((text, i) => text === `text number ${i}, which is an object`).length;
for (let i = 0; i < 250; i++) if (String(results[2 * i + 1] as NSObject) === `C string number ${i}`) right++;
console.log(`${right} texts`);
