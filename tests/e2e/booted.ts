/**
 * Guests that have booted already: one is saved while it runs, and goes on in each run that a test wants of it, in a
 * fifth of the time of a boot. For tests that are about something else than the start, and need a guest that is up.
 */

import { LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { QMPConnection } from "./qmp_client.ts";
import { Folder, GUEST_FILES, type How, SOONER, Vzrun } from "./vzrun.ts";

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
async function save(path: string, commands: string, args: string[], how: How): Promise<void> {
  using folder = new Folder();
  const socket = folder.file("qmp");
  const append = `console=hvc0 quiet ${SOONER} run="${commands}"`;
  const machine = [...GUEST_FILES, "-append", append, "-m", "128", "-smp", "1", ...args];
  await using run = new Vzrun([...machine, "-qmp", `unix:${socket}`], { ...how, typing: true });
  await run.out.until(/^(up|ready)\r\n/);
  using client = await QMPConnection.ready(socket);
  const events = [{ capability: "events", state: true }];
  await client.command("migrate-set-capabilities", { capabilities: events });
  await client.command("migrate", { uri: `file:${path}.partial` });
  let status: unknown;
  do {
    status = (await client.event("MIGRATION")).data?.status;
    if (status === "failed") throw new Error(`the guest cannot be saved: ${run.err.text}`);
  } while (status !== "completed");
  await client.command("quit");
  await run.end();
  Deno.renameSync(`${path}.partial`, path);
}

/**
 * Options of a guest that goes on from where it was saved. One process saves it, and those that want it meanwhile wait.
 *
 * @param name Tells it from others.
 * @param commands What it does at its start; it is saved when it has said `up` or `ready`.
 * @param args Of its machine, beside its kernel.
 */
async function booted(name: string, commands: string, args: string[], how: How = {}): Promise<string[]> {
  Deno.mkdirSync(place(), { recursive: true });
  const path = `${place()}/${name}`;
  using lock = Deno.openSync(`${path}.lock`, { create: true, write: true });
  await lock.lock(true);
  const isThere = Array.from(Deno.readDirSync(place())).some((entry) => entry.name === name);
  if (!isThere) await save(path, commands, args, how);
  return ["-incoming", `file:${path}`];
}

/** A guest that says `up`, again and again, and powers off when it is asked to. */
export async function telling(): Promise<string[]> {
  return [...await booted("telling", TELLING, ["-nographic"]), "-nographic"];
}

/**
 * A guest that runs the lines that are typed at its first console, as in {@linkcode LOOP}; it has said that it is ready.
 *
 * @param consoles How many it has: so many `-serial` are to be among its options, or none for a single one.
 */
export async function listening(consoles = 1): Promise<string[]> {
  const others = Array.from({ length: consoles - 1 }, () => ["-serial", "null"]).flat();
  const args = ["-nographic", "-serial", "stdio", ...others];
  return [...await booted(`listening-${consoles}`, LOOP, args), "-nographic"];
}

/** A listening guest whose machine has a window, on the screen that `how` names. */
export async function listeningInWindow(how: How): Promise<string[]> {
  return await booted("listening-in-window", LOOP, [], how);
}

/** A line for a listening guest, after which it does not power off when it is asked to. */
export const DEAF = "killall dd\n";
