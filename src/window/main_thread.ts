/** The main thread's part: it belongs to AppKit for as long as there is a window. */

import { Class, defineClass, type NSObject, openFramework } from "../objc/mod.ts";

/** What every delegate of the application answers: AppKit would open the words of the command line as files. */
export const OPENS_NO_FILES = {
  "application:openFiles:": { types: "v@:@@", implementation: () => {} },
};

/** The application of this process. */
export class MainThread {
  readonly #application: NSObject;
  readonly #delegate = defineClass<MainThread>("VZRunMainThread", OPENS_NO_FILES).create(this);

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
