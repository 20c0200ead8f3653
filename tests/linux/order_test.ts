// Row 25: linux/ records in which order a program launches, activates and makes windows, of which a Mac cares.

import { assertEquals } from "@std/assert";
import { Screen } from "../e2e/screen.ts";
import { ended } from "../objc/child.ts";
import { projectFile } from "./files.ts";

Deno.test("mac: the order in which a program launches, activates and makes windows can be seen", async () => {
  const folder = Deno.makeTempDirSync();
  try {
    const program = `${folder}/program`;
    const make = `make -s -C '${projectFile("linux")}'`;
    const source = projectFile("tests/linux/programs/order.m");
    const compile = `eval "clang $(${make} cflags) '${source}' -o '${program}' $(${make} appkit-ldflags)"`;
    assertEquals(await ended(["sh", "-c", compile]), { code: 0, signal: null, stdout: "", stderr: "" });
    await using screen = await Screen.start();
    const order = async (when: string) => {
      const file = `${folder}/${when}`;
      const { code } = await ended([program, when], { ...screen.how.env, VIRTUALIZATION_APPKIT_ORDER: file });
      assertEquals(code, 0, when);
      return Deno.readTextFileSync(file).trim().split("\n");
    };
    const launch = ["will finish launching", "did finish launching"];
    assertEquals(await order("late"), ["set policy", ...launch, "activate", "make window"]);
    assertEquals(await order("early"), ["set policy", "activate", "make window", ...launch]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
