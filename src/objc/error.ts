import type { NSObject } from "./object.ts";

/** An NSError as a JavaScript error. */
export class NSError extends Error {
  /** By which it is told apart. */
  override name = "NSError";

  /**
   * Made of an NSError's properties.
   *
   * @param message `localizedDescription`
   * @param domain Who speaks: `VZErrorDomain`, `NSPOSIXErrorDomain` …
   * @param code What the number means depends on the domain.
   * @param reason `localizedFailureReason`
   * @param suggestion `localizedRecoverySuggestion`
   */
  constructor(
    message: string,
    readonly domain: string,
    readonly code: number,
    readonly reason?: string,
    readonly suggestion?: string,
  ) {
    super(message);
  }

  /** The error that an NSError object describes. */
  static from(error: NSObject): NSError {
    const text = (property: string) => (error.send(property) as NSObject | null)?.toString();
    return new NSError(
      text("localizedDescription") ?? "Unknown error",
      text("domain") ?? "",
      Number(error.send("code")),
      text("localizedFailureReason"),
      text("localizedRecoverySuggestion"),
    );
  }
}
