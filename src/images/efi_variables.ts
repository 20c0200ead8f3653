/** The boot entries in a file of EFI's variables. */

import { has } from "./magic.ts";

/** A variable is in use. Source: EDK2's VariableFormat.h, as are the headers' fields. */
const IN_USE = 0x3f;

/** The headers of variables, with authentication and without: where the length of the name is, and their own. */
const HEADERS = [{ nameSize: 36, length: 60 }, { nameSize: 8, length: 32 }] as const;

/** In a device path: the path of a file, and the end. */
const MEDIA = 4;
const FILE_PATH = 4;
const END = 0x7f;

/** Where the volume that holds a store says what it is. */
const VOLUME = { offset: 0x28, mark: "_FVH" } as const;

/**
 * Whether one of the boot entries is of a file on a disk, as an operating system makes them when it is installed. Those
 * that the firmware makes for itself name a device, or a part of the firmware. A store of a form that is not known here
 * may have them.
 *
 * @param store The file's first bytes.
 */
export function hasBootEntries(store: Uint8Array<ArrayBuffer>): boolean {
  if (!has(store, VOLUME.offset, VOLUME.mark)) return store.length > 0;
  const view = new DataView(store.buffer, store.byteOffset, store.length);
  const name = /B\0o\0o\0t\0(?:[0-9A-F]\0){4}\0\0/g; // Boot0001, in UTF-16
  for (const { index, 0: { length } } of new TextDecoder("latin1").decode(store).matchAll(name)) {
    const isUsed = HEADERS.some((header) => {
      const at = index - header.length;
      return at >= 0 && view.getUint16(at, true) === 0x55aa && store[at + 2] === IN_USE &&
        view.getUint32(at + header.nameSize, true) === length;
    });
    if (isUsed && namesFile(view, index + length)) return true;
  }
  return false;
}

/** Whether a load option, from its start on, names a file. Source: the UEFI specification 2.10, 3.1.3 and 10.3. */
function namesFile(view: DataView, start: number): boolean {
  let at = start + 6; // its attributes, and the length of the path
  while (at + 2 <= view.byteLength && view.getUint16(at, true) !== 0) at += 2; // its description
  at += 2;
  while (at + 4 <= view.byteLength) {
    const [type, subtype, length] = [view.getUint8(at), view.getUint8(at + 1), view.getUint16(at + 2, true)];
    if (type === MEDIA && subtype === FILE_PATH) return true;
    if (type === END || length < 4) return false;
    at += length;
  }
  return false;
}
