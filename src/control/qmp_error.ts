/** What QMP answers to a command that it cannot do. */

import { MachineError } from "../machine/error.ts";
import { NSError } from "../objc/mod.ts";
import { adviceOn, describeError } from "../vz/mod.ts";

/** qemu's classes of errors. Source: qapi/error.json. */
export type QMPErrorClass = "GenericError" | "CommandNotFound" | "DeviceNotActive" | "DeviceNotFound";

/** An answer to a command that cannot be done. */
export class QMPError extends Error {
  /** By which it is told apart. */
  override name = "QMPError";

  /** Of a description for people. */
  constructor(message: string, readonly errorClass: QMPErrorClass = "GenericError", cause?: unknown) {
    super(message, { cause });
  }
}

/** Any error as one that a client is told. */
export function toQMPError(error: unknown): QMPError {
  if (error instanceof QMPError) return error;
  if (error instanceof NSError) {
    const advice = adviceOn(error);
    return new QMPError(describeError(error) + (advice ? `; ${advice}` : ""), "GenericError", error);
  }
  const message = error instanceof MachineError
    ? error.worded((setting) => setting.name === "usb" ? "-device qemu-xhci" : String(setting))
    : error instanceof Error
    ? error.message
    : String(error);
  return new QMPError(message, "GenericError", error);
}
