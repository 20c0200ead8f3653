/** What cloud-init in a guest is told, as its source NoCloud reads it: a FAT volume `cidata` with a few files. */

import { readAt } from "../host/files.ts";
import type { FatFile } from "../images/fat_volume.ts";
import { LARGEST_SEED_FILE, mappingProblemOf, userDataProblem } from "../images/user_data.ts";
import { type Disk, DISK_DEFAULTS } from "./disk.ts";
import { MachineError, refusable, toMachineError } from "./error.ts";
import type { PrepareOptions } from "./prepare.ts";

/** What a file of the seed has: what is in a file of the host's, or a text. */
export type SeedFile = { file: string } | { text: string };

/** What cloud-init in the guest is told. There are user-data or keys; meta-data that is not there is made. */
export interface CloudInit {
  /** What to do: a `#cloud-config`, a script, or what else cloud-init reads. */
  userData?: SeedFile;
  /** Who the guest is; by default an `instance-id` that changes when what it is told does, and the machine's name. */
  metaData?: SeedFile;
  /** Its network, in netplan's form or cloud-init's own. */
  networkConfig?: SeedFile;
  /** As user-data, which goes before. */
  vendorData?: SeedFile;
  /** Public keys that let the image's own user in, instead of user-data. */
  sshKeys?: SeedFile[];
}

/** Names of the files on the volume. */
const NAMES = {
  userData: "user-data",
  metaData: "meta-data",
  networkConfig: "network-config",
  vendorData: "vendor-data",
} as const;

type Kind = keyof typeof NAMES;
const KINDS = Object.keys(NAMES) as Kind[];

const encoder = new TextEncoder();

/**
 * Checks what cloud-init is to be told.
 *
 * @throws {MachineError} When a file cannot be read, or cloud-init could not read what is in it.
 */
export async function checkCloudInit(told: CloudInit): Promise<void> {
  await read(told);
}

/**
 * The disk with what cloud-init is told. Its file goes with the run.
 *
 * @param name The machine's.
 * @throws {MachineError} When it cannot be made.
 */
export async function makeSeed(
  told: CloudInit,
  name: string | undefined,
  options: PrepareOptions,
): Promise<Disk> {
  const files = await read(told);
  files.metaData ??= await makeMetaData(files, name);
  try {
    const { planVolume } = await import("../images/fat_volume.ts");
    const { writeTransient } = await import("./folder_disk.ts");
    const modified = new Date();
    const entries = KINDS.flatMap((kind): FatFile[] => {
      const bytes = files[kind];
      return bytes ? [{ name: NAMES[kind], modified, size: bytes.length, read: () => [bytes] }] : [];
    });
    const file = await writeTransient(
      planVolume({ name: "", modified, entries }, "cidata"),
      "seed",
      options,
    );
    return { ...DISK_DEFAULTS, file, format: "raw", label: "cidata", readOnly: true };
  } catch (error) {
    throw toMachineError("cloudInit", "cannot make a disk for cloud-init", error);
  }
}

async function read(told: CloudInit): Promise<Partial<Record<Kind, Uint8Array>>> {
  const files: Partial<Record<Kind, Uint8Array>> = {};
  for (const kind of KINDS) {
    const given = told[kind];
    if (!given) continue;
    const bytes = files[kind] = bytesOf(given, kind);
    const isMapping = kind === "metaData" || kind === "networkConfig";
    const problem = await (isMapping ? mappingProblemOf : userDataProblem)(bytes);
    if (problem === undefined) continue;
    throw new MachineError(`cannot use ${wordsFor(given, kind)}: ${problem}`, { field: `cloudInit.${kind}` });
  }
  const { sshKeys } = told;
  if (sshKeys && told.userData) {
    const reason =
      "keys make user-data of their own: ssh_authorized_keys in that which is given says the same";
    throw new MachineError(reason, { field: "cloudInit.sshKeys" });
  }
  if (sshKeys) files.userData = await userDataOf(sshKeys);
  if (!files.userData) {
    throw new MachineError("there is neither user-data nor a key", { field: "cloudInit" });
  }
  return files;
}

function wordsFor(given: SeedFile, kind: Kind | "key"): string {
  const what = kind === "key" ? "key" : NAMES[kind];
  return "file" in given ? `${what} '${given.file}'` : `this ${what}`;
}

function bytesOf(given: SeedFile, kind: Kind | "key"): Uint8Array {
  const field = `cloudInit.${kind === "key" ? "sshKeys" : kind}`;
  return refusable(field, `cannot open ${wordsFor(given, kind)}`, () => {
    if ("text" in given) return encoder.encode(given.text);
    const what = kind === "key" ? kind : NAMES[kind];
    const bytes = readAt(what, given.file, 0, LARGEST_SEED_FILE + 1);
    if (bytes.length <= LARGEST_SEED_FILE) return bytes;
    throw new MachineError(`cannot use ${wordsFor(given, kind)}: it is larger than 16 MiB`, { field });
  });
}

/** The smallest user-data that lets someone in: what is not said of a user is about the image's own one. */
async function userDataOf(given: SeedFile[]): Promise<Uint8Array> {
  const { readKeys } = await import("../images/ssh_key.ts");
  const lines = given.flatMap((file) => {
    const found = readKeys(new TextDecoder().decode(bytesOf(file, "key")));
    if ("keys" in found) return found.keys;
    throw new MachineError(`cannot use ${wordsFor(file, "key")}: ${found.problem}`, {
      field: "cloudInit.sshKeys",
    });
  });
  const items = lines.map((line) => `  - ${JSON.stringify(line)}\n`); // which is YAML, too
  return encoder.encode(`#cloud-config\nssh_authorized_keys:\n${items.join("")}`);
}

/** What makes a guest do it all again when it is told something else. */
async function makeMetaData(
  files: Partial<Record<Kind, Uint8Array>>,
  name: string | undefined,
): Promise<Uint8Array> {
  const host = name === undefined ? undefined : hostName(name);
  const parts = [...KINDS.map((kind) => files[kind]), encoder.encode(host ?? "")];
  const told = parts.flatMap((part) => [`${part?.length ?? "none"}\n`, part ?? ""]) as BlobPart[];
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(told).arrayBuffer()));
  const lines = [`instance-id: vzrun-${digest.slice(0, 10).toHex()}\n`];
  if (host !== undefined) lines.push(`local-hostname: ${JSON.stringify(host)}\n`);
  return encoder.encode(lines.join(""));
}

/** A host name of a machine's name, with letters, digits and hyphens; nothing when there are none in it. */
function hostName(name: string): string | undefined {
  const host = name.replace(/[^A-Za-z0-9]+/g, "-").slice(0, 63).replace(/^-+|-+$/g, "");
  return host === "" ? undefined : host;
}
