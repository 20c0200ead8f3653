import { format } from "@std/fmt/bytes";

/** English without commas between thousands, whatever the system's language is. */
const LOCALE = "en-US-u-va-posix";

/** A number of bytes for people, never more than it is: `23.5 GiB`. */
export function formatBytes(bytes: number): string {
  const tenth = 1024 ** Math.floor(Math.log2(Math.max(1, bytes)) / 10) / 10;
  const floored = Math.floor(bytes / tenth) * tenth;
  return format(floored, { binary: true, maximumFractionDigits: 1, locale: LOCALE });
}
