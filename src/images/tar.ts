/** Archives of tar, which are no disks but often hold one. Source: POSIX.1-2017, pax, "ustar Interchange Format". */

import { printable } from "../host/printable.ts";
import { has } from "./magic.ts";

/** Where the fields of a header are. */
const FIELDS = { name: { at: 0, size: 100 }, type: 156, magic: 257 } as const;

/** The types of members that are files: plain ones, and GNU tar's with holes. */
const FILES = "0\0S";

/** What an archive of tar is called, with the file that it begins with; undefined when it is none. */
export function describeTar(head: Uint8Array): string | undefined {
  if (!has(head, FIELDS.magic, "ustar")) return undefined;
  const { at, size } = FIELDS.name;
  const name = new TextDecoder().decode(head.subarray(at, at + size)).replace(/\0.*/s, "");
  const isFile = FILES.includes(String.fromCharCode(head[FIELDS.type])) && !name.endsWith("/");
  return isFile ? `a tar archive that begins with '${printable(name)}'` : "a tar archive";
}
