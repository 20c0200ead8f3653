/** Runs the command lines that it reads, a JSON array of arrays of words, and writes what each has come to, a line each. */

import { start } from "../../../src/cli/start.ts";

/** What a line has come to. */
export interface Ended {
  code: number;
  out: string;
  err: string;
  /** What was made or removed in the current folder. */
  changed: string[];
}

const names = () => new Set(Array.from(Deno.readDirSync("."), ({ name }) => name));

/** Stands in for the console while a line is run. */
async function tried(argv: string[]): Promise<Ended> {
  const said = { out: "", err: "" };
  const before = names();
  const { log, error } = console;
  console.log = (text: string) => said.out += `${text}\n`;
  console.error = (_: string, prefix: string, message: string) => said.err += `${prefix} ${message}\n`;
  try {
    const code = await start(argv);
    return { code, ...said, changed: [...before.symmetricDifference(names())] };
  } finally {
    Object.assign(console, { log, error });
  }
}

const lines: string[][] = JSON.parse(await new Response(Deno.stdin.readable).text());
for (const line of lines) console.log(JSON.stringify(await tried(line)));
Deno.exit(0);
