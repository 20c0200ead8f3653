/**
 * Names on FAT volumes: the short ones that each entry has, and the long ones in entries of their own before it.
 *
 * Source: Microsoft's FAT specification of 2000 (fatgen103), "FAT Long Directory Entries".
 */

/** Bytes of a directory's entry. */
export const ENTRY = 32;

/** UTF-16 units of a long name in one entry, and at most. */
const UNITS = 13;
const LONGEST = 255;

/** What a short name may be made of. */
const SHORT = "[A-Z0-9$%'\\-_@~`!(){}^#&]";
const SHORT_NAME = new RegExp(`^${SHORT}{1,8}(\\.${SHORT}{1,3})?$`);
const NOT_SHORT = new RegExp(`(?!${SHORT}).`, "gsu");

/** Why a file on FAT cannot have a name. */
export function nameProblem(name: string): string | undefined {
  const wrong = Array.from(name).find((letter) => letter < " " || '"*/:<>?\\|'.includes(letter));
  if (wrong !== undefined) {
    return `no name on FAT has ${wrong < " " ? "a control character" : `a '${wrong}'`}`;
  }
  if (/[. ]$/.test(name)) return `no name on FAT ends with a ${name.endsWith(".") ? "dot" : "space"}`;
  if (name.length > LONGEST) return `a name on FAT has at most ${LONGEST} letters`;
}

/** Why a volume cannot have a label. */
export function labelProblem(label: string): string | undefined {
  if (label === "") return "it is empty";
  if (!/^[\x20-\x7e]*$/.test(label)) return "a label has plain letters of ASCII";
  const wrong = /["*+,./:;<=>?[\\\]|]/.exec(label)?.[0];
  if (wrong !== undefined) return `no label has a '${wrong}'`;
  if (/^ | $/.test(label)) return "no label begins or ends with a space";
  if (label.length > 11) return "a label has at most 11 letters";
}

/** The same for names that FAT holds for one: it keeps large and small letters, and does not tell them apart. */
export function foldCase(name: string): string {
  return Array.from(name, (letter) => {
    const large = letter.toUpperCase();
    return large.length === letter.length ? large : letter; // ß is not SS
  }).join("");
}

/** A short name as an entry has it: 8 letters and 3, filled up with spaces. */
function padded(base: string, extension = ""): string {
  return base.padEnd(8) + extension.padEnd(3);
}

/**
 * The short names of all that is in a folder, each once: of a name that is one, but for small letters, it itself; of
 * others what can be used of it, with a number.
 */
export function shortNames(names: readonly string[]): string[] {
  const short = names.map((name) => {
    const large = name.toUpperCase();
    const [base, extension] = large.split(".");
    return SHORT_NAME.test(large) ? padded(base, extension) : "";
  });
  const taken = new Set(short);
  const numbers = new Map<string, number>();
  return short.map((found, i) => found || numbered(names[i], taken, numbers));
}

function numbered(name: string, taken: Set<string>, numbers: Map<string, number>): string {
  const plain = name.toUpperCase().replace(/^\.+| /g, "");
  const dot = plain.lastIndexOf(".");
  const clean = (text: string) => text.replaceAll(".", "").replace(NOT_SHORT, "_");
  const base = clean(dot > 0 ? plain.slice(0, dot) : plain) || "_";
  const extension = dot > 0 ? clean(plain.slice(dot + 1)).slice(0, 3) : "";
  const key = padded(base.slice(0, 6), extension); // a folder may have a hundred thousand that begin alike
  for (let number = (numbers.get(key) ?? 0) + 1;; number++) {
    const tail = `~${number}`;
    const candidate = padded(base.slice(0, 8 - tail.length) + tail, extension);
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    numbers.set(key, number);
    return candidate;
  }
}

/** Whether a short name says all of a name. */
function isWhole(name: string, short: string): boolean {
  const [base, extension] = [short.slice(0, 8).trimEnd(), short.slice(8).trimEnd()];
  return name === (extension === "" ? base : `${base}.${extension}`);
}

/** How many entries of a directory a file or a folder takes. */
export function entriesOf(name: string, short: string): number {
  return 1 + (isWhole(name, short) ? 0 : Math.ceil(name.length / UNITS));
}

/** Where the units of a long name are in an entry. */
const PLACES = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

/**
 * The entries that hold a long name, the last part of it first; none when the short name says all.
 *
 * | offset | bytes | what                                            |
 * | ------ | ----- | ----------------------------------------------- |
 * | 0      | 1     | number of the part, from 1; the last one + 0x40 |
 * | 1      | 10    | 5 units of the name                             |
 * | 11     | 1     | attributes: 0x0f                                |
 * | 12     | 1     | 0                                               |
 * | 13     | 1     | checksum of the short name                      |
 * | 14     | 12    | 6 units                                         |
 * | 26     | 2     | 0                                               |
 * | 28     | 4     | 2 units                                         |
 *
 * A name that does not fill its last entry ends with a zero, and what is behind that is filled with 0xffff.
 */
export function longEntries(name: string, short: string): Uint8Array {
  const parts = entriesOf(name, short) - 1;
  const bytes = new Uint8Array(parts * ENTRY);
  const view = new DataView(bytes.buffer);
  const sum = checksum(short);
  for (let part = 1; part <= parts; part++) {
    const at = (parts - part) * ENTRY;
    bytes[at] = part === parts ? part | 0x40 : part;
    bytes[at + 11] = 0x0f;
    bytes[at + 13] = sum;
    for (const [i, place] of PLACES.entries()) {
      const unit = (part - 1) * UNITS + i;
      const code = unit < name.length ? name.charCodeAt(unit) : unit === name.length ? 0 : 0xffff;
      view.setUint16(at + place, code, true);
    }
  }
  return bytes;
}

/** By which a long name is known to belong to a short one. */
function checksum(short: string): number {
  let sum = 0;
  for (let i = 0; i < short.length; i++) sum = ((sum & 1) << 7) + (sum >> 1) + short.charCodeAt(i) & 0xff;
  return sum;
}
