/** Prints the signals that it was started to ignore, and finds that asking has not changed it. */

import { isSignalIgnored } from "../../../src/host/process.ts";

const signals = { HUP: 1, INT: 2, QUIT: 3, TERM: 15 };
const ignored = () =>
  Object.entries(signals).filter(([, n]) => isSignalIgnored(n)).map(([name]) => name).join(", ");
if (ignored() !== ignored()) throw new Error("asking has changed it");
console.log(ignored());
