import { NSError } from "../objc/mod.ts";

/** The codes of VZErrorDomain that vzrun can meet. */
export const VZErrorCode = {
  internal: 1,
  invalidVirtualMachineConfiguration: 2,
  invalidVirtualMachineState: 3,
  invalidVirtualMachineStateTransition: 4,
  invalidDiskImage: 5,
  virtualMachineLimitExceeded: 6,
  networkError: 7,
  outOfDiskSpace: 8,
  operationCancelled: 9,
  notSupported: 10,
  save: 11,
  restore: 12,
  networkBlockDeviceNegotiationFailed: 20001,
  networkBlockDeviceDisconnected: 20002,
  deviceAlreadyAttached: 30002,
  deviceInitializationFailure: 30003,
  deviceNotFound: 30004,
} as const;

/** The error at the bottom of a chain of causes: often only it says what was wrong. */
export function innermost(error: NSError): NSError {
  return error.cause instanceof NSError ? innermost(error.cause) : error;
}

/** What an error says, in one line, with the innermost reason when it has causes. */
export function describeError(error: NSError): string {
  const { message, reason } = error;
  const whole = reason && !message.includes(reason) ? `${message} ${reason}` : message;
  const cause = innermost(error);
  return whole.includes(cause.message) ? whole : `${whole.replace(/\.$/, "")}: ${cause.message}`;
}

/** What any error says, see {@linkcode describeError}. */
export function wordsOf(error: unknown): string {
  return error instanceof NSError
    ? describeError(error)
    : error instanceof Error
    ? error.message
    : String(error);
}

/** The entitlement for bridges, which Apple grants to few. */
export const BRIDGING = "com.apple.vm.networking";

/** What a user can do about an error of Virtualization, or undefined where the error says it all. */
export function adviceOn(error: NSError): string | undefined {
  if (error.domain !== "VZErrorDomain") return undefined;
  switch (error.code) {
    case VZErrorCode.internal:
      // Where the framework gives a reason, that says more.
      return /failed to start\.?$/.test(error.message)
        ? "see that the kernel is for this machine's processor, and that there is memory for the guest"
        : undefined;
    case VZErrorCode.invalidVirtualMachineConfiguration:
      if (error.message.includes("not available on this hardware")) {
        return "a Mac that is itself a virtual machine, or too old, runs none";
      }
      if (error.message.includes(BRIDGING)) return "Apple grants it to few programs; NAT needs none";
      return error.message.includes("entitlement")
        ? "sign the program with the entitlement com.apple.security.virtualization"
        : undefined;
    case VZErrorCode.virtualMachineLimitExceeded:
      return "end another virtual machine first";
    case VZErrorCode.outOfDiskSpace:
      return "make room on the disk";
    case VZErrorCode.save:
      // The file is encrypted, by a key that is not to be had then; others have seen it.
      return error.message.includes("permission denied") ? "unlock the Mac's screen first" : undefined;
    case VZErrorCode.restore:
      return error.message.includes("invalid argument")
        ? "a machine is restored only on the Mac that has saved it, as the same machine, from a state that is whole"
        : undefined;
    default:
      return undefined;
  }
}
