import { assert, assertEquals } from "@std/assert";
import { standInPath } from "../../src/host/libraries.ts";
import { Class, symbolAddress } from "../../src/objc/mod.ts";

Deno.test("libraries: a symbol that is not there is an error that names it", () => {
  let message = "";
  try {
    symbolAddress("objc", "no_such_symbol");
  } catch (error) {
    message = (error as Error).message;
  }
  assert(message.includes("no_such_symbol"), message);
  assert(standInPath("Virtualization").includes("Virtualization"));
  assertEquals(String(Class.named("NSObject")), "NSObject");
});
