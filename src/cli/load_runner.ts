import { openAhead } from "../host/open_ahead.ts";

/** Loads what runs machines, while the framework that it needs is opened. */
export function loadRunner(): Promise<typeof import("./run_machine.ts")> {
  try {
    openAhead("Virtualization");
  } catch {
    /* a library that is missing is told where it is needed, after what is wrong with the command line */
  }
  return import("./run_machine.ts");
}
