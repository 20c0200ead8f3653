/** What a run uses each of its files for: one that is written has no second use. */

import { ignoreNotFound } from "../host/error.ts";
import { exists, inodeOf, partialOf } from "../host/files.ts";
import { isImage } from "./disk_place.ts";
import { MachineError, refusableLater } from "./error.ts";
import type { Machine } from "./machine.ts";
import type { ProgramFile } from "./run_context.ts";

/** One use of a file. */
interface Use {
  path: string;
  /** Undefined for what is the program's and not the machine's. */
  field?: string;
  /** For people. */
  what: string;
  written: boolean;
  /** It is being made, by one of those that have it, or was half-made by a run that was killed. */
  partial?: boolean;
}

function usesOf(
  { boot, disks, serial, network, vsock, machineId, cloudInit = {} }: Machine,
  files: readonly ProgramFile[],
  sources: readonly string[][],
): Use[] {
  const uses: Use[] = [];
  const addPartial = (field: string, what: string, path: string) => {
    if (!exists(path)) uses.push({ field, what, path: partialOf(path), written: true, partial: true });
  };
  const add = (field: string, what: string, path: string | undefined, written: boolean) => {
    if (path !== undefined) uses.push({ field, what, path, written });
  };
  if (boot.kind === "linux") {
    add("boot.kernel", "the kernel", boot.kernel, false);
    add("boot.initrd", "the initial RAM disk", boot.initrd, false);
  } else {
    add("boot.variables", "EFI's variables", boot.variables, true);
  }
  for (const [i, { file, readOnly, snapshot, source }] of disks.entries()) {
    const field = `disks[${i}].file`;
    add(field, "a disk", file, !readOnly && !snapshot);
    for (const image of sources[i] ?? []) add(field, "the image of a disk", image, false);
    if (source) addPartial(field, "a disk that is being made", file);
  }
  for (const [i, port] of serial.entries()) {
    if ("path" in port) add(`serial[${i}].path`, "a console", port.path, true);
  }
  for (const [i, card] of network.entries()) {
    if (card.kind === "dgram") add(`network[${i}].local`, "a card's socket", card.local, true);
    if (card.kind !== "stream" || !card.server || card.address.kind !== "unix") continue;
    add(`network[${i}].address`, "the socket of a card", card.address.path, true);
  }
  for (const [i, { kind, path }] of vsock?.join?.entries() ?? []) {
    const what = `a socket that ${kind === "listen" ? "the guest leads to" : "leads to the guest"}`;
    add(`vsock.join[${i}].path`, what, path, kind !== "listen");
  }
  const { sshKeys = [], ...seed } = cloudInit;
  for (const [name, file] of [...Object.entries(seed), ...sshKeys.map((key) => ["sshKeys", key] as const)]) {
    if ("file" in file) add(`cloudInit.${name}`, "a file for cloud-init", file.file, false);
  }
  add("machineId", "the machine's identity", machineId, true);
  if (machineId !== undefined) addPartial("machineId", "an identity that is being made", machineId);
  for (const { what, path } of files) uses.push({ what, path, written: true });
  return uses;
}

/** The same for each name of one file, whether it is there or is still to be made; nothing for what is no file. */
async function identityOf(path: string): Promise<string | undefined> {
  if (!isImage(path)) return path;
  if (exists(path)) {
    const info = Deno.statSync(path);
    return info.isFile || info.isSocket ? inodeOf(info) : undefined; // /dev/null can be as many consoles as one likes
  }
  const { dirname } = await import("@std/path/posix/dirname"); // few starts have a file that is not there
  const folder = dirname(path);
  if (ignoreNotFound(() => Deno.lstatSync(path))?.isSymlink) { // to a file that is still to be made
    const { isAbsolute } = await import("@std/path/posix/is-absolute");
    const target = Deno.readLinkSync(path);
    return await identityOf(isAbsolute(target) ? target : `${folder}/${target}`);
  }
  const real = ignoreNotFound(() => Deno.realPathSync(folder));
  const { basename } = await import("@std/path/posix/basename");
  return real && `${real}/${basename(path)}`; // in no folder nothing can be made, which its own check says
}

/**
 * Checks that no file has two uses one of which writes it.
 *
 * @param files What the program writes beside the machine.
 * @param sources What each of the disks is made of.
 * @throws {MachineError} For the first that has.
 */
export async function checkConflicts(
  machine: Machine,
  files: readonly ProgramFile[] = [],
  sources: readonly string[][] = [],
): Promise<void> {
  const uses = usesOf(machine, files, sources);
  if (!uses.some(({ written }) => written)) return;
  const seen = new Map<string, Use>();
  for (const use of uses) {
    const { field, path, what, written, partial } = use;
    const identity = await refusableLater(field, `cannot use '${path}'`, () => identityOf(path));
    if (identity === undefined) continue;
    const other = seen.get(identity);
    if (other && (other.written || written) && !(other.partial && partial)) {
      throw new MachineError(
        `'${path}' is given twice, as ${other.what} and as ${what}: only what is not written can be`,
        { field },
      );
    }
    if (!other) seen.set(identity, use);
  }
}
