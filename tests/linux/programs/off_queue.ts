/** Sends a message to a machine, or to its socket device, on a thread that is not its queue's. */

import "../../../src/host/libraries.ts";
import {
  type Argument,
  Class,
  DispatchQueue,
  fromObjC,
  type NSObject,
  openFramework,
} from "../../../src/objc/mod.ts";

openFramework("Virtualization");
const configuration = Class.named("VZVirtualMachineConfiguration").create();
const sockets = Class.named("VZVirtioSocketDeviceConfiguration").create();
configuration.send("setSocketDevices:", [sockets]);
const queue = DispatchQueue.create("the machine's");
const machine = Class.named("VZVirtualMachine").create("initWithConfiguration:queue:", configuration, queue);
const devices = fromObjC(await queue.call(machine, "socketDevices")) as NSObject[];
const [selector] = Deno.args;
const last: Argument[] = selector.endsWith(":") && !selector.endsWith("Error:") ? [null] : [];
const firsts: Record<string, Argument[]> = {
  "removeSocketListenerForPort:": [],
  "setSocketListener:forPort:": [null],
  "connectToPort:completionHandler:": [1],
};
const args = firsts[selector] ? [...firsts[selector], selector.endsWith("ort:") ? 1 : null] : last;
console.log((firsts[selector] ? devices[0] : machine).send(selector, ...args));
