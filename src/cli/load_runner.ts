import { openAhead } from "../host/open_ahead.ts";

/** Loads what runs machines, while the framework that it needs is opened. */
export function loadRunner(): Promise<typeof import("./run_machine.ts")> {
  openAhead("Virtualization");
  return import("./run_machine.ts");
}
