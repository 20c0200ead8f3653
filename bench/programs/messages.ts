// Prints the ns that one message to a getter takes, as `boot messages COUNT` does for a native client.
import type { NSObject } from "../../src/objc/mod.ts";
import { VZVirtualMachineConfiguration } from "../../src/vz/mod.ts";

const count = Number(Deno.args[0]);
const configuration = VZVirtualMachineConfiguration.create();
let sum = 0n;

function send(times: number) {
  for (let i = 0; i < times; i++) sum += (configuration as NSObject).send("memorySize") as bigint;
}

send(100_000); // as a native program is compiled before it runs
const from = performance.now();
send(count);
console.log((performance.now() - from) * 1e6 / count);
