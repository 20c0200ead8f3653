/**
 * Starts as vzrun does on a Mac. A program is entitled here when the stand-in for codesign has marked it.
 * Arguments: path of the stand-in, whether to be root, and what is printed; `refused` as the first of that is a command
 * line that is wrong, `as NAME` has the process seen by a name, `daemonize` has a daemon write what it is into the file that follows.
 */
import { asDaemon, waitForDaemon } from "../../../src/cli/daemonize.ts";
import { ensureEntitled } from "../../../src/cli/entitlement.ts";

const MARK = "SIGNED";
const [codesign, root, ...args] = Deno.args;
function entitled(): boolean {
  using file = Deno.openSync(Deno.execPath());
  file.seekSync(-MARK.length, Deno.SeekMode.End);
  const end = new Uint8Array(MARK.length);
  file.readSync(end);
  return new TextDecoder().decode(end) === MARK;
}
/** The name of this process, and the first of its arguments. */
function seenAs(): string[] {
  const [comm, cmdline] = ["comm", "cmdline"].map((name) => Deno.readTextFileSync(`/proc/self/${name}`));
  return [comm.trim(), cmdline.split("\0")[0]];
}
async function daemonize(file: string): Promise<number> {
  const daemon = asDaemon();
  if (!daemon) return await waitForDaemon();
  console.error("the daemon's words");
  Deno.writeTextFileSync(file, JSON.stringify({ program: Deno.execPath(), args }));
  daemon.goOnAlone();
  console.error("nobody's");
  return 1;
}
try {
  const check = () => {
    if (args[0] === "refused") throw new Error("cannot open kernel 'refused'");
  };
  const name = args[0]?.startsWith("as ") ? args[0].slice(3) : undefined;
  await ensureEntitled(check, { name }, { codesign, entitled, root: () => root === "root" });
  if (args[0] === "daemonize") Deno.exit(await daemonize(args[1]));
  const input = await new Response(Deno.stdin.readable).text();
  const named = name === undefined ? {} : { seenAs: seenAs() };
  console.log(JSON.stringify({ program: Deno.execPath(), args, input, ...named }));
  Deno.exit(42);
} catch (error) {
  console.error((error as Error).message);
  Deno.exit(1);
}
