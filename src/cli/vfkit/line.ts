/** What a command line in vfkit's words says, before defaults of the machine's. */

import type { Place } from "../../machine/listen.ts";
import type { Verbosity } from "../log.ts";
import type { Device, Program } from "./devices.ts";

/** What is booted. */
export type Bootloader =
  | { type: "efi"; store?: string; create: boolean }
  | { type: "linux"; kernel: string; initrd?: string; commandLine?: string };

/** What was said. */
export interface Line {
  program: Program;
  mode: "run" | "help" | "version";
  cpus: number;
  /** In MiB. */
  memory: number;
  bootloader?: Bootloader;
  /** The older options for a kernel. */
  older: { kernel?: string; initrd?: string; commandLine?: string };
  devices: Device[];
  /** The port of the guest's agent. */
  timeSync?: number;
  rest?: Place;
  verbosity: Verbosity;
  gui: boolean;
  ignition?: string;
  cloudInit: string[];
  nested: boolean;
  pidFile?: string;
}

/** What an empty command line says. */
export function emptyLine(program: Program): Line {
  return {
    program,
    mode: "run",
    cpus: 1,
    memory: 512,
    older: {},
    devices: [],
    verbosity: "normal",
    gui: false,
    cloudInit: [],
    nested: false,
  };
}
