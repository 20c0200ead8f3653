/** Types of the functions that vzrun uses of the standard library's async, whose npm package has none. */

export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T>;
