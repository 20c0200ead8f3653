/** Types of the functions that vzrun uses of the standard library's async, whose npm package has none. */

declare module "@std/async/abortable" {
  /** A promise that is broken when a signal is given before it is kept. */
  export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;
}
