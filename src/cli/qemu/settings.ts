/** What a command line says, before defaults. */

import type { QMPPlace } from "../../control/qmp_server.ts";
import type { CloudInit } from "../../machine/cloud_init.ts";
import type { Display } from "../../machine/display.ts";
import type { Network } from "../../machine/network.ts";
import type { Share } from "../../machine/share.ts";
import type { VsockJoin } from "../../machine/vsock.ts";
import type { Verbosity } from "../log.ts";
import type { Notes } from "./answers.ts";
import type { DiskSettings } from "./drive.ts";
import type { SerialSettings } from "./serial.ts";
import { UsageError } from "./usage_error.ts";

/** Shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = typeof SHELLS[number];

/** What the command line says, before defaults. */
export interface Settings {
  kernel?: string;
  initrd?: string;
  append?: string;
  /** In bytes. */
  memory?: number;
  processors?: number;
  efi: boolean;
  efiVariables?: string;
  disks: DiskSettings[];
  /** Of all disks that do not say it themselves. */
  snapshot: boolean;
  /** What a cloud image is to be told. */
  cloudInit?: CloudInit;
  /** Files of public keys that let its user in. */
  sshKeys?: string[];
  shares: Share[];
  /** Tag of the Rosetta share; null when it is not wanted, undefined when nothing was said. */
  rosetta?: string | null;
  /** "none" stands for itself: no network at all. */
  network: (Network | "none")[];
  /** "none" stands for itself: no console device at all. */
  serial: SerialSettings[];
  /** What its sockets are joined with; undefined when it needs no device for them. */
  vsock?: VsockJoin[];
  /** Whether systemd is to say when the guest is ready, and the file that is there then. */
  ready?: { file?: string };
  /** The file that Ignition in the guest is given. */
  ignition?: string;
  /** The guest's port at which qemu's agent is told the time. */
  timeSync?: number;
  /** A window, or none; undefined when nothing was said. */
  display?: Partial<Display> | "none";
  /** A USB controller for disks that come while the machine runs. */
  usb?: boolean;
  /** The guest can have guests. */
  nested?: boolean;
  name?: string;
  machineId?: string;
  uuid?: string;
  pidFile?: string;
  /** The program goes on by itself when the machine runs. */
  daemonize?: boolean;
  /** Said in qemu's word, which has the console on the terminal. */
  nographic?: boolean;
  /** Where QMP is spoken. */
  qmp?: QMPPlace[];
  /** The machine waits for QMP's cont. */
  startsPaused?: boolean;
  /** The folder of the saved machine that is to go on. */
  incoming?: string;
  /** No network and no console but those that are asked for. */
  noDefaults: boolean;
  /** What the firmware is to try first. */
  bootFirst?: "cdrom" | "disk";
  /** Parts that are named in one option and described in another; see references.ts. */
  named?: NamedParts;
  /** What asks for a device that only a window has. */
  needsWindow?: string;
  /** What was taken because it is so anyway. */
  notes: Notes;
  /** What -help is asked of. */
  topic?: "qemu";
  mode: "run" | "dry-run" | "help" | "version" | "completions";
  /** Whose completions to print. */
  shell?: Shell;
  verbosity: Verbosity;
}

/** Parts that have a name, and who asks for them by it. */
export interface NamedParts {
  drives: Map<string, DiskSettings>;
  networks: Map<string, Network>;
  consoles: Map<string, Exclude<SerialSettings, { chardev: string }>>;
  /** Which of them are in use. */
  used: Set<string>;
  /** All other names, by what they are of. */
  ids: Set<string>;
  /** What is asked for as an accelerator; of several, one that there is is enough. */
  accelerators: { given: string; problem?: string }[];
  /** What is to be filled in, when all is read; before that, what is below what others use. */
  later: (() => void)[];
  below: (() => void)[];
  /** Of the old pair `-net nic -net user`. */
  old: { cards: { mac?: string }[]; networks: Network[] };
}

/** The named parts, which few command lines have. */
export function namedIn(settings: Settings): NamedParts {
  return settings.named ??= {
    drives: new Map(),
    networks: new Map(),
    consoles: new Map(),
    used: new Set(),
    ids: new Set(),
    accelerators: [],
    later: [],
    below: [],
    old: { cards: [], networks: [] },
  };
}

/** Gives a part a name, once. */
export function namePart<T>(parts: Map<string, T>, id: string, part: T): void {
  if (parts.has(id)) throw new UsageError(`id=${id} is given twice`);
  parts.set(id, part);
}

/** Takes a name for something that nobody else asks for, once. */
export function claimId(settings: Settings, of: string, id: string | undefined): void {
  if (id === undefined) return;
  const { ids } = namedIn(settings);
  if (ids.has(`${of} ${id}`)) throw new UsageError(`id=${id} is given twice`);
  ids.add(`${of} ${id}`);
}

/**
 * The part of a name, for whoever asks for it.
 *
 * @param who As it was given: `-serial chardev:c`.
 * @throws {UsageError} When there is none of that name, or it is in use.
 */
export function useNamed<T>(
  named: NamedParts,
  parts: Map<string, T>,
  option: string,
  id: string,
  who: string,
): T {
  const part = parts.get(id);
  if (part === undefined) throw new UsageError(`${who}: no -${option} has id=${id}`);
  const use = `${option} ${id}`;
  if (named.used.has(use)) throw new UsageError(`${who}: id=${id} is in use already`);
  named.used.add(use);
  return part;
}

/** Adds a console; one of a name is looked up at the end. */
export function addSerial(settings: Settings, port: SerialSettings, who: string): void {
  const i = settings.serial.push(port) - 1;
  if (typeof port !== "object" || !("chardev" in port)) return;
  const named = namedIn(settings);
  named.later.push(() => {
    settings.serial[i] = useNamed(named, named.consoles, "chardev", port.chardev, who);
  });
}

/** What an empty command line says. */
export function noSettings(): Settings {
  return {
    efi: false,
    disks: [],
    snapshot: false,
    shares: [],
    network: [],
    serial: [],
    noDefaults: false,
    notes: [],
    mode: "run",
    verbosity: "normal",
  };
}
