/** Probes of how machines end. They come after all that need the shared guest, since the first ends it. */

import { inTime } from "../../src/host/in_time.ts";
import { requireMacOS, UnavailableError } from "../../src/vz/mod.ts";
import { type Guest, isFree } from "./guest.ts";
import type { Lab } from "./lab.ts";
import { configuration, Machine, wordsOf } from "./machine.ts";
import { found, pause, type Probe, until } from "./probe.ts";

/** How long is watched whether a delegate is called, in milliseconds. */
const QUIET = 1000;

/** Whether this macOS is as new as that. */
function isAtLeast(version: string): boolean {
  try {
    requireMacOS("it", version);
    return true;
  } catch (error) {
    if (error instanceof UnavailableError) return false;
    throw error;
  }
}

/** The shared guest when it has powered off: by its power button, or by itself if it has none. */
async function endedGuest(lab: Lab): Promise<Guest> {
  const guest = await lab.guest();
  if (await guest.machine.ended(0)) return guest;
  await guest.machine.call("requestStopWithError:");
  if (await guest.machine.ended(10)) return guest;
  await guest.tell("poweroff -f", 1).catch(() => {}); // whose answer cannot come
  if (!await guest.machine.ended(10)) throw new Error("the guest does not power off");
  return guest;
}

/** In the order in which they are run. */
export const ENDING: readonly Probe[] = [
  {
    name: "can-stop",
    question: "Are canStop and stopWithCompletionHandler: there from macOS 12 on, and not before? (row 20)",
    expected: "as said",
    async run() {
      await using machine = await Machine.create(configuration());
      const has = ["canStop", "stopWithCompletionHandler:"].map((selector) => machine.respondsTo(selector));
      return found(has.every((one) => one === isAtLeast("12.0")), has.join(", "));
    },
  },
  {
    name: "can-request-stop",
    question: "Can a guest that runs be asked to stop? (row 21)",
    expected: "canRequestStop, canPause and canStop are YES, canResume is NO",
    async run(lab) {
      const { machine } = await lab.guest();
      const names = ["canRequestStop", "canPause", "canStop", "canResume"];
      const can: boolean[] = [];
      for (const name of names) can.push(Boolean(await machine.call(name)));
      return found(
        can.join() === "true,true,true,false",
        names.map((name, i) => `${name} ${can[i]}`).join(", "),
      );
    },
  },
  {
    name: "pause",
    question: "Does a guest pause and go on?",
    expected: "states paused and running",
    async run(lab) {
      const guest = await lab.guest();
      const errors = [await guest.machine.complete("pauseWithCompletionHandler:")];
      const paused = await guest.machine.state();
      errors.push(await guest.machine.complete("resumeWithCompletionHandler:"));
      const { out } = await guest.tell("echo awake");
      const failed = errors.filter((error) => error).map(wordsOf).join("; ");
      return found(!failed && paused === "paused" && out === "awake", failed || `${paused}, then “${out}”`);
    },
  },
  {
    name: "power-button",
    question: "Does requestStopWithError: press a power button that the guest obeys?",
    expected: "it powers off within 10 s",
    async run(lab) {
      const { machine } = await lab.guest();
      const start = performance.now();
      await machine.call("requestStopWithError:");
      const ended = await machine.ended(10);
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      return found(ended, ended ? `${await machine.state()} after ${seconds} s` : "it runs on");
    },
  },
  {
    name: "delegate-guest",
    question: "Which calls does the delegate get when a guest has powered off?",
    expected: "guestDidStopVirtualMachine:, once; the state is stopped",
    async run(lab) {
      const guest = await endedGuest(lab);
      await until(() => guest.machine.told.length > 0, 5);
      await pause(QUIET);
      const state = await guest.machine.state();
      const calls = guest.machine.told.join(", ") || "none";
      return found(
        calls === "guestDidStopVirtualMachine:" && state === "stopped",
        `${calls}; state ${state}`,
      );
    },
  },
  {
    name: "state-observed",
    question: "Is state key-value observable, for each of its values?",
    expected: "starting, running, pausing, paused, resuming, running, (stopping,) stopped",
    async run(lab) {
      const { observed } = (await endedGuest(lab)).machine;
      const seen = observed.join(", ");
      const expected = /^starting, running, (pausing, paused, resuming, running, )?(stopping, )?stopped$/;
      return found(expected.test(seen), seen || "nothing");
    },
  },
  {
    name: "pipe-closed",
    question: "Does the framework close a console's pipe when the machine has stopped?",
    expected:
      "its reader sees the end within 2 s of our closing our own end: `-serial unix` waits 5 s for it",
    async run(lab) {
      const { host } = await endedGuest(lab);
      host.closeWriting();
      const start = performance.now();
      const ended = await inTime(host.console.ended, 2000);
      return found(ended, ended ? `after ${Math.round(performance.now() - start)} ms` : "it stays open");
    },
  },
  {
    name: "disk-unlocked",
    question: "Is a disk's lock gone when its machine has stopped? (row 7: vzrun waits 3 s for it)",
    expected: "within 3 s",
    async run(lab) {
      const { host } = await endedGuest(lab);
      const start = performance.now();
      const free = await until(() => isFree(host.disk), 3);
      return found(free, free ? `after ${Math.round(performance.now() - start)} ms` : "still locked");
    },
  },
  {
    name: "delegate-stop",
    question: "Does stopWithCompletionHandler: call no method of the delegate?",
    expected: "none within a second; the state is stopped",
    async run() {
      await using machine = await Machine.create(configuration());
      const errors = [await machine.start(), await machine.stop()].filter((error) => error);
      await pause(QUIET);
      const state = await machine.state();
      const calls = machine.told.join(", ") || "none";
      const failed = errors.map(wordsOf).join("; ");
      return found(!failed && calls === "none" && state === "stopped", failed || `${calls}; state ${state}`);
    },
  },
];
