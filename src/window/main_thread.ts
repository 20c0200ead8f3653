/** The main thread's part: it belongs to AppKit for as long as there is a window. */

import { Class, defineClass, type NSObject, openFramework } from "../objc/mod.ts";

/** What every delegate of the application answers. */
export const ANSWERS = {
  // AppKit would open the words of the command line as files.
  "application:openFiles:": { types: "v@:@@", implementation: () => {} },
  // Without it macOS 14 and later warn on stderr.
  "applicationSupportsSecureRestorableState:": { types: "B@:@", implementation: () => true },
};

const NSApplicationActivationPolicyRegular = 0;

/** The application of this process. */
export class MainThread {
  readonly #application: NSObject;
  readonly #launched: () => void;
  // A policy that comes after a window puts that on the wrong Space; one that activates itself before it has launched
  // has a dead menu bar.
  readonly #delegate = defineClass<MainThread>("VZRunMainThread", {
    ...ANSWERS,
    "applicationWillFinishLaunching:": {
      types: "v@:@",
      implementation: (thread) =>
        thread.#application.send("setActivationPolicy:", NSApplicationActivationPolicyRegular),
    },
    "applicationDidFinishLaunching:": {
      types: "v@:@",
      implementation: (thread) => {
        thread.#application.send("activateIgnoringOtherApps:", true);
        thread.#launched();
      },
    },
  }).create(this);

  /**
   * @param name What its menu is called.
   * @param launched Called when it has launched and is active: a window is not to come before.
   */
  constructor(name: string, launched: () => void) {
    this.#launched = launched;
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
