/** Types of the functions that are used of the standard library's fmt, whose npm package has none. */

declare module "@std/fmt/bytes" {
  /** How a number of bytes is written. */
  export interface FormatOptions {
    /** `kbit` and so on; false by default. */
    bits?: boolean;
    /** `KiB` and so on, by 1024; false by default. */
    binary?: boolean;
    /** With a plus or a minus; false by default. */
    signed?: boolean;
    /** Whose digits and points: a name, several, or true for the system's; JavaScript's own by default. */
    locale?: boolean | string | string[];
    /** Digits after the point. */
    minimumFractionDigits?: number;
    /** Digits after the point, at most. */
    maximumFractionDigits?: number;
  }
  /** A number of bytes for people: `1.34 kB`. */
  export function format(num: number, options?: FormatOptions): string;
}

declare module "@std/fmt/colors" {
  /** A text in red; as it is with NO_COLOR. */
  export function red(str: string): string;
}
