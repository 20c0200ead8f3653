/** What a probe is, and what all of them use. */

import type { Lab } from "./lab.ts";

/** Whether a Mac does what src/ was written for. */
export type Answer = "yes" | "no" | "unclear";

/** What came of a probe. */
export interface Finding {
  seen: string;
  answer: Answer;
}

/** A question that only a Mac can answer. */
export interface Probe {
  /** Short, as it is named on the command line. */
  name: string;
  question: string;
  /** What is taken for a yes. */
  expected: string;
  run(lab: Lab): Promise<Finding> | Finding;
}

/** A finding that is clear. */
export function found(holds: boolean, seen: string): Finding {
  return { seen, answer: holds ? "yes" : "no" };
}

/** What nobody can tell from here, and why. */
export function unclear(seen: string): Finding {
  return { seen, answer: "unclear" };
}

/** Lets some milliseconds pass. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until something is so. @returns Whether it was, in time. */
export async function until(isSo: () => unknown | Promise<unknown>, seconds: number): Promise<boolean> {
  for (const end = performance.now() + seconds * 1000; !await isSo();) {
    if (performance.now() > end) return false;
    await pause(20);
  }
  return true;
}
