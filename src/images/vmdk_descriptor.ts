/** The text in a VMDK image that says what it consists of. Source: VMware's "Virtual Disk Format 5.0". */

import { printable } from "../host/printable.ts";
import { damaged, ImageError } from "./error.ts";

/** More of it is not read. */
export const LONGEST_DESCRIPTOR = 1 << 16;

/** The types of images that are one file with tables. */
const ONE_FILE = ["monolithicSparse", "streamOptimized"];

/** What a parent is when there is none. */
const NO_PARENT = /^ffffffff$/i;

const CONVERT = "qemu-img convert -O qcow2";

/** The value of a line such as `createType="monolithicSparse"`. */
function valueOf(text: string, name: string): string | undefined {
  const [, value] = new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*"?([^"\\r\\n]*)`, "im").exec(text) ?? [];
  return value?.trim();
}

/** The lines such as `RW 20480 FLAT "disk-flat.vmdk" 0`. */
function extentsOf(text: string): { type: string; name?: string; offset: number }[] {
  const lines = text.matchAll(
    /^[ \t]*(?:RW|RDONLY|NOACCESS)[ \t]+\d+[ \t]+(\w+)(?:[ \t]+"([^"\r\n]*)"(?:[ \t]+(\d+))?)?/gim,
  );
  return Array.from(lines, ([, type, name, offset]) => ({ type, name, offset: Number(offset ?? 0) }));
}

/**
 * Checks that an image is one file which is based on no other.
 *
 * @throws {ImageError} When it is not.
 */
export function checkDescriptor(text: string): void {
  if (text === "") throw partOf();
  const type = valueOf(text, "createType");
  if (type === undefined) throw damaged("its descriptor does not say of which type it is");
  const parent = valueOf(text, "parentCID");
  if (parent !== undefined && !NO_PARENT.test(parent)) {
    const name = printable(valueOf(text, "parentFileNameHint") ?? "another");
    throw new ImageError(
      `it is a VMDK image that is based on '${name}': make one of both first (${CONVERT})`,
    );
  }
  if (!ONE_FILE.includes(type)) {
    throw new ImageError(`it is a VMDK image of the type ${printable(type)}: convert it first (${CONVERT})`);
  }
  if (extentsOf(text).length > 1) throw partOf();
}

/** Why an image cannot be used that is one of several files, and has no descriptor. */
export function partOf(): ImageError {
  return new ImageError(`it is a part of a VMDK image of several files: make one of them first (${CONVERT})`);
}

/** Why an image cannot be used that is a descriptor only, its data being in other files. */
export function refuseDescriptor(text: string): ImageError {
  const type = printable(valueOf(text, "createType") ?? "unknown");
  const extents = extentsOf(text);
  const [first] = extents;
  const isRaw = extents.length === 1 && ["FLAT", "VMFS"].includes(first.type.toUpperCase()) &&
    first.offset === 0;
  const remedy = isRaw && first.name
    ? `its data is in '${printable(first.name)}', a raw image: use that`
    : `convert it first (${CONVERT})`;
  return new ImageError(`it is a VMDK image of the type ${type}: ${remedy}`);
}
