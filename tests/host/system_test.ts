import { assertEquals, assertMatch } from "@std/assert";
import { machineArchitecture, macOSVersion } from "../../src/host/system.ts";

Deno.test("macOSVersion: is a version", () => {
  assertMatch(macOSVersion(), /^\d+(\.\d+){1,2}$/);
  assertEquals(macOSVersion(), macOSVersion());
});

Deno.test("machineArchitecture: is what guests have to be made for", () => {
  assertEquals(machineArchitecture(), { aarch64: "arm64", x86_64: "x86_64" }[Deno.build.arch]);
});
