/** The values of options, each read from the words that qemu has for them. */

import type { Display } from "../../machine/display.ts";
import type { Share } from "../../machine/share.ts";
import { type Answer, answer, type Answers, kindOf, type Notes, partsOf, readKeys } from "./answers.ts";
import { UsageError } from "./usage_error.ts";

const UNITS: Record<string, number> = { "": 2 ** 20, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A size as qemu's `-m` takes it, in bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmgt]?)$/i.exec(text);
  if (!match) throw new UsageError("expected a size in MiB, or with K, M or G, like 512 or 2G");
  const bytes = Number(match[1]) * UNITS[match[2].toLowerCase()];
  if (!Number.isInteger(bytes)) throw new UsageError("expected a whole number of bytes");
  return bytes;
}

/** A whole number. */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError("expected a whole number");
  return Number(text);
}

/** One of some words; `what` is what the error calls it. */
export function oneOf<T extends string>(values: readonly T[], text: string, what: string): T {
  if ((values as readonly string[]).includes(text)) return text as T;
  throw new UsageError(`${what} is one of ${values.join(", ")}`);
}

/** A switch, in qemu's words for it. */
export function onOff(text: string, what: string): boolean {
  if (text === "yes" || text === "true") return true;
  if (text === "no" || text === "false") return false;
  return oneOf(["on", "off"], text, what) === "on";
}

/** The first part of a value may stand without its key, as in `-m 2G,slots=4`. */
export function withFirst(text: string, key: string): [string, string?][] {
  const [first, ...rest] = partsOf(text);
  if (!first) return [[key, ""]];
  return [first[1] === undefined ? [key, first[0]] : first, ...rest];
}

export const MEMORY_KEYS = {
  size: { does: "the memory" },
  slots: { does: "taken with maxmem" },
  maxmem: { does: "taken: memory that could be added later never is, which is said with -verbose" },
} satisfies Answers;

/** `-m`'s, in bytes. */
export function parseMemory(text: string, notes: Notes): number {
  const { size, slots, maxmem } = readKeys(withFirst(text, "size"), MEMORY_KEYS, notes);
  if (size === undefined) throw new UsageError("size=SIZE is missing");
  const memory = parseSize(size);
  if (slots !== undefined && parseCount(slots) > 0 && maxmem === undefined) {
    throw new UsageError(`slots=${slots} goes with maxmem=`);
  }
  if (maxmem !== undefined && parseSize(maxmem) < memory) {
    throw new UsageError(`maxmem=${maxmem} is less than ${size}`);
  }
  if (maxmem !== undefined) notes.push(`-m ${text}: it stays at ${size}, since no memory can be added later`);
  return memory;
}

export const SMP_KEYS = {
  cpus: { does: "how many there are" },
  sockets: { does: "goes into the number" },
  dies: { does: "goes into the number" },
  clusters: { does: "goes into the number" },
  modules: { does: "goes into the number" },
  drawers: { does: "goes into the number" },
  books: { does: "goes into the number" },
  cores: { does: "goes into the number" },
  threads: { does: "goes into the number" },
  maxcpus: { does: "taken: processors that could be added later never are, which is said with -verbose" },
} satisfies Answers;

/** `-smp`'s: how many. The guest sees them as the framework lays them out. */
export function parseProcessors(text: string, notes: Notes): number {
  const { cpus, maxcpus, ...topology } = readKeys(withFirst(text, "cpus"), SMP_KEYS, notes);
  const parts = Object.entries(topology).map(([key, count]) => [key, parseCount(count)] as const);
  const product = parts.reduce((all, [, count]) => all * count, 1);
  if (cpus === undefined && maxcpus === undefined && parts.length === 0) parseCount("");
  const most = maxcpus !== undefined ? parseCount(maxcpus) : undefined;
  const count = cpus !== undefined ? parseCount(cpus) : most ?? product;
  const whole = "sockets" in topology && "cores" in topology && "threads" in topology;
  const all = most ?? count;
  const fits = parts.length === 0 || (whole ? product === all : product > 0 && all % product === 0);
  if (!fits || all < count) {
    const words = [...parts, ...most === undefined ? [] : [["maxcpus", most]]].map(([key, n]) =>
      `${key}=${n}`
    );
    throw new UsageError(`${words.join(", ")} and ${count} processors contradict each other`);
  }
  if (all > count) notes.push(`-smp ${text}: it stays at ${count}, since no processor can be added later`);
  return count;
}

export const VIRTFS_KEYS = {
  path: { does: "the folder" },
  mount_tag: { does: "the tag" },
  readonly: { does: "the guest cannot write" },
  security_model: {
    so: "files are the host's own, and belong to who runs the machine",
    values: ["none", "passthrough"],
    cannot: "files are the host's own, and nothing is mapped: security_model=none",
  },
  id: { does: "its name, where several folders have one tag" },
  multidevs: {
    so: "files of several file systems are told apart",
    values: ["remap"],
    cannot: "they are told apart",
  },
  fmode: { cannot: "files have the modes that the guest gives them" },
  dmode: { cannot: "folders have the modes that the guest gives them" },
  writeout: { cannot: "when the host writes is its own to choose" },
} satisfies Answers;

