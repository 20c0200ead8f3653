/** What a run is, whichever front end's words have asked for it. */

import type { QMPPlace } from "../control/qmp_server.ts";
import type { Description } from "../machine/machine.ts";
import type { Place } from "../machine/listen.ts";
import type { SavedMachine } from "../machine/saved_machine.ts";
import type { Verbosity } from "./log.ts";
import type { Settings } from "./qemu/settings.ts";

/** The command lines that there are. */
export type FrontEnd = "qemu" | "vfkit";

/** How a run is ended from outside; see {@linkcode Shutdown}. */
export interface EndingOptions {
  /** How long a guest may take to power off before it is forced, in seconds. */
  grace: number;
  /** The exit code after a signal; by default a shell's, 128 and the signal's number. */
  exitCode?: number;
}

/** What a run is: plain data, which goes to a worker as it is. */
export interface RunOptions {
  description: Description;
  /** Whether the machine's screen is in a window. */
  window: boolean;
  /** Nothing is started, and the machine printed. */
  dryRun?: boolean;
  verbosity: Verbosity;
  pidFile?: string;
  /** The file that is there when systemd in the guest says that it is ready. */
  readyFile?: string;
  /** Where QMP is spoken. */
  qmp?: QMPPlace[];
  /** The machine waits for QMP's cont. */
  startsPaused?: boolean;
  /** Where vfkit's REST is spoken, and what `GET /vm/inspect` tells. */
  rest?: { place: Place; inspect: unknown };
  /** The file that Ignition in the guest is given. */
  ignition?: string;
  /** The guest's port at which qemu's agent is told the time when this computer was asleep. */
  timeSync?: number;
  ending?: EndingOptions;
}

/** A run that is about to begin. */
export interface Run extends RunOptions {
  /** The saved machine that goes on, which is kept from others. */
  saved?: SavedMachine;
}

/** A command line that was read. */
export type CommandLine =
  | { frontEnd: "qemu"; settings: Settings }
  | { frontEnd: "vfkit"; options: RunOptions };
