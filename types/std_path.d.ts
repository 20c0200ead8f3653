/** Types of the functions that are used of the standard library's path, whose npm package has none. */

declare module "@std/path/posix/basename" {
  /** The last part of a path, without `suffix` when it ends in that. */
  export function basename(path: string | URL, suffix?: string): string;
}

declare module "@std/path/posix/dirname" {
  /** The folder of a path; `.` when it names none. */
  export function dirname(path: string | URL): string;
}

declare module "@std/path/posix/from-file-url" {
  /** The path that a `file:` URL names. */
  export function fromFileUrl(url: string | URL): string;
}

declare module "@std/path/posix/is-absolute" {
  /** Whether a path begins at the root. */
  export function isAbsolute(path: string): boolean;
}

declare module "@std/path/posix/join" {
  /** One path of several, without `.`, and without `..` where that is to be had by leaving a folder out. */
  export function join(path?: string | URL, ...paths: string[]): string;
}

declare module "@std/path/posix/to-file-url" {
  /** The `file:` URL of an absolute path. */
  export function toFileUrl(path: string): URL;
}
