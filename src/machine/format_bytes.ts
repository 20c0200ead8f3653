import { format } from "@std/fmt/bytes";

/** A number of bytes for people, never more than it is: `23.5 GiB`. */
export function formatBytes(bytes: number): string {
  const tenth = 1024 ** Math.floor(Math.log2(Math.max(1, bytes)) / 10) / 10;
  return format(Math.floor(bytes / tenth) * tenth, { binary: true, maximumFractionDigits: 1 }).replace(
    ",",
    "",
  );
}
