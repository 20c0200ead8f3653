/** Why a C function has failed. */

import { fromCString, openFunctions } from "../objc/mod.ts";
import "./libraries.ts";

const libc = openFunctions("system", {
  __error: { parameters: [], result: "pointer" },
  strerror: { parameters: ["i32"], result: "pointer" },
});

// The same on macOS and Linux; those that differ are in libraries.ts.
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;

/** Where this thread has it: to look there is no call, which could fail itself and so change it. */
let place: Deno.UnsafePointerView | undefined;

/** Makes ready for {@linkcode errno}: to be called before the function whose failure is asked for. */
export function prepareErrno(): void {
  place ??= new Deno.UnsafePointerView(libc.__error()!);
}

/** The number of the failure of the function that was called last, with nothing between. */
export function errno(): number {
  return place!.getInt32();
}

/** What the system calls a failure: `Connection refused`. */
export function describeErrno(number: number): string {
  return fromCString(libc.strerror(number)) ?? `error ${number}`;
}
