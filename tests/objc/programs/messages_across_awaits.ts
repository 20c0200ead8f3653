/** Sends messages that autorelease on every kind of stretch that the event loop has. */

import "../../../src/host/libraries.ts";
import { Class, DispatchQueue, type NSObject } from "../../../src/objc/mod.ts";

const NSString = Class.named("NSString");
let sent = 0;

function send(): void {
  using text = NSString.send("stringWithString:", `number ${sent++}`) as NSObject;
  using upper = text.send("uppercaseString") as NSObject;
  if (String(upper) !== `NUMBER ${sent - 1}`) throw new Error(String(upper));
}

const queue = DispatchQueue.create("messages");
using list = Class.named("NSMutableArray").create();
for (let i = 0; i < 100; i++) {
  send();
  await null;
  send();
  await new Promise((resolve) => setTimeout(resolve, 0));
  send();
  await queue.call(list, "addObject:", `text ${i}`);
  send();
  await Deno.stat(import.meta.filename!);
  send();
  queueMicrotask(send);
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  await new Promise<void>((resolve) =>
    setTimeout(() => {
      send();
      send();
      resolve();
    })
  );
  send();
  send();
}
console.log(`${sent} messages`);
