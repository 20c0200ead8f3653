/** AppKit's application, from the thread of JavaScript: every call hops to the main queue. */

import { Class, DispatchQueue, NSObject } from "../objc/mod.ts";

const NSEventTypeApplicationDefined = 15;

/** The application that the main thread runs. */
export class Application {
  readonly main = DispatchQueue.main();

  private constructor(readonly object: NSObject) {}

  /** Finds it; settles when the main thread has it running. */
  static async running(): Promise<Application> {
    const shared = await DispatchQueue.main().call(Class.named("NSApplication"), "sharedApplication");
    return new Application(shared as NSObject);
  }

  /** Gives the main thread back. */
  async stop(): Promise<void> {
    await this.main.call(this.object, "stop:", null);
    // It looks whether it is to stop after each event, and none may come.
    const event = await this.main.call(
      Class.named("NSEvent"),
      "otherEventWithType:location:modifierFlags:timestamp:windowNumber:context:subtype:data1:data2:",
      NSEventTypeApplicationDefined,
      [0, 0],
      0,
      0,
      0,
      null,
      0,
      0,
      0,
    );
    await this.main.call(this.object, "postEvent:atStart:", event as NSObject, true);
  }
}
