/** Does what raises an exception on a Mac, which through FFI ends the process. */

import { Class, DispatchQueue, fileURL, type NSObject, openFramework } from "../../../src/objc/mod.ts";
import { pipe, socketPair } from "../descriptors.ts";
import "../raw.ts"; // opens the library

const web = () => Class.named("NSURL").send("URLWithString:", "https://localhost/file") as NSObject;
const handle = (descriptor: number) =>
  Class.named("NSFileHandle").create("initWithFileDescriptor:", descriptor);

const cases: Record<string, () => unknown> = {
  "kernel": () => Class.named("VZLinuxBootLoader").create("initWithKernelURL:", web()),
  "image": () =>
    Class.named("VZDiskImageStorageDeviceAttachment").create("initWithURL:readOnly:error:", web(), false),
  "file": () => Class.named("VZFileSerialPortAttachment").create("initWithURL:append:error:", web(), false),
  "directory": () => Class.named("VZSharedDirectory").create("initWithURL:readOnly:", web(), false),
  "store": () => Class.named("VZEFIVariableStore").create("initWithURL:", web()),
  "pipe": () =>
    Class.named("VZFileHandleNetworkDeviceAttachment").create("initWithFileHandle:", handle(pipe()[0])),
  "stream": () =>
    Class.named("VZFileHandleNetworkDeviceAttachment").create("initWithFileHandle:", handle(socketPair()[0])),
  "index": () => (Class.named("NSArray").send("array") as NSObject).send("objectAtIndex:", 0),
  "closed": () => {
    const closed = handle(pipe()[0]);
    closed.send("closeFile");
    closed.send("fileDescriptor");
  },
  "window": async () => {
    openFramework("AppKit");
    const initializer = "initWithContentRect:styleMask:backing:defer:";
    await DispatchQueue.create("not main").make("NSWindow", initializer, [[0, 0], [9, 9]], 0, 2, false);
  },
  "nothing": () => {
    Class.named("VZLinuxBootLoader").create("initWithKernelURL:", fileURL("/nonexistent"));
    handle(pipe()[0]).send("fileDescriptor");
  },
};
await cases[Deno.args[0]]();
console.log("done");
