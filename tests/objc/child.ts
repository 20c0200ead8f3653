/** Programs of tests/objc/programs, each in a process of its own: for what ends a process, or needs one to itself. */

export interface Ended {
  code: number;
  signal: Deno.Signal | null;
  stdout: string;
  stderr: string;
}

/** Runs one to its end. `gc()` is there in it. One that hangs is killed, and shows it by its signal. */
export async function child(program: string, ...args: string[]): Promise<Ended> {
  const file = decodeURIComponent(new URL(`programs/${program}`, import.meta.url).pathname);
  const config = decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname);
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--config", config, "-A", "--v8-flags=--expose-gc", file, ...args],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => command.kill("SIGKILL"), 60_000);
  const { code, signal, stdout, stderr } = await command.output();
  clearTimeout(limit);
  const text = new TextDecoder();
  return { code, signal, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
