/** Makes a file of 64 MiB, unless that fails; says how much of it was written. */

import { makeOnce } from "../../../src/host/make_once.ts";

const MIB = new Uint8Array(2 ** 20).fill(1);

let written = 0;
try {
  await makeOnce(Deno.args[0], async (file) => {
    for (; written < 64; written++) {
      file.writeSync(MIB);
      await new Promise((resolve) => setTimeout(resolve)); // others have their turn, as in all that is long
    }
  });
  console.log(`${written} MiB, made`);
} catch (error) {
  console.log(`${written} MiB, ${(error as Error).message}`);
}
