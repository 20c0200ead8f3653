/** Mach-O executables made by hand: nothing but headers and a signature. */

/** How one is made. */
export interface Made {
  architecture: "arm64" | "x86_64";
  /** Without it there is no signature. */
  identifier?: string;
  flags?: number;
  team?: string;
  /** XML. */
  entitlements?: string;
  /** Length of what stands for a certificate. */
  certificate?: number;
}

const encode = (text: string) => new TextEncoder().encode(text);

function join(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** Numbers of 32 bits. */
function words(littleEndian: boolean, ...values: number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => view.setUint32(4 * i, value, littleEndian));
  return new Uint8Array(view.buffer);
}

function blob(magic: number, ...content: Uint8Array[]): Uint8Array {
  const bytes = join(...content);
  return join(words(false, magic, 8 + bytes.length), bytes);
}

function codeDirectory({ identifier = "", team, flags = 2 }: Made): Uint8Array {
  const names = encode(`${identifier}\0${team ?? ""}\0`);
  const teamOffset = team ? 52 + encode(identifier).length + 1 : 0;
  // version, flags, hashes, identifier, special slots, slots, limit, sizes and kinds, spare, scatter, team
  return blob(0xfade0c02, words(false, 0x20400, flags, 0, 52, 0, 0, 0, 0, 0, 0, teamOffset), names);
}

function signature(made: Made): Uint8Array {
  const blobs: [number, Uint8Array][] = [[0, codeDirectory(made)]];
  if (made.entitlements !== undefined) blobs.push([5, blob(0xfade7171, encode(made.entitlements))]);
  if (made.certificate !== undefined) {
    blobs.push([0x10000, blob(0xfade0b01, new Uint8Array(made.certificate))]);
  }
  let offset = 12 + 8 * blobs.length;
  const index = blobs.flatMap(([slot, { length }]) => [slot, (offset += length) - length]);
  return blob(0xfade0cc0, words(false, blobs.length, ...index), ...blobs.map(([, bytes]) => bytes));
}

/** An executable for one architecture. */
export function machO(made: Made): Uint8Array<ArrayBuffer> {
  const type = made.architecture === "arm64" ? 0x0100000c : 0x01000007;
  const commands = [words(true, 0x1b, 24, 1, 2, 3, 4)]; // LC_UUID
  const bytes = made.identifier === undefined ? new Uint8Array() : signature(made);
  if (bytes.length > 0) commands.push(words(true, 0x1d, 16, 32 + 24 + 16, bytes.length));
  const size = commands.reduce((sum, { length }) => sum + length, 0);
  return join(words(true, 0xfeedfacf, type, 0, 2, commands.length, size, 0, 0), ...commands, bytes);
}

/** A universal one. */
export function universal(...slices: Uint8Array[]): Uint8Array<ArrayBuffer> {
  let offset = 8 + 20 * slices.length;
  const index = slices.flatMap(({ length }) => [0, 0, (offset += length) - length, length, 0]);
  return join(words(false, 0xcafebabe, slices.length, ...index), ...slices);
}
