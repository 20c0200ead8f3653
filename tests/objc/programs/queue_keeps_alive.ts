import "../../../src/host/libraries.ts";
import { Class, DispatchQueue } from "../../../src/objc/mod.ts";

const slow = DispatchQueue.create("slow").call(Class.named("NSThread"), "sleepForTimeInterval:", 0.2);
slow.then(() => console.log("done"));
