/** Writes a qcow2 image's disk into a raw file, as a start does, and prints the peak memory in KiB. */

import { convert } from "../../src/images/convert.ts";
import { openQcow2 } from "../../src/images/open_qcow2.ts";

const [image, raw] = Deno.args;
{
  using layers = openQcow2(image);
  using file = Deno.openSync(raw, { write: true, create: true, truncate: true });
  await convert(layers, file);
}
console.log(/^VmHWM:\s*(\d+)/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
