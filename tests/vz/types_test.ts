// A wrong selector or argument is an error of `deno check`: each line below an @ts-expect-error would be one, and the
// check of this file fails where it is none.

import { assert, assertMatch } from "@std/assert";
import { VZVirtualMachineConfiguration } from "../../src/vz/mod.ts";
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

/** What `deno check` says of a text of this file. */
async function check(text: string): Promise<{ success: boolean; said: string }> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const absolute = text.replace(
      /"(\.\.\/[^"]+)"/g,
      (_, file) => `"${new URL(file, import.meta.url).href}"`,
    );
    await Deno.writeTextFile(path, absolute);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", new URL("../../deno.json", import.meta.url).pathname, path],
      env: { NO_COLOR: "1" },
    }).output();
    return { success, said: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("src/vz: a selector that its class has not is an error of deno check", async () => {
  assert([rightAndWrong, OnAQueue].length > 0); // which are there for the check of this file
  const text = await Deno.readTextFile(new URL(import.meta.url));
  const asItIs = await check(text);
  assert(asItIs.success, asItIs.said);
  const { said } = await check(text.replace(/^.*@ts-expect-error A slip.*\n/m, ""));
  assertMatch(said, /Argument of type '"setMemorySise:"' is not assignable/);
});
