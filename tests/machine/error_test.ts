import { assertEquals, assertInstanceOf } from "@std/assert";
import { MachineError, toMachineError } from "../../src/machine/error.ts";
import { VZLinuxBootLoader, VZVirtualMachine, VZVirtualMachineConfiguration } from "../../src/vz/mod.ts";
import { NSError } from "../../src/objc/mod.ts";

Deno.test("error: what the framework says of a field has the innermost of its reasons, and the chain as its cause", async () => {
  const configuration = VZVirtualMachineConfiguration.create();
  configuration.bootLoader = VZLinuxBootLoader.create("/nowhere/vmlinuz");
  configuration.memorySize = 128 * 1024 * 1024;
  configuration.cpuCount = 1;
  const error = await VZVirtualMachine.create(configuration).start().then(() => null, (error) => error);
  assertInstanceOf(error, NSError);
  const worded = toMachineError("boot.kernel", "cannot boot kernel 'K'", error) as MachineError;
  assertEquals([worded.field, worded.cause], ["boot.kernel", error]);
  assertEquals(
    /^boot\.kernel: cannot boot kernel 'K': .*no such file/i.test(worded.message),
    true,
    worded.message,
  );
});
