import { assertEquals } from "@std/assert";
import { commandOf, ended } from "../objc/child.ts";

Deno.test("isSignalIgnored: tells what nohup, or a script's background job, has the program ignore", async () => {
  const command = commandOf("host/programs/ignored_signals.ts");
  const ignoring = await ended(["sh", "-c", 'trap "" HUP INT; exec "$@"', "sh", ...command]);
  assertEquals(ignoring, { code: 0, signal: null, stdout: "HUP, INT\n", stderr: "" });
  assertEquals(await ended(command), { code: 0, signal: null, stdout: "\n", stderr: "" });
});
