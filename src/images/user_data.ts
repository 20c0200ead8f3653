/** What cloud-init reads, told by the bytes: what it cannot read it leaves alone, and a guest nobody can log in to is all one sees. */

import { gunzipSync } from "node:zlib";

/** More than this is not read: it is a mistake, like a disk's image. */
export const LARGEST_SEED_FILE = 16 * 1024 * 1024;

/** Where a MIME message says that it is one, cloud-init looks in so many bytes. */
const MIME_HEAD = 4096;

/** How user-data starts, behind white space and in any case. Source: cloud-init's handlers, of 22.4 and later. */
const STARTS = [
  "#cloud-config",
  "#!",
  "#include",
  "#part-handler",
  "#cloud-boothook",
  "## template: jinja",
];

/** What a file for cloud-init is. */
export type SeedKind = "userData" | "metaData" | "networkConfig" | "vendorData";

function isUserData(text: string): boolean {
  const start = text.trimStart().toLowerCase();
  return STARTS.some((known) => start.startsWith(known)) || isMIME(text);
}

function isMIME(text: string): boolean {
  return text.slice(0, MIME_HEAD).toLowerCase().includes("mime-version:");
}

/** What a file is by its first lines; undefined when they do not tell. */
export function kindByContent(bytes: Uint8Array): SeedKind | undefined {
  const text = textOf(bytes);
  if (typeof text !== "string") return undefined;
  if (isUserData(text)) return "userData";
  if (/^\s*\{?\s*"?(instance-id|local-hostname|public-keys|dsmode)"?:/m.test(text)) return "metaData";
  if (/^\s*\{?\s*"?(network|ethernets)"?:/m.test(text)) return "networkConfig";
}

/**
 * Why cloud-init cannot read user-data, or vendor-data, which is the same.
 *
 * @returns Undefined when it can.
 */
export async function userDataProblem(bytes: Uint8Array): Promise<string | undefined> {
  const text = textOf(bytes);
  if (typeof text !== "string") return text.problem;
  if (!isUserData(text)) return strangeStart(text);
  if (!isMIME(text) && /^\s*#cloud-config(\s|$)/i.test(text)) return await mappingProblem(text);
}

/** Why cloud-init cannot read meta-data or a network configuration: both are mappings of YAML. */
export async function mappingProblemOf(bytes: Uint8Array): Promise<string | undefined> {
  const text = textOf(bytes);
  return typeof text === "string" ? await mappingProblem(text) : text.problem;
}

/** The text of what may be packed with gzip. */
function textOf(bytes: Uint8Array): string | { problem: string } {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: LARGEST_SEED_FILE });
    } catch (error) {
      return { problem: `it is not sound gzip: ${(error as Error).message}` };
    }
  }
  if (bytes.length === 0) return { problem: "it is empty" };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return {
      problem: "it begins with a byte order mark, behind which cloud-init does not see the first line",
    };
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { problem: "it is not UTF-8" };
  }
}

function strangeStart(text: string): string {
  const [first] = text.trimStart().split(/\r?\n/, 1);
  if (first === "") return "there is nothing in it";
  if (/^#+\s*cloud[-_ ]?config/i.test(first)) {
    return `its first line is '${shorten(first)}', not '#cloud-config'`;
  }
  if (/^content-type:/i.test(first)) return "a MIME message needs a line 'MIME-Version: 1.0'";
  const known = "'#cloud-config', '#!' and the like";
  return `its first line is '${shorten(first)}', and cloud-init knows ${known}`;
}

function shorten(line: string): string {
  return line.length > 40 ? `${line.slice(0, 40)}…` : line;
}

/** Why a text is no mapping of YAML; one that has only comments is an empty mapping. */
async function mappingProblem(text: string): Promise<string | undefined> {
  const tab = tabbedLine(text);
  if (tab !== undefined) return `line ${tab} is indented with a tab, which YAML does not allow`;
  let value: unknown;
  try {
    const { parse } = await import("@std/yaml/parse");
    value = parse(text, { allowDuplicateKeys: true });
  } catch (error) {
    return `it is not YAML: ${(error as Error).message.replace(/\s*\n[^]*/, "").replace(/:$/, "")}`;
  }
  if (value === null || value === undefined) return undefined;
  if (typeof value === "object" && !Array.isArray(value)) return undefined;
  return "its YAML is no mapping, as in 'key: value'";
}

/** The number of the first line that a tab indents: cloud-init's parser refuses it where others do not. */
function tabbedLine(text: string): number | undefined {
  let block: number | undefined; // how far the line is indented that begins a text of several lines, where tabs may be
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    const [, spaces, rest] = /^( *)(.*)$/.exec(line)!;
    if (rest.trim() === "" || block !== undefined && spaces.length > block) continue;
    block = undefined;
    if (rest.startsWith("\t")) return i + 1;
    if (/(^|[\s:-])[|>][-+0-9]*\s*(#.*)?$/.test(rest)) block = spaces.length;
  }
}
