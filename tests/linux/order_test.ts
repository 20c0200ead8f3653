// Rows 25 and 28: linux/ records in which order a program launches, activates and makes windows, of which a Mac cares,
// and raises where a Mac lets only the main thread.

import { assertEquals } from "@std/assert";
import { Screen } from "../e2e/screen.ts";
import { ended } from "../objc/child.ts";
import { NativeProgram } from "./native.ts";

Deno.test("mac: the order in which a program launches, activates and makes windows can be seen", async () => {
  using program = await NativeProgram.compile("order.m", "appkit-ldflags");
  await using screen = await Screen.start();
  const order = async (when: string) => {
    const file = program.file(when);
    const env = { ...screen.how.env, VIRTUALIZATION_APPKIT_ORDER: file };
    assertEquals((await ended([program.path, when], env)).code, 0, when);
    return Deno.readTextFileSync(file).trim().split("\n");
  };
  const launch = ["will finish launching", "did finish launching"];
  assertEquals(await order("late"), ["set policy", ...launch, "activate", "make window"]);
  assertEquals(await order("early"), ["set policy", "activate", "make window", ...launch]);
});

Deno.test("mac: windows and events are the main thread's", async () => {
  using program = await NativeProgram.compile("main_thread.m", "appkit-ldflags");
  await using screen = await Screen.start();
  const { code, stdout } = await ended([program.path], screen.how.env);
  const raised = (sentence: string) => `NSInternalInconsistencyException: ${sentence}`;
  assertEquals([code, ...stdout.trim().split("\n")], [
    0,
    "make: well",
    "size: well",
    "show: well",
    "event: well",
    `make: ${raised("NSWindow should only be instantiated on the main thread!")}`,
    `size: ${raised("NSWindow geometry should only be modified on the main thread!")}`,
    `show: ${raised("NSWindow drag regions should only be invalidated on the Main Thread!")}`,
    `event: ${raised("nextEventMatchingMask should only be called from the Main Thread!")}`,
  ]);
});
