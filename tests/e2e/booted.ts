/**
 * Guests that have booted already: one is saved while it runs, and goes on in each run that a test wants of it, in a
 * fifth of the time of a boot. For tests that are about something else than the start, and need a guest that is up.
 */

import { LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { QMPConnection } from "./qmp_client.ts";
import { Folder, GUEST_FILES, SOONER, Vzrun } from "./vzrun.ts";

/** What a guest does that says `up` for ever. */
const TELLING = "while :; do echo up; sleep 0.2; done";

let own: Folder | undefined;
Deno.test.afterAll(() => {
  own?.[Symbol.dispose]();
  own = undefined;
});

/** Where the saved ones are: `./dev test` has a folder for the tests of all files, else this file has one. */
function place(): string {
  return Deno.env.get("VZRUN_TESTS_SHARE") ?? (own ??= new Folder()).path;
}

/** Boots a guest, and saves it in a folder that is there when all of it is. */
async function save(path: string, commands: string, consoles: number): Promise<void> {
  using folder = new Folder();
  const socket = folder.file("qmp");
  const append = `console=hvc0 quiet ${SOONER} run="${commands}"`;
  const others = Array.from({ length: consoles - 1 }, () => ["-serial", "null"]).flat();
  const machine = [...GUEST_FILES, "-append", append, "-m", "128", "-smp", "1", "-nographic"];
  const args = [...machine, "-serial", "stdio", ...others, "-qmp", `unix:${socket}`];
  await using run = new Vzrun(args, { typing: true });
  await run.out.until(/^(up|ready)\r\n/);
  using client = await QMPConnection.ready(socket);
  const events = [{ capability: "events", state: true }];
  await client.command("migrate-set-capabilities", { capabilities: events });
  await client.command("migrate", { uri: `file:${path}.partial` });
  for (let status: unknown; status !== "completed";) {
    status = (await client.event("MIGRATION")).data?.status;
    if (status === "failed") throw new Error(`the guest cannot be saved: ${run.err.text}`);
  }
  await client.command("quit");
  await run.end();
  Deno.renameSync(`${path}.partial`, path);
}

/** One process saves it, and those that want it at the same time wait for that. */
async function saved(name: string, commands: string, consoles: number): Promise<string> {
  Deno.mkdirSync(place(), { recursive: true });
  const path = `${place()}/${name}`;
  using lock = Deno.openSync(`${path}.lock`, { create: true, write: true });
  await lock.lock(true);
  if (!Deno.readDirSync(place()).some((entry) => entry.name === name)) await save(path, commands, consoles);
  return path;
}

/** Options of a guest that says `up`, again and again, and powers off when it is asked to. */
export async function telling(): Promise<string[]> {
  return ["-incoming", `file:${await saved("telling", TELLING, 1)}`, "-nographic"];
}

/**
 * Options of a guest that runs the lines that are typed at its first console, as in {@linkcode LOOP}; it has said that
 * it is ready.
 *
 * @param consoles How many it has: so many `-serial` are to be among its options, or none for a single one.
 */
export async function listening(consoles = 1): Promise<string[]> {
  return ["-incoming", `file:${await saved(`listening-${consoles}`, LOOP, consoles)}`, "-nographic"];
}

/** A line for it, after which it does not power off when it is asked to. */
export const DEAF = "killall dd\n";
