/** Makes a file of so many MiB, unless that fails; says how much of it was written. */

import { makeOnce } from "../../../src/host/make_once.ts";

const [path, size] = Deno.args;
let written = 0;
try {
  await makeOnce(path, async (file) => {
    for (; written < Number(size); written++) {
      file.writeSync(new Uint8Array(2 ** 20).fill(1));
      await new Promise((resolve) => setTimeout(resolve)); // others have their turn, as in all that is long
    }
  });
  console.log(`${written} MiB, made`);
} catch (error) {
  console.log(`${written} MiB, ${(error as Error).message}`);
}
