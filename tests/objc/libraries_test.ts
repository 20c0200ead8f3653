import { assertEquals, assertMatch } from "@std/assert";
import { hasLibrary, standInPath } from "../../src/host/libraries.ts";
import { child } from "./child.ts";

/** One library that has, or brings, all that is needed: Foundation on macOS. */
const LIBRARY = hasLibrary("Security")
  ? "/System/Library/Frameworks/Foundation.framework/Foundation"
  : standInPath("Foundation");

Deno.test("libraries: the first use opens them where they were said to be, and a failure leaves nothing behind", async () => {
  const { code, stdout, stderr } = await child("objc/programs/library_paths.ts", LIBRARY);
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n");
  for (const [i, use] of ["pool", "block", "queue", "class"].entries()) {
    assertMatch(
      lines[i],
      new RegExp(`^${use}: Cannot open the library of (objc|system|Foundation): .*libNowhere\\.so$`),
    );
  }
  assertEquals(lines.slice(4), [
    "pool: made",
    "block: q@?@@",
    "queue: true",
    "class: NSObject",
    '[ "x" ]',
    "setLibraryPaths: a library has been opened already",
    "",
  ]);
});
