import { has } from "./magic.ts";

/** Where an ISO 9660 volume says what it is: the first volume descriptor, in sector 16. */
const MARK = { offset: 16 * 2048 + 1, text: "CD001" } as const;

/** Bytes of a file that {@linkcode isISO} looks at: from which offset, and how many. */
export const ISO_HEAD = { offset: MARK.offset, length: MARK.text.length } as const;

/** Whether these are {@linkcode ISO_HEAD}'s bytes of an ISO 9660 image. */
export function isISO(bytes: Uint8Array): boolean {
  return has(bytes, 0, MARK.text);
}
