/** Many lines of vzrun that start nothing, one after another in one process, which costs no start of Deno for each. */

import type { Ended } from "./programs/many_lines.ts";
import { ENVIRONMENT, type How, ROOT, within } from "./vzrun.ts";

/** What vzrun says to each of the command lines, with the permissions that it has when it is started for one. */
export async function manyLines(lines: readonly string[][], how: How): Promise<Ended[]> {
  const own = [
    "run",
    "-q",
    "-P",
    "--config",
    `${ROOT}/deno.json`,
    `${ROOT}/tests/e2e/programs/many_lines.ts`,
  ];
  const [program, ...args] = [...how.through ?? [], Deno.execPath(), ...own];
  const child = new Deno.Command(program, {
    args,
    cwd: how.cwd,
    clearEnv: true,
    env: { ...ENVIRONMENT.env, ...how.env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(lines)));
  await writer.close();
  const { stdout, stderr } = await within("the lines", child.output(), 120);
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  const ended: Ended[] = out.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  if (ended.length !== lines.length || err !== "") {
    throw new Error(`it has ended at ${lines[ended.length]?.join(" ")}: ${err}`);
  }
  return ended;
}
