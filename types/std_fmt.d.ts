/** Types of the functions that vzrun uses of the standard library's fmt, whose npm package has none. */

export function format(bytes: number, options?: { binary?: boolean }): string;
