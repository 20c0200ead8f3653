/** The table of vfkit's options: the parser and the help text are made of it. */

import type { Place } from "../../machine/listen.ts";
import type { Verbosity } from "../log.ts";
import { UsageError } from "../usage_error.ts";
import { parseDevice } from "./devices.ts";
import type { Bootloader, Line } from "./line.ts";
import { parseNumber, splitWords, Words } from "./words.ts";

/** One option. */
export interface Option {
  name: string;
  short?: string;
  /** What its value is called in the help text; without it the option takes none. */
  value?: string;
  /** May be given more than once. */
  several?: boolean;
  help: string;
  /**
   * Puts it into the line.
   *
   * @throws {UsageError} With what was expected, when the value does not fit.
   */
  apply(line: Line, value: string): unknown;
}

/** As quotes protect what is between them, and are taken off. */
const unquoted = (text: string) => /^".*"$/s.test(text) ? text.slice(1, -1) : text;

/** `--bootloader`'s. */
function parseBootloader(text: string): Bootloader {
  const [type, ...words] = splitWords(text, true).map(unquoted);
  if (type === "linux") {
    const given = new Words("linux", words, { kernel: "value", initrd: "value", cmdline: "value" });
    const [initrd, commandLine] = [given.get("initrd"), given.get("cmdline")];
    return {
      type,
      kernel: given.need("kernel"),
      ...initrd !== undefined && { initrd },
      ...commandLine !== undefined && { commandLine: unquoted(commandLine) },
    };
  }
  if (type === "efi") {
    const given = new Words("efi", words, { "variable-store": "value", create: "flag" });
    return { type, store: given.need("variable-store"), create: given.has("create") };
  }
  if (type === "macos") throw new UsageError("guests are Linux");
  throw new UsageError(`unknown bootloader '${type}': known are efi, linux`);
}

/** `--restful-uri`'s; nothing for `none://`. */
function parseURI(text: string): Place | undefined {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/s.exec(text) ?? [];
  if (scheme === "none") return undefined;
  if (scheme === "unix") {
    if (!rest.startsWith("/")) throw new UsageError("expected unix:// and a path from the root");
    return { path: decoded(rest.replace(/^\/+/, "/")) };
  }
  const [, host, port] = /^(.*):(\d+)$/s.exec(rest ?? "") ?? [];
  if (!(scheme === "tcp" || scheme === "http") || !host || Number(port) > 65_535) {
    throw new UsageError("expected tcp://HOST:PORT, unix://PATH or none://");
  }
  return { host: host.replace(/^\[(.*)\]$/, "$1"), port: Number(port) };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // a % that is meant
  }
}

const LEVELS: Record<string, Verbosity> = { debug: "verbose", info: "normal", error: "quiet" };

function parseLevel(text: string): Verbosity {
  if (Object.hasOwn(LEVELS, text)) return LEVELS[text];
  throw new UsageError(`it is one of ${Object.keys(LEVELS).join(", ")}`);
}

/** All options, in the order of the help text. */
export const OPTIONS: readonly Option[] = [
  {
    name: "cpus",
    short: "c",
    value: "N",
    help: "processors; 1",
    apply: (line, value) => line.cpus = parseNumber(value, "number of processors", 1),
  },
  {
    name: "memory",
    short: "m",
    value: "MIB",
    help: "memory in MiB; 512",
    apply: (line, value) => line.memory = parseNumber(value, "size in MiB", 1),
  },
  {
    name: "bootloader",
    short: "b",
    value: "efi,variable-store=FILE[,create]|linux,kernel=FILE[,initrd=FILE][,cmdline=TEXT]",
    help: "what is booted; create makes a new store in the place of the old one",
    apply: (line, value) => line.bootloader = parseBootloader(value),
  },
  {
    name: "device",
    short: "d",
    value: "TYPE[,KEY=VALUE][,FLAG]",
    several: true,
    help: "a device; the list is below",
    apply: (line, value) => line.devices.push(parseDevice(value, line.program)),
  },
  {
    name: "kernel",
    short: "k",
    value: "FILE",
    help: "the older form: a kernel, with --initrd and --kernel-cmdline",
    apply: ({ older }, value) => older.kernel = value,
  },
  {
    name: "initrd",
    short: "i",
    value: "FILE",
    help: "its initial RAM disk",
    apply: ({ older }, value) => older.initrd = value,
  },
  {
    name: "kernel-cmdline",
    short: "C",
    value: "TEXT",
    help: "its command line",
    apply: ({ older }, value) => older.commandLine = value,
  },
  {
    name: "timesync",
    short: "t",
    value: "vsockPort=N",
    help: "qemu's agent at this port of the guest is told the time after a sleep",
    apply: (line, value) => {
      const words = new Words("timesync", splitWords(value), { vsockPort: "value" });
      line.timeSync = parseNumber(words.need("vsockPort"), "port", 1, 2 ** 32 - 2);
    },
  },
  {
    name: "restful-uri",
    value: "tcp://HOST:PORT|unix://PATH|none://",
    help: "where the machine is commanded by HTTP: /vm/state, /vm/inspect",
    apply: (line, value) => line.rest = parseURI(value),
  },
  {
    name: "ignition",
    value: "FILE",
    help: "what Ignition in the guest gets at port 1024 of its sockets",
    apply: (line, value) => line.ignition = value,
  },
  {
    name: "cloud-init",
    value: "FILE,FILE",
    help: "user-data, meta-data, network-config, by their names, for cloud-init in the guest",
    apply: ({ cloudInit }, value) => cloudInit.push(...splitWords(value, true).map(unquoted)),
  },
  {
    name: "nested",
    short: "n",
    help: "the guest can run machines of its own",
    apply: (line, value) => line.nested = value !== "false",
  },
  {
    name: "gui",
    help: "a window with the guest's screen",
    apply: (line, value) => line.gui = value !== "false",
  },
  {
    name: "pidfile",
    value: "FILE",
    help: "its process id is in this file as long as it runs",
    apply: (line, value) => line.pidFile = value,
  },
  {
    name: "log-level",
    value: "debug|info|error",
    help: "how much is said on stderr; info",
    apply: (line, value) => line.verbosity = parseLevel(value),
  },
  {
    name: "krun-log-level",
    value: "N",
    help: "krunkit's, of a library that is not here",
    apply: (_, value) => parseNumber(value, "level"),
  },
  {
    name: "version",
    short: "v",
    help: "the version of vfkit that this stands in for",
    apply: (line) => line.mode = line.mode === "help" ? "help" : "version",
  },
  {
    name: "help",
    short: "h",
    help: "this text",
    apply: (line) => line.mode = "help",
  },
];
