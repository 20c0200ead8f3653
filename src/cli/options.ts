/** The table of options: the parser, the help text and the README's table are made from it. */

import type { Serial } from "../machine/machine.ts";

/** What the command line says, before defaults. */
export interface Settings {
  kernel?: string;
  initrd?: string;
  append?: string;
  /** In bytes. */
  memory?: number;
  processors?: number;
  /** "none" stands for itself: no console device at all. */
  serial: (Serial | "none")[];
  mode: "run" | "dry-run" | "help" | "version";
  verbosity: "quiet" | "normal" | "verbose";
}

/** A command line that cannot be understood: one line that names what is wrong. */
export class UsageError extends Error {
  override name = "UsageError";
}

/** The sections of the help text. */
export type Group = "Boot" | "Devices" | "The program";

/** One option. Each name works with one dash or two. */
export interface Option {
  names: readonly string[];
  group: Group;
  /** What its value is called in the help text; without it the option takes none. */
  value?: string;
  help: string;
  /** May be given more than once. */
  several?: boolean;
  /** @throws {UsageError} With what was expected, when the value does not fit. */
  apply(settings: Settings, value: string): void;
}

const MiB = 1024 * 1024;
const UNITS: Record<string, number> = { "": MiB, k: 1024, m: MiB, g: 1024 * MiB, t: 1024 * 1024 * MiB };

/** A size as qemu's `-m` takes it, in bytes. */
function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmgt]?)$/i.exec(text);
  if (!match) throw new UsageError("expected a size in MiB, or with K, M or G, like 512 or 2G");
  return Number(match[1]) * UNITS[match[2].toLowerCase()];
}

function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError("expected a whole number");
  return Number(text);
}

function parseSerial(text: string): Serial | "none" {
  if (text === "none") return text;
  if (text === "stdio" || text === "null") return { to: text };
  if (text.startsWith("file:")) return { to: "file", path: text.slice("file:".length) };
  throw new UsageError("expected stdio, file:PATH, null or none");
}

/** All options, in the order of the help text. */
export const OPTIONS: readonly Option[] = [
  {
    names: ["kernel", "k"],
    group: "Boot",
    value: "FILE",
    help: "Linux kernel: a bzImage, or an uncompressed Image for arm64",
    apply: (settings, value) => settings.kernel = value,
  },
  {
    names: ["initrd", "initramfs", "i"],
    group: "Boot",
    value: "FILE",
    help: "initial RAM disk",
    apply: (settings, value) => settings.initrd = value,
  },
  {
    names: ["append", "a"],
    group: "Boot",
    value: "STRING",
    help: "kernel command line; console=hvc0 when none is given",
    apply: (settings, value) => settings.append = value,
  },
  {
    names: ["m"],
    group: "Devices",
    value: "SIZE",
    help: "memory in MiB, or with K, M, G; 4G or half of the host's, whichever is less",
    apply: (settings, value) => settings.memory = parseSize(value),
  },
  {
    names: ["smp", "p"],
    group: "Devices",
    value: "N",
    help: "processors; 4 or the host's, whichever is less",
    apply: (settings, value) => settings.processors = parseCount(value),
  },
  {
    names: ["serial"],
    group: "Devices",
    value: "stdio|file:PATH|null|none",
    help: "guest console: hvc0, then hvc1 …; stdio by default",
    several: true,
    apply: (settings, value) => settings.serial.push(parseSerial(value)),
  },
  {
    names: ["nographic"],
    group: "Devices",
    help: "no window (there is none yet)",
    apply: () => {},
  },
  {
    names: ["help", "h"],
    group: "The program",
    help: "this text",
    apply: (settings) => settings.mode = "help",
  },
  {
    names: ["version"],
    group: "The program",
    help: "the version",
    apply: (settings) => settings.mode = settings.mode === "help" ? "help" : "version",
  },
  {
    names: ["dry-run"],
    group: "The program",
    help: "check everything, start nothing, print the machine as JSON",
    apply: (settings) => settings.mode = settings.mode === "run" ? "dry-run" : settings.mode,
  },
  {
    names: ["quiet"],
    group: "The program",
    help: "nothing but errors on stderr",
    apply: (settings) => settings.verbosity = "quiet",
  },
  {
    names: ["verbose"],
    group: "The program",
    help: "every step on stderr",
    apply: (settings) => settings.verbosity = "verbose",
  },
];
