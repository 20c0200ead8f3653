/** Measures what a message costs. */

import { type Bench, native, output, program } from "./bench.ts";
import { inTurn, type Row } from "./figures.ts";

const COUNT = "2000000";

export async function* measureMessage({ rounds, kept }: Bench): AsyncGenerator<Row> {
  const times = await inTurn(Math.min(rounds, 5), {
    vzrun: async () => Number(await output(program("messages", COUNT))),
    native: async () => Number(await output(native(kept, "messages", COUNT))),
  });
  yield { what: "a message to a getter", unit: "ns", ...times };
}
