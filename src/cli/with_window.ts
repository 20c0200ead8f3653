/** A run with a window: the program runs in a worker, and the main thread belongs to AppKit. */

import { becomeMultithreaded } from "../host/threads.ts";
import { MainThread } from "../window/mod.ts";
import type { CommandLine } from "./run_options.ts";

/** What the worker says: that it needs the application, and, always last, the exit code. */
export type FromWorker = "window" | { exitCode: number };

/** What it is told: what to run, and then that the application has launched. */
export type ToWorker = CommandLine | "application";

/** Runs the program in a worker. @returns The exit code. */
export async function runWithWindow(line: CommandLine): Promise<number> {
  becomeMultithreaded();
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module", name: "vzrun" });
  const tell = (message: ToWorker) => worker.postMessage(message);
  const said = () =>
    new Promise<FromWorker>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  tell(line);
  const first = await said();
  if (first !== "window") return first.exitCode;

  const exit = said();
  const thread = new MainThread("vzrun", () => tell("application"));
  thread.run(); // from here on JavaScript is the worker's only
  const last = await exit;
  if (last === "window") throw new TypeError("the worker has asked for a second window");
  return last.exitCode;
}
