/** Folders of the host's in the guest. */

import { reasonOf } from "../host/error.ts";
import {
  VZLinuxRosettaDirectoryShare,
  VZMultipleDirectoryShare,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZVirtioFileSystemDeviceConfiguration,
} from "../vz/mod.ts";
import { MachineError, refusable, Setting } from "./error.ts";

/** A folder of the host's: `mount -t virtiofs TAG /mnt`. */
export interface Share {
  /** What the guest mounts it by. */
  tag: string;
  /** What it is called there: several folders may have one tag, when each has a name of its own. */
  name?: string;
  /** Path of the folder. */
  folder: string;
  /** The guest cannot write to it. */
  readOnly: boolean;
}

const ONE_TAG = ["they can be folders of one share, each with its ", new Setting("name")];

/**
 * Checks shares, and their tags with that of Rosetta's.
 *
 * @throws {MachineError} For the first that is not fit.
 */
export function checkShares(shares: Share[], rosetta?: string): void {
  const seen = new Map<string, Set<string | undefined>>();
  if (rosetta !== undefined) seen.set(rosetta, new Set([undefined]));
  for (const [i, { tag, name, folder }] of shares.entries()) {
    const field = `shares[${i}]`;
    const names = seen.get(tag) ?? new Set();
    if (names.has(name) && name !== undefined) {
      throw new MachineError(`the tag '${tag}' has two folders '${name}'`, { field: `${field}.name` });
    }
    if (names.size > 0 && (name === undefined || names.has(undefined))) {
      const remedy = tag === rosetta ? undefined : ONE_TAG;
      throw new MachineError(`the tag '${tag}' is given to two shares`, { field: `${field}.tag`, remedy });
    }
    seen.set(tag, names.add(name));
    const problem = problemWith(folder);
    if (problem) throw new MachineError(`cannot share '${folder}': ${problem}`, { field: `${field}.folder` });
  }
}

function problemWith(folder: string): string | undefined {
  if (folder === "") return "the path is empty";
  try {
    if (!Deno.statSync(folder).isDirectory) return "it is not a folder";
    Deno.readDirSync(folder)[Symbol.iterator]().next();
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "no such folder" : reasonOf(error);
  }
}

/**
 * The devices of shares: one for each tag.
 *
 * @throws {MachineError} When the framework refuses a folder, its name or a tag.
 */
export function configureShares(shares: Share[]): VZVirtioFileSystemDeviceConfiguration[] {
  const all = shares.map((share, i) => ({ ...share, i }));
  const tags = Map.groupBy(all, ({ tag }) => tag);
  return Array.from(tags, ([tag, [first, ...others]]) => {
    const { i, folder, name } = first;
    const folders = [folder, ...others.map(({ folder }) => folder)].join("', '");
    return refusable(`shares[${i}]`, `cannot share '${folders}' as '${tag}'`, () => {
      const share = name === undefined
        ? VZSingleDirectoryShare.create(directory(first))
        : VZMultipleDirectoryShare.create(
          new Map([first, ...others].map((one) => [one.name!, directory(one)])),
        );
      return VZVirtioFileSystemDeviceConfiguration.create(tag, share);
    });
  });
}

function directory({ folder, readOnly }: Share): VZSharedDirectory {
  return VZSharedDirectory.create(folder, readOnly);
}

/**
 * The share with Rosetta, which runs x86_64 programs on Apple silicon.
 *
 * @throws {MachineError} When it is not installed.
 */
export function configureRosetta(tag: string): VZVirtioFileSystemDeviceConfiguration {
  return refusable(
    "rosetta",
    tag,
    () => VZVirtioFileSystemDeviceConfiguration.create(tag, VZLinuxRosettaDirectoryShare.create()),
  );
}
