/** Makes a raw image of a qcow2 one, as a start does, and prints the peak memory in KiB. */

import { makeOnce } from "../../src/host/make_once.ts";
import { convert } from "../../src/images/convert.ts";
import { openQcow2 } from "../../src/images/open_qcow2.ts";

const [image, raw] = Deno.args;
{
  using layers = openQcow2(image);
  await makeOnce(raw, (file) => convert(layers, file));
}
console.log(/^VmHWM:\s*(\d+)/m.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
