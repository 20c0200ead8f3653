// A wrong selector or argument is an error of `deno check`: each line below an @ts-expect-error would be one, and the
// check of this file fails where it is none. Nothing of it runs.

import { assert } from "@std/assert";
import { type NSObject } from "../../src/objc/mod.ts";
import { VZVirtualMachineConfiguration, VZVirtualMachineView } from "../../src/vz/mod.ts";
import { QueueObject } from "../../src/vz/queue_object.ts";

function rightAndWrong(configuration: VZVirtualMachineConfiguration): void {
  configuration.send("setMemorySize:", 2 ** 30);
  configuration.send("validateWithError:");
  // @ts-expect-error A slip.
  configuration.send("setMemorySise:", 2 ** 30);
  // @ts-expect-error A selector of another class.
  configuration.send("setCommandLine:", "console=hvc0");
  // @ts-expect-error A text where a number belongs.
  configuration.send("setMemorySize:", "1G");
  // @ts-expect-error One argument too few.
  configuration.send("setMemorySize:");
  const minimum: bigint = VZVirtualMachineConfiguration.api.send("minimumAllowedMemorySize");
  // @ts-expect-error A class's method has another result than that.
  const text: string = VZVirtualMachineConfiguration.api.send("minimumAllowedMemorySize");
  // @ts-expect-error A method of instances.
  VZVirtualMachineConfiguration.api.send("setMemorySize:", minimum);
  console.log(text);
}

abstract class OnAQueue extends QueueObject<"VZVirtualMachine"> {
  async rightAndWrong(): Promise<void> {
    const state: bigint = await this.call("state");
    await this.complete("startWithCompletionHandler:");
    // @ts-expect-error No completion handler.
    await this.complete("state");
    // @ts-expect-error Arguments before the handler that there are not.
    await this.complete("startWithCompletionHandler:", state);
  }
}

Deno.test("src/vz: messages have Apple's types", () => {
  assert([rightAndWrong, OnAQueue].length > 0); // that this file passes `deno check` is the test
  const view: NSObject | undefined = undefined;
  assert(view === undefined && VZVirtualMachineView.api.name === "VZVirtualMachineView");
});
