import { Class } from "../objc/mod.ts";
import "./libraries.ts";

/**
 * Has Foundation protect itself against several threads, which it does only once it has started one itself; to be called
 * on the main thread, before a worker uses it.
 *
 * Source: Apple's Threading Programming Guide, "Protecting the Cocoa Frameworks".
 */
export function becomeMultithreaded(): void {
  const doNothing = ["class", Class.named("NSObject"), null] as const;
  Class.named("NSThread").send("detachNewThreadSelector:toTarget:withObject:", ...doNothing);
}
