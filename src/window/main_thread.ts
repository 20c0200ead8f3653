/** The main thread's part: it belongs to AppKit for as long as there is a window. */

import { Class, defineClass, type NSObject, openFramework } from "../objc/mod.ts";

/** AppKit would open the words of the command line as files, and say that it cannot. */
const unopened = {};

function defineDelegate(): NSObject {
  const delegate = defineClass<typeof unopened>("VZRunFileDelegate", {
    "application:openFiles:": { types: "v@:@@", implementation: () => {} },
  });
  return delegate.create(unopened);
}

/** The application of this process. */
export class MainThread {
  readonly #application: NSObject;
  readonly #delegate = defineDelegate();

  /** @param name What its menu is called. */
  constructor(name: string) {
    openFramework("AppKit");
    using info = Class.named("NSProcessInfo").send("processInfo") as NSObject;
    info.send("setProcessName:", name);
    this.#application = Class.named("NSApplication").send("sharedApplication") as NSObject;
    this.#application.send("setDelegate:", this.#delegate);
  }

  /** Waits for events, and for what is sent to the main queue, until somebody stops the application. */
  run(): void {
    this.#application.send("run");
  }
}
