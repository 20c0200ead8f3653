/** Mach-O executables and their code signatures, as far as signing has to look into them. */

// Sources: Apple's <mach-o/loader.h>, <mach-o/fat.h> and <kern/cs_blobs.h>.
const FAT_MAGIC = 0xcafebabe;
const FAT_MAGIC_64 = 0xcafebabf;
const MH_MAGIC_64 = 0xfeedfacf;
const LC_CODE_SIGNATURE = 0x1d;
const CPU_TYPES: Record<number, string> = { 0x01000007: "x86_64", 0x0100000c: "arm64" };
const CSMAGIC_EMBEDDED_SIGNATURE = 0xfade0cc0;
const CSSLOT_CODEDIRECTORY = 0;
const CSSLOT_ENTITLEMENTS = 5;
const CSSLOT_SIGNATURESLOT = 0x10000;
const CS_SUPPORTSTEAMID = 0x20200;
const FLAGS: [number, string][] = [[0x2, "adhoc"], [0x10000, "runtime"], [0x20000, "linker-signed"]];

/** How one architecture of an executable is signed. */
export interface Signature {
  /** codesign's `--identifier`. */
  identifier: string;
  /** The developer's team; ad hoc signatures have none. */
  team?: string;
  /** codesign's words: `adhoc`, `runtime` for the hardened runtime, `linker-signed`. */
  flags: string[];
  /** Whether somebody's certificate is in it. */
  certified: boolean;
  /** Names of the entitlements that are true. */
  entitlements: string[];
}

/** One architecture of an executable. */
export interface Slice {
  /** `arm64` or `x86_64`. */
  architecture: string;
  signature?: Signature;
}

/** A file that is no Mach-O executable, or a damaged one. */
export class MachOError extends Error {
  override name = "MachOError";
}

function cString(data: DataView, at: number): string {
  let end = at;
  while (data.getUint8(end) !== 0) end++;
  return text(data, at, end);
}

function text(data: DataView, from: number, to: number): string {
  return new TextDecoder().decode(new Uint8Array(data.buffer, data.byteOffset + from, to - from));
}

function part(data: DataView, offset: number, length: number): DataView {
  if (offset + length > data.byteLength) throw new RangeError("it is beyond the end");
  return new DataView(data.buffer, data.byteOffset + offset, length);
}

/** Names in a property list whose values are true. Entitlements with other values are not for a program like this. */
export function trueKeys(plist: string): string[] {
  const bare = plist.replace(/<!--[^]*?-->/g, "");
  return [...bare.matchAll(/<key>([^<]*)<\/key>\s*<true\s*\/>/g)].map(([, key]) => key);
}

/** A code signature is a list of blobs, big-endian all of it. */
function readSignature(data: DataView): Signature {
  if (data.getUint32(0) !== CSMAGIC_EMBEDDED_SIGNATURE) throw new MachOError("its signature is damaged");
  const blobs = new Map<number, DataView>();
  for (let i = 0; i < data.getUint32(8); i++) {
    const offset = data.getUint32(16 + 8 * i);
    blobs.set(data.getUint32(12 + 8 * i), part(data, offset, data.getUint32(offset + 4)));
  }
  const directory = blobs.get(CSSLOT_CODEDIRECTORY);
  if (!directory) throw new MachOError("its signature has no code directory");
  const flags = directory.getUint32(12);
  const teamOffset = directory.getUint32(8) >= CS_SUPPORTSTEAMID ? directory.getUint32(48) : 0;
  const entitlements = blobs.get(CSSLOT_ENTITLEMENTS);
  return {
    identifier: cString(directory, directory.getUint32(20)),
    ...teamOffset ? { team: cString(directory, teamOffset) } : {},
    flags: FLAGS.filter(([bit]) => flags & bit).map(([, name]) => name),
    certified: (blobs.get(CSSLOT_SIGNATURESLOT)?.byteLength ?? 0) > 8,
    entitlements: entitlements ? trueKeys(text(entitlements, 8, entitlements.byteLength)) : [],
  };
}

function readSlice(data: DataView): Slice {
  if (data.getUint32(0, true) !== MH_MAGIC_64) throw new MachOError("it is no Mach-O executable");
  const type = data.getUint32(4, true);
  const slice: Slice = { architecture: CPU_TYPES[type] ?? `0x${type.toString(16)}` };
  let at = 32;
  for (let commands = data.getUint32(16, true); commands > 0; commands--) {
    if (data.getUint32(at, true) === LC_CODE_SIGNATURE) {
      slice.signature = readSignature(
        part(data, data.getUint32(at + 8, true), data.getUint32(at + 12, true)),
      );
    }
    at += data.getUint32(at + 4, true);
  }
  return slice;
}

/** The architectures of an executable: several in a universal one. */
function slicesOf(data: DataView): DataView[] {
  const magic = data.getUint32(0);
  if (magic !== FAT_MAGIC && magic !== FAT_MAGIC_64) return [data];
  const count = data.getUint32(4);
  // Java's classes begin in the same way, and go on with a version, which is 45 or more.
  if (count >= 45) throw new MachOError("it is no Mach-O executable");
  return Array.from({ length: count }, (_, i) => {
    if (magic === FAT_MAGIC) return part(data, data.getUint32(16 + 20 * i), data.getUint32(20 + 20 * i));
    return part(data, Number(data.getBigUint64(16 + 32 * i)), Number(data.getBigUint64(24 + 32 * i)));
  });
}

/**
 * Reads what an executable is made for, and how it is signed.
 *
 * @throws {MachOError} When it is no Mach-O executable, or a damaged one.
 */
export function readMachO(file: Uint8Array): Slice[] {
  try {
    return slicesOf(new DataView(file.buffer, file.byteOffset, file.byteLength)).map(readSlice);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new MachOError(file.length < 32 ? "it is no Mach-O executable" : "it is cut off");
    }
    throw error;
  }
}
