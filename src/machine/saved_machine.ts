/** A machine that was saved, as it is kept: a folder with what it is, in JSON, and its state beside that. */

import { ignoreNotFound, reasonOf } from "../host/error.ts";
import { tryLock } from "../host/lock.ts";
import { MachineError } from "./error.ts";
import type { Machine } from "./machine.ts";
import { checkShape } from "./shape.ts";

/** What is in the folder under a name that never changes. It is written last: with it, the machine is saved. */
export const DESCRIPTION = "machine.json";

/** Names of all that is ever in the folder. A state has a name of its own each time. */
const OURS = /^(machine\.json|(state|variables)-[0-9a-f]{12})(\.partial)?$/;

/** A format that an older vzrun cannot read has the next number. */
export const FORMAT = 1;

/** A file that must be the same when the machine goes on. */
export interface SavedFile {
  /** `disks[0].file` */
  field: string;
  file: string;
  /** In bytes. */
  size: number;
  /** When it was written last, in milliseconds since 1970. */
  modified: number;
}

/** What `machine.json` has. */
export interface SavedDescription {
  format: typeof FORMAT;
  /** As it was described, with absolute paths; what only the program has that ran it is left out. */
  machine: Machine;
  /** The platform's identity, in hexadecimal. */
  identity: string;
  state: { file: string; size: number };
  /** EFI's variables, where the machine had no file for them. */
  variables?: string;
  files: SavedFile[];
}

/** A saved machine that is there, whole, and stays so until it is disposed of: nobody saves into its folder. */
export interface SavedMachine extends Omit<SavedDescription, "format">, Disposable {
  /** The folder. */
  path: string;
}

/** Whether all that a folder has is a saved machine's. */
export function isForSaving(path: string): boolean {
  return [...Deno.readDirSync(path)].every(({ name }) => OURS.test(name));
}

/** Takes away of a folder what its description does not name: what was saved before, or only in part. */
export function removeLeftovers(path: string, { state, variables }: SavedDescription): void {
  for (const { name } of [...Deno.readDirSync(path)]) {
    if (!OURS.test(name) || [DESCRIPTION, state.file, variables].includes(name)) continue;
    ignoreNotFound(() => Deno.removeSync(`${path}/${name}`));
  }
}

/** How a size and a time of a file are looked at. */
export function versionOfSaved(field: string, file: string): SavedFile {
  const { size, mtime } = Deno.statSync(file);
  return { field, file, size, modified: mtime!.getTime() };
}

/**
 * Opens a saved machine.
 *
 * @param path Its folder.
 * @throws {MachineError} When there is none, or not all of it.
 */
export function openSaved(path: string): SavedMachine {
  const fail = (problem: string, cause?: unknown): never => {
    throw new MachineError(`cannot restore '${path}': ${problem}`, { cause });
  };
  const lock = lockFolder(path, fail);
  try {
    const { format: _, ...saved } = read(path, fail);
    checkSize(`${path}/${saved.state.file}`, saved.state.size, fail);
    if (saved.variables !== undefined) checkSize(`${path}/${saved.variables}`, undefined, fail);
    let isOpen = true;
    const close = () => {
      if (isOpen) lock.close();
      isOpen = false;
    };
    return { ...saved, path, [Symbol.dispose]: close };
  } catch (error) {
    lock.close();
    throw error;
  }
}

type Fail = (problem: string, cause?: unknown) => never;

function lockFolder(path: string, fail: Fail): Deno.FsFile {
  try {
    if (path === "") fail("the path is empty");
    if (!Deno.statSync(path).isDirectory) fail("it is a file, and a saved machine is a folder");
    return tryLock(path, true) ?? fail("it is being written");
  } catch (error) {
    if (error instanceof MachineError) throw error;
    return fail(error instanceof Deno.errors.NotFound ? "no such folder" : reasonOf(error), error);
  }
}

function read(path: string, fail: Fail): SavedDescription {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${path}/${DESCRIPTION}`);
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    return fail(isMissing ? `no machine was saved there: it has no ${DESCRIPTION}` : reasonOf(error), error);
  }
  const damaged = (cause?: unknown) => fail(`its ${DESCRIPTION} is damaged`, cause);
  let saved: Partial<SavedDescription> | null;
  try {
    saved = JSON.parse(text);
  } catch (error) {
    return damaged(error);
  }
  if (typeof saved !== "object" || saved === null) return damaged();
  const { format, machine, identity, state, variables, files } = saved;
  if (typeof format === "number" && format > FORMAT) fail("a newer vzrun has saved it");
  const isName = (name: unknown, kind: string) => OURS.test(String(name)) && String(name).startsWith(kind);
  const isWhole = format === FORMAT && typeof machine === "object" && machine !== null &&
    /^([0-9a-f]{2})*$/.test(String(identity)) && isName(state?.file, "state-") &&
    typeof state?.size === "number" && (variables === undefined || isName(variables, "variables-")) &&
    Array.isArray(files) && files.every((file) => typeof file?.field === "string");
  if (!isWhole) return damaged();
  try {
    const { disks = [], network = [] } = checkShape(machine);
    const isComplete = network.every(({ mac }) => mac !== undefined) &&
      disks.every((_, i) => files.some(({ field }) => field === `disks[${i}].file`));
    return isComplete ? saved as SavedDescription : damaged();
  } catch (error) {
    if (!(error instanceof MachineError)) throw error;
    return fail(`its ${DESCRIPTION} is damaged: ${error.message}`, error);
  }
}

function checkSize(file: string, size: number | undefined, fail: Fail): void {
  const found = ignoreNotFound(() => Deno.statSync(file));
  if (!found) fail(`'${file}', which it needs, is gone`);
  else if (size !== undefined && found.size !== size) {
    fail(`'${file}' has ${found.size} bytes, and had ${size} when it was saved`);
  }
}

/**
 * What a saved machine is, as a description for another like it.
 *
 * @param path The folder into which it was saved.
 * @throws {MachineError} When there is none, or not all of it.
 */
export function savedMachine(path: string): Machine {
  using saved = openSaved(path);
  return saved.machine;
}
