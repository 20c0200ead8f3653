/** Uses everything that opens a library, first with paths of none, then with the one of the argument. */

import {
  autoreleasepool,
  Block,
  Class,
  DispatchQueue,
  fromObjC,
  type NSObject,
  setLibraryPaths,
} from "../../../src/objc/mod.ts";

const [library] = Deno.args;
const uses: Record<string, () => unknown> = {
  pool: () => autoreleasepool(() => "made"),
  block: () => {
    using block = new Block("q@?@@", (a, b) => Number(fromObjC(a)) - Number(fromObjC(b)));
    return block.encoding;
  },
  queue: () => DispatchQueue.create("first").className !== "",
  class: () => String(Class.named("NSObject")),
};

setLibraryPaths(() => "libNowhere.so");
for (const [name, use] of Object.entries(uses)) {
  try {
    console.log(`${name}: ${use()}`);
  } catch (error) {
    console.log(`${name}: ${(error as Error).message.replace(/(?<=libNowhere\.so).*/s, "")}`);
  }
}
setLibraryPaths(() => library); // nothing was opened
for (const [name, use] of Object.entries(uses)) console.log(`${name}: ${use()}`);
const list = await DispatchQueue.create("second").call(Class.named("NSArray"), "arrayWithObject:", "x");
console.log(fromObjC(list as NSObject));
try {
  setLibraryPaths(() => library);
} catch (error) {
  console.log((error as Error).message);
}
