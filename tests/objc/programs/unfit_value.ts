/** Puts a value into an array that Foundation may have nothing for, and says how that went. */

import "../../../src/host/libraries.ts";
import { Class } from "../../../src/objc/mod.ts";

const values: Record<string, Date | URL> = { date: new Date(NaN), url: new URL("http://example.org/a|b") };
try {
  const array = Class.named("NSArray").send("arrayWithObject:", values[Deno.args[0]]);
  console.log(`taken: ${array}`);
} catch (error) {
  console.log((error as Error).name);
}