/** `-virtfs`'s. */
export function parseVirtfs(text: string, notes: Notes): Share {
  const [driver, ...rest] = partsOf(text);
  if (driver?.[0] === "proxy" || driver?.[0] === "synth") {
    throw new UsageError("a share is a folder: local,path=DIR");
  }
  if (driver?.[0] !== "local" && !(driver?.[0] === "fsdriver" && driver[1] === "local")) {
    throw new UsageError("the first word is one of local");
  }
  const given = readKeys(rest, VIRTFS_KEYS, notes, ["readonly"]);
  if (given.path === undefined) throw new UsageError("path=DIR is missing");
  if (given.mount_tag === undefined) throw new UsageError("mount_tag=TAG is missing");
  return {
    tag: given.mount_tag,
    ...given.id !== undefined && { name: given.id },
    folder: given.path,
    readOnly: onOff(given.readonly ?? "off", "readonly"),
  };
}

/** `-share`'s: the tag, then `DIR` or `DIR,ro`. */
export function parseShare(tag: string, folder: string): Share {
  const readOnly = folder.endsWith(",ro");
  return { tag, folder: readOnly ? folder.slice(0, -",ro".length) : folder, readOnly };
}

const WINDOW_ONLY = "there is a window, or none: -display window";

export const DISPLAY_KINDS: Answers = {
  window: { does: "ours: a window" },
  none: { does: "no window" },
  cocoa: { does: "a window" },
  gtk: { does: "a window" },
  sdl: { does: "a window" },
  default: { does: "a window where there is a screen" },
  curses: { cannot: `${WINDOW_ONLY}; the console is on the terminal` },
  vnc: { cannot: WINDOW_ONLY },
  "spice-app": { cannot: WINDOW_ONLY },
  "egl-headless": { cannot: WINDOW_ONLY },
  dbus: { cannot: WINDOW_ONLY },
};

export const DISPLAY_KEYS = {
  width: { does: "ours: the width of the guest's screen" },
  height: { does: "ours: its height" },
  "full-grab": { does: "the guest gets the system's keys" },
  hidpi: { does: "ours: all of a Retina screen's pixels" },
  gl: { so: "the screen has no 3D", values: ["off"], cannot: "the framework gives Linux guests no 3D" },
  "show-cursor": { so: "the pointer is seen", values: ["on"], cannot: "the pointer is seen" },
  "window-close": {
    so: "closing the window asks the guest to power off",
    values: ["on"],
    cannot: "the window can be closed",
  },
  "zoom-to-fit": {
    so: "the guest's screen has the window's size",
    values: ["on"],
    cannot: "it has the window's size",
  },
  "grab-mod": { cannot: "the window's keys are macOS's" },
  "show-tabs": { cannot: "the window has no tabs" },
  "swap-opt-cmd": { cannot: "the window's keys are macOS's" },
  "left-command-key": { cannot: "the window's keys are macOS's" },
  "full-screen": {
    so: "it starts in a window",
    values: ["off"],
    cannot: "the window's green button fills the screen",
  },
} satisfies Answers;

/** `-display`'s. */
export function parseDisplay(text: string, notes: Notes): Partial<Display> | "none" {
  const [first, ...rest] = partsOf(text);
  const kind = first?.[0] ?? "";
  if (!kindOf(DISPLAY_KINDS, kind)) throw new UsageError("the display is one of window, none");
  if (kind === "none") {
    if (rest.length > 0) throw new UsageError("none takes nothing more");
    return "none";
  }
  const given = readKeys(rest, DISPLAY_KEYS, notes);
  return {
    ...given.width !== undefined && { width: parseCount(given.width) },
    ...given.height !== undefined && { height: parseCount(given.height) },
    ...given.hidpi !== undefined && { hidpi: onOff(given.hidpi, "hidpi") },
    ...given["full-grab"] !== undefined && { fullGrab: onOff(given["full-grab"], "full-grab") },
  };
}

export const NAME_KEYS = {
  guest: { does: "the machine's name" },
  "debug-threads": { so: "threads have names", values: ["on"], cannot: "threads have names" },
  process: { cannot: "the process is called vzrun" },
} satisfies Answers;

/** `-name`'s. */
export function parseName(text: string, notes: Notes): string {
  const { guest } = readKeys(withFirst(text, "guest"), NAME_KEYS, notes);
  if (guest === undefined) throw new UsageError("guest=NAME is missing");
  return guest;
}

/** Takes a value that is one word of a table. */
export function takeWord(words: Answers, text: string, option: string, notes: Notes): void {
  const found: Answer | undefined = Object.hasOwn(words, text) ? words[text] : undefined;
  if (!found) {
    throw new UsageError(`known are ${Object.keys(words).filter((word) => words[word].so).join(", ")}`);
  }
  if (found.does === undefined) answer(found, `${option} ${text}`, text, notes);
}

/** Where qemu takes a machine from that is on its way; here it can only have been saved. */
const SOURCES = /^(defer|(tcp|unix|rdma|fd|exec|socket|vsock):.*)$/s;

/** The folder of a saved machine: `file:PATH`. */
export function parseIncoming(text: string): string {
  const [, path] = /^file:(.+)$/s.exec(text) ?? [];
  if (path === undefined) {
    const why = SOURCES.test(text) ? "machines do not move from one computer to another: " : "";
    throw new UsageError(`${why}expected file:PATH, the folder of a saved machine`);
  }
  if (/,offset=[^,/]*$/.test(path)) throw new UsageError("offset=: a saved machine is a folder of its own");
  return path;
}
