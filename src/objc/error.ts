import { symbolAddress } from "./libraries.ts";
import type { NSObject } from "./object.ts";
import { POINTER, type Pointer } from "./runtime.ts";

let underlyingErrorKey: Pointer | undefined;

/** NSUnderlyingErrorKey: a variable that holds an NSString. */
function underlyingKey(): Pointer {
  return underlyingErrorKey ??= new Deno.UnsafePointerView(
    symbolAddress("Foundation", "NSUnderlyingErrorKey")!,
  ).getPointer();
}

/** An NSError as a JavaScript error. */
export class NSError extends Error {
  /** By which it is told apart. */
  override name = "NSError";

  /**
   * Made of an NSError's properties.
   *
   * @param message `localizedDescription`
   * @param domain Who speaks: `NSCocoaErrorDomain`, `NSPOSIXErrorDomain` …
   * @param code What the number means depends on the domain.
   * @param reason `localizedFailureReason`
   * @param suggestion `localizedRecoverySuggestion`
   * @param cause The error of which this one is a consequence: NSUnderlyingErrorKey of `userInfo`.
   */
  constructor(
    message: string,
    readonly domain: string,
    readonly code: number,
    readonly reason?: string,
    readonly suggestion?: string,
    override readonly cause?: NSError,
  ) {
    super(message);
  }

  /** The error that an NSError object describes, with its causes. */
  static from(error: NSObject): NSError {
    const text = (property: string) => (error.send(property) as NSObject | null)?.toString();
    const userInfo = error.send("userInfo") as NSObject | null;
    const cause = userInfo?.send("objectForKey:", { [POINTER]: underlyingKey() }) as
      | NSObject
      | null
      | undefined;
    return new NSError(
      text("localizedDescription") ?? "Unknown error",
      text("domain") ?? "",
      Number(error.send("code")),
      text("localizedFailureReason"),
      text("localizedRecoverySuggestion"),
      cause?.respondsTo("localizedDescription") ? NSError.from(cause) : undefined, // others may put anything there
    );
  }
}
