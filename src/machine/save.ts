/** Saves a machine into a folder: all of it, or as if nothing had been. */

import { ignoreNotFound, reasonOf } from "../host/error.ts";
import { cloneFile } from "../host/clone_file.ts";
import { exists, partialOf } from "../host/files.ts";
import { tryLock } from "../host/lock.ts";
import { syncFile } from "../host/new_file.ts";
import {
  describeError,
  type DeviceList,
  UnavailableError,
  type VZVirtualMachineConfiguration,
} from "../vz/mod.ts";
import { NSError } from "../objc/mod.ts";
import { absolute } from "./absolute.ts";
import { refuseSaving } from "./block_device.ts";
import type { AttachedDisk } from "./hot_plug.ts";
import { MachineError } from "./error.ts";
import type { Machine } from "./machine.ts";
import type { PreparedMachine } from "./prepare.ts";
import {
  DESCRIPTION,
  FORMAT,
  isForSaving,
  removeLeftovers,
  type SavedDescription,
  versionOfSaved,
} from "./saved_machine.ts";

/** Where a machine has what cannot be saved. */
const FIELDS: Partial<Record<DeviceList, keyof Machine>> = {
  disks: "disks",
  shares: "shares",
  consoles: "serial",
  "network cards": "network",
  sockets: "vsock",
  screens: "display",
  "USB controllers": "usb",
};

/**
 * Checks that the framework saves and restores such a machine.
 *
 * @throws {MachineError} When it does not; it names what stands in the way.
 */
export function checkSavable(
  configuration: VZVirtualMachineConfiguration,
  machine: Machine,
  attached: readonly AttachedDisk[] = [],
): void {
  refuseSaving(machine);
  const [come] = attached;
  if (come) {
    const { file, source } = come.disk;
    const remedy = "detach it first: a restored machine has the disks of its start";
    throw new MachineError(`disk '${source?.file ?? file}' has come while the machine runs`, { remedy });
  }
  try {
    configuration.validateSaveRestoreSupport();
  } catch (error) {
    if (error instanceof UnavailableError) throw new MachineError(error.message, { cause: error });
    if (!(error instanceof NSError)) throw error;
    const obstacle = configuration.savingObstacle();
    const isRosetta = obstacle?.devices === "shares" && machine.shares.length === 0;
    const what = isRosetta ? "Rosetta's share" : obstacle?.devices ?? "this machine";
    throw new MachineError(
      `${what} cannot be saved and restored: ${describeError(obstacle?.error ?? error)}`,
      { field: obstacle && (isRosetta ? "rosetta" : FIELDS[obstacle.devices]), cause: error },
    );
  }
}

/** @throws {MachineError} For a disk whose image is gone when the machine ends. */
function checkDisks({ machine }: PreparedMachine, described: Machine): void {
  if (described.cloudInit) {
    const reason = "cloud-init's volume goes when the machine ends, and with it what the guest knows of it";
    throw new MachineError(reason, { field: "cloudInit", remedy: "start the machine without it" });
  }
  for (const [i, { file, snapshot, source }] of machine.disks.entries()) {
    const given = described.disks[i].file;
    const isKept = !snapshot && (file === given || source && file === `${given}.raw`);
    if (isKept) continue;
    throw new MachineError(
      `what is written to disk '${given}' goes when the machine ends, and the guest would know of it`,
      {
        field: `disks[${i}]`,
        remedy: snapshot ? "a machine with clones of its disks cannot be saved" : undefined,
      },
    );
  }
}

/**
 * Saves a machine that is paused. What was saved in the folder before is there until it is done, and whenever it fails.
 *
 * @param path The folder, which is made when it is not there.
 * @param write Writes the machine's state into a file that is not there.
 * @throws {MachineError} When the folder cannot be used.
 * @throws Whatever `write` throws.
 */
export async function saveMachine(
  path: string,
  prepared: PreparedMachine,
  write: (file: string) => Promise<void>,
): Promise<void> {
  const { described, identifier } = prepared;
  if (!identifier) {
    throw new MachineError("a machine without an identity cannot be saved: that needs macOS 14");
  }
  checkDisks(prepared, described);
  const isNew = makeFolder(path);
  try {
    using _lock = lockFolder(path);
    const id = crypto.randomUUID().replaceAll("-", "").slice(0, 12);
    const state = `state-${id}`;
    await writeWhole(`${path}/${state}`, write);
    const { boot } = prepared.machine;
    const variables = described.boot.kind === "efi" && described.boot.variables === undefined
      ? `variables-${id}`
      : undefined;
    if (variables !== undefined && boot.kind === "efi") {
      await writeWhole(`${path}/${variables}`, (file) => cloneFile(boot.variables!, file));
    }
    const description: SavedDescription = {
      format: FORMAT,
      machine: absolute(described),
      identity: identifier.data.toHex(),
      state: { file: state, size: Deno.statSync(`${path}/${state}`).size },
      ...variables !== undefined && { variables },
      files: filesOf(prepared).map(({ field, file }) => versionOfSaved(field, file)),
    };
    await writeWhole(`${path}/${DESCRIPTION}`, async (file) => {
      await Deno.writeTextFile(file, `${JSON.stringify(description, null, 2)}\n`, { mode: 0o600 });
    });
    syncFolder(path);
    removeLeftovers(path, description);
  } catch (error) {
    if (isNew && !exists(`${path}/${DESCRIPTION}`)) {
      ignoreNotFound(() => Deno.removeSync(path, { recursive: true }));
    }
    throw error;
  }
}

/** The files that the guest has: what it knows of them must be so when it goes on. */
function filesOf(
  { machine: { boot, disks }, described }: PreparedMachine,
): { field: string; file: string }[] {
  const files = disks.map(({ file }, i) => ({ field: `disks[${i}].file`, file }));
  const isKept = described.boot.kind === "efi" && described.boot.variables !== undefined;
  if (boot.kind === "efi" && isKept) files.push({ field: "boot.variables", file: boot.variables! });
  return files;
}

/** @returns Whether it was not there. */
function makeFolder(path: string): boolean {
  const fail = (problem: string, cause?: unknown): never => {
    throw new MachineError(`cannot save into '${path}': ${problem}`, { cause });
  };
  if (path === "") fail("the path is empty");
  try {
    if (!exists(path)) {
      Deno.mkdirSync(path, { mode: 0o700 });
      return true;
    }
    if (!Deno.statSync(path).isDirectory) fail("it is a file, and a saved machine is a folder");
    if (!isForSaving(path)) fail("the folder has other things in it");
    return false;
  } catch (error) {
    if (error instanceof MachineError) throw error;
    return fail(error instanceof Deno.errors.NotFound ? "its folder is not there" : reasonOf(error), error);
  }
}

function lockFolder(path: string): Disposable {
  const lock = tryLock(path);
  if (lock) return lock;
  throw new MachineError(`cannot save into '${path}': another machine is being saved there, or restored`);
}

/** Makes a file that has its name only when all of it is on the disk. */
async function writeWhole(path: string, write: (file: string) => Promise<void>): Promise<void> {
  const partial = partialOf(path);
  ignoreNotFound(() => Deno.removeSync(partial));
  try {
    await write(partial);
    Deno.chmodSync(partial, 0o600);
    using file = Deno.openSync(partial, { write: true });
    await syncFile(file);
  } catch (error) {
    ignoreNotFound(() => Deno.removeSync(partial));
    throw error;
  }
  Deno.renameSync(partial, path);
}

/** So that a loss of power does not undo a name; not every file system can. */
function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(path);
    folder.syncSync();
  } catch { /* it is as durable as the system has it */ }
}
