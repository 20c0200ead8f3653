/** Folders of the host's in the guest. */

import { reasonOf } from "../host/error.ts";
import {
  VZLinuxRosettaDirectoryShare,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZVirtioFileSystemDeviceConfiguration,
} from "../vz/mod.ts";
import { MachineError, refusable } from "./error.ts";

/** A folder of the host's: `mount -t virtiofs TAG /mnt`. */
export interface Share {
  /** What the guest mounts it by. */
  tag: string;
  /** Path of the folder. */
  folder: string;
  /** The guest cannot write to it. */
  readOnly: boolean;
}

/**
 * Checks shares, and their tags with that of Rosetta's.
 *
 * @throws {MachineError} For the first that is not fit.
 */
export function checkShares(shares: Share[], rosetta?: string): void {
  const tags = new Set(rosetta === undefined ? [] : [rosetta]);
  for (const [i, { tag, folder }] of shares.entries()) {
    const field = `shares[${i}]`;
    if (tags.has(tag)) {
      throw new MachineError(`the tag '${tag}' is given to two shares`, { field: `${field}.tag` });
    }
    tags.add(tag);
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

/** @throws {MachineError} When the framework refuses the folder or the tag. */
export function configureShare(
  { tag, folder, readOnly }: Share,
  field: string,
): VZVirtioFileSystemDeviceConfiguration {
  return refusable(field, `cannot share '${folder}' as '${tag}'`, () => {
    const share = VZSingleDirectoryShare.create(VZSharedDirectory.create(folder, readOnly));
    return VZVirtioFileSystemDeviceConfiguration.create(tag, share);
  });
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
