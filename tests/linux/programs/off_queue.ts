/** Sends a message to a machine on a thread that is not its queue's. */

import "../../../src/host/libraries.ts";
import { type Argument, Class, DispatchQueue, openFramework } from "../../../src/objc/mod.ts";

openFramework("Virtualization");
const configuration = Class.named("VZVirtualMachineConfiguration").create();
const queue = DispatchQueue.create("the machine's");
const machine = Class.named("VZVirtualMachine").create("initWithConfiguration:queue:", configuration, queue);
const [selector] = Deno.args;
const args: Argument[] = selector.endsWith(":") && !selector.endsWith("Error:") ? [null] : [];
console.log(machine.send(selector, ...args));
