/** Devices of the host's, to which Deno gives no access without every permission that there is. */

import { Class, cString, type NSObject, openFunctions } from "../objc/mod.ts";
import { descriptorOf } from "./descriptors.ts";
import { describeErrno, EPERM, errno, prepareErrno } from "./errno.ts";
import { O_CLOEXEC, O_NOCTTY } from "./libraries.ts";

const libc = openFunctions("system", {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
});

// The same on macOS and Linux.
const [O_RDONLY, O_RDWR] = [0, 2];
const [LOCK_SH, LOCK_EX, LOCK_NB] = [1, 2, 4];
const EACCES = 13, EBUSY = 16;

/** A device that cannot be opened. */
export class DeviceError extends Error {
  override name = "DeviceError";

  /** Of what open(2) says. */
  constructor(path: string, number: number) {
    super(`cannot open disk '${path}': ${describeErrno(number).toLowerCase()}`);
    [this.isForbidden, this.isBusy] = [[EACCES, EPERM].includes(number), number === EBUSY];
  }

  readonly isForbidden: boolean;
  readonly isBusy: boolean;
}

/**
 * An NSFileHandle of a device, which closes when its last reference goes.
 *
 * @throws {DeviceError} When it cannot be opened.
 */
export function openDevice(path: string, write: boolean): NSObject {
  prepareErrno();
  const descriptor = libc.open(cString(path), (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOCTTY);
  if (descriptor < 0) throw new DeviceError(path, errno());
  return Class.named("NSFileHandle").create("initWithFileDescriptor:closeOnDealloc:", descriptor, true);
}

/**
 * Whether a device could be locked now.
 *
 * @param shared As others may too.
 * @throws {DeviceError} When it cannot be opened.
 */
export function isFreeDevice(path: string, shared: boolean): boolean {
  using handle = openDevice(path, false); // whose end is the lock's
  return libc.flock(descriptorOf(handle), (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) === 0;
}
