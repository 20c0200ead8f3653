/** Disks that are no images: devices of the host's, and what servers have, by the NBD protocol. */

import { DeviceError, openDevice } from "../host/device.ts";
import { NSError, type NSObject } from "../objc/mod.ts";
import { socketPathProblem } from "../host/files.ts";
import {
  type BlockDeviceOptions,
  describeError,
  requireMacOS,
  UnavailableError,
  VZDiskBlockDeviceStorageDeviceAttachment,
  VZErrorCode,
  VZNetworkBlockDeviceStorageDeviceAttachment,
  type VZStorageDeviceAttachment,
  type VZStorageDeviceConfiguration,
} from "../vz/mod.ts";
import type { Disk } from "./disk.ts";
import { isImage, isServed } from "./disk_place.ts";
import { MachineError, Setting, type Text } from "./error.ts";
import type { Machine } from "./machine.ts";
import type { Reporter } from "./run_context.ts";

/** After how many seconds without an answer a server is connected to anew. */
const TIMEOUT = 15;

/** How a server's disk is named. */
const FORM = "expected nbd://HOST[:PORT]/NAME or nbd+unix:///NAME?socket=PATH";

/**
 * Checks a disk that is no image.
 *
 * @param field Where it is: `disks[0]`.
 * @throws {MachineError} For the first thing that is not fit.
 */
export function checkBlockDevice(disk: Disk, field: string): void {
  const { file, format = "raw", size, snapshot, timeout } = disk;
  const what = `disk '${file}'`;
  const fail = (reason: Text, of = "file"): never => {
    throw new MachineError(reason, { field: `${field}.${of}` });
  };
  if (timeout !== undefined && !isServed(file)) {
    fail([new Setting("timeout"), ` goes with a server's disk, and ${what} is none`], "timeout");
  }
  const { api } = isServed(file)
    ? VZNetworkBlockDeviceStorageDeviceAttachment
    : VZDiskBlockDeviceStorageDeviceAttachment;
  try {
    requireMacOS(`${what}: ${isServed(file) ? "a server's disk" : "a device"}`, api.macOS);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    fail(error.message);
  }
  if (snapshot) {
    fail([new Setting("snapshot", true), `: ${what} is no image that could be cloned`], "snapshot");
  }
  if (format !== "raw") {
    const serve = isServed(file) ? `: qemu-nbd -f ${format} serves what is in such an image` : "";
    fail([new Setting("format", format), `: ${what} is used as it is${serve}`], "format");
  }
  if (size !== undefined) fail([new Setting("size"), ` only makes images, and ${what} is none`], "size");
  if (isServed(file)) {
    const problem = problemWithURL(file);
    if (problem) fail(`${what}: ${problem}`);
    if (timeout === 0) fail([new Setting("timeout", "0"), ` is too short for ${what}`], "timeout");
  } else {
    using _handle = openWithRemedy(disk, field);
  }
}

function problemWithURL(file: string): string | undefined {
  const url = URL.parse(file);
  if (!url) return FORM;
  const socket = url.searchParams.get("socket");
  if (!/^nbds?\+unix:$/.test(url.protocol)) {
    return /^nbds?:$/.test(url.protocol) && url.hostname && socket === null ? undefined : FORM;
  }
  return url.host === "" && socket ? socketPathProblem(absoluteSocket(socket)) : FORM;
}

const absoluteSocket = (path: string) => path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;

/** The URL as NSURL takes it, with a path that means the same to another process, which the framework's client is. */
function absoluteURL(file: string): string {
  return new URL(file).href.replace(
    /([?&]socket=)(?!\/|%2f)/i,
    (_, key) => `${key}${Deno.cwd().split("/").map(encodeURIComponent).join("/")}/`,
  );
}

function openWithRemedy({ file, readOnly }: Disk, field: string): NSObject {
  try {
    return openDevice(file, !readOnly);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const remedy = error.isForbidden
      ? "devices are root's: sudo runs the machine as root"
      : error.isBusy
      ? `diskutil unmountDisk ${file} takes it from the Mac`
      : undefined;
    throw new MachineError(error.message, { field: `${field}.file`, remedy, cause: error });
  }
}

/**
 * What the framework reads and writes of a disk that is no image.
 *
 * @throws {MachineError} When a device cannot be opened.
 * @throws {NSError} When the framework refuses it.
 */
export function attachBlockDevice(disk: Disk, field: string): VZStorageDeviceAttachment {
  const { file, readOnly, cache, timeout = TIMEOUT } = disk;
  const options: BlockDeviceOptions = { readOnly, synchronizationMode: cache === "unsafe" ? "none" : "full" };
  if (isServed(file)) {
    return VZNetworkBlockDeviceStorageDeviceAttachment.create(absoluteURL(file), timeout, options);
  }
  using handle = openWithRemedy(disk, field); // which the framework has from then on
  return VZDiskBlockDeviceStorageDeviceAttachment.create(handle, options);
}

/**
 * Says when a server's disk is there again, or stays away, until it is disposed of. The framework says nothing of a
 * server that goes away while it waits for it.
 */
export function watchServers(
  disks: readonly Disk[],
  devices: readonly (VZStorageDeviceConfiguration | undefined)[],
  { info, debug }: Reporter,
): Disposable {
  const watches = new DisposableStack();
  for (const [i, { file }] of disks.entries()) {
    if (!isServed(file)) continue;
    let times = 0;
    const watcher = {
      connected: () => {
        if (times++ === 0) debug(`disk '${file}' is connected`);
        else info(`disk '${file}' is connected again`);
      },
      failed: (error: NSError) =>
        info(`disk '${file}' has lost its server, and the guest gets errors: ${describeError(error)}`),
    };
    watches.use(VZNetworkBlockDeviceStorageDeviceAttachment.of(devices[i]!).watch(watcher));
  }
  return watches;
}

/** What a start failed with; where it was a server, which the framework does not name, with the disks that have one. */
export function namingServers<E>(error: E, { disks }: Machine): E | MachineError {
  const isServers = error instanceof NSError && error.domain === "VZErrorDomain" &&
    (error.code === VZErrorCode.networkBlockDeviceNegotiationFailed ||
      error.code === VZErrorCode.networkBlockDeviceDisconnected);
  const served = disks.filter(({ file }) => isServed(file)).map(({ file }) => `'${file}'`);
  if (!isServers || served.length === 0) return error;
  const what = served.length === 1 ? `disk ${served}` : `one of the disks ${served.join(", ")}`;
  return new MachineError(`cannot use ${what}: ${describeError(error)}`, { field: "disks", cause: error });
}

/** @throws {MachineError} For a disk of which nobody can tell whether it was written while the machine was away. */
export function refuseSaving({ disks }: Machine): void {
  const i = disks.findIndex(({ file }) => !isImage(file));
  if (i < 0) return;
  const { file } = disks[i];
  const who = isServed(file) ? "a server's disk" : "a device";
  throw new MachineError(
    `disk '${file}': a machine with ${who} cannot be saved and restored: what is on it may change meanwhile`,
    { field: `disks[${i}].file` },
  );
}
