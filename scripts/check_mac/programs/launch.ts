// An application as vzrun's is to start (row 25): a policy before it has launched, shown when it has. Says what comes when.
import { Class, defineClass, type NSObject, openFramework } from "../../../src/objc/mod.ts";
import "../../../src/host/libraries.ts";

openFramework("AppKit");
const steps: string[] = [];
const application = Class.named("NSApplication").send("sharedApplication") as NSObject;
const NSApplicationActivationPolicyRegular = 0;

const note = (step: string) => steps.push(`${step}${application.send("isActive") ? " (active)" : ""}`);

const delegate = defineClass<string[]>("VZRunCheckMacLauncher", {
  "applicationWillFinishLaunching:": {
    types: "v@:@",
    implementation() {
      note("will finish launching");
      application.send("setActivationPolicy:", NSApplicationActivationPolicyRegular);
    },
  },
  "applicationDidFinishLaunching:": {
    types: "v@:@",
    implementation() {
      note("did finish launching");
      application.send("activateIgnoringOtherApps:", true);
      const frame = [[0, 0], [200, 100]];
      const window = Class.named("NSWindow").create(
        "initWithContentRect:styleMask:backing:defer:",
        frame,
        1,
        2,
        false,
      );
      window.send("makeKeyAndOrderFront:", null);
    },
  },
  "applicationDidBecomeActive:": { types: "v@:@", implementation: () => note("became active") },
  "application:openFiles:": { types: "v@:@@", implementation: () => note("was told to open files") },
  "applicationSupportsSecureRestorableState:": { types: "B@:@", implementation: () => true },
}).create(steps);
application.send("setDelegate:", delegate);

// What is told a second later, when all that follows from the launch has come.
const end = defineClass<string[]>("VZRunCheckMacEnd", {
  "end:": {
    types: "v@:@",
    implementation() {
      steps.push(`${application.send("isActive") ? "active" : "not active"} at the end`);
      console.log(steps.join(", "));
      Deno.exit(0);
    },
  },
}).create(steps);
end.send("performSelector:withObject:afterDelay:", "end:", null, 2);
application.send("run");
