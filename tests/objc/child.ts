/** Programs of tests/objc/programs and tests/linux/programs, each in a process of its own: for what ends a process. */

import { fromFileUrl } from "@std/path/posix/from-file-url";

export interface Ended {
  code: number;
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

const path = (relative: string) => fromFileUrl(new URL(relative, import.meta.url));

/** The command that runs a program, given by its path in tests/; `gc()` is there in it. */
export function commandOf(program: string, ...args: string[]): string[] {
  const options = ["-q", "--config", path("../../deno.json"), "-A", "--v8-flags=--expose-gc"];
  return [Deno.execPath(), "run", ...options, path(`../${program}`), ...args];
}

/**
 * Runs a command to its end. One that hangs is killed, and shows it by its signal.
 *
 * @param input What it finds on standard input.
 */
export async function ended(
  [command, ...args]: string[],
  env: Record<string, string> = {},
  input?: string,
): Promise<Ended> {
  const process = new Deno.Command(command, {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => process.kill("SIGKILL"), 120_000);
  if (input !== undefined) {
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  const { code, signal, stdout, stderr } = await process.output();
  clearTimeout(limit);
  const text = new TextDecoder();
  return { code, signal, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Runs a program to its end. */
export function child(program: string, ...args: string[]): Promise<Ended> {
  return ended(commandOf(program, ...args));
}
