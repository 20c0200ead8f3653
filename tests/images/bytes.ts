/** Bytes that are compared by the million. */

import { Buffer } from "node:buffer";

/** Whether two have the same bytes; without a call for each of them. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
