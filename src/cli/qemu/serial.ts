/** Consoles, in the words that qemu has for them. */

import type { Serial } from "../../machine/serial.ts";
import { type Answers, kindOf, type Notes, partsOf, readKeys } from "./answers.ts";
import { UsageError } from "./usage_error.ts";
import { onOff } from "./values.ts";

/** Where a console goes; a name of `-chardev`'s is looked up when the whole line is read. */
export type SerialSettings = Serial | "none" | { chardev: string };

export const SOCKET_KEYS = {
  server: { does: "vzrun listens, which it does anyway" },
  wait: { does: "the guest starts when a client has come; on by default after server=on, as in qemu" },
  nodelay: { so: "small pieces are sent at once", values: ["on"], cannot: "small pieces are sent at once" },
  telnet: { does: "with tcp: the console speaks telnet's protocol" },
  websocket: { cannot: "a console speaks plainly, or telnet" },
  reconnect: { cannot: "vzrun listens, and connects to nobody" },
  "reconnect-ms": { cannot: "vzrun listens, and connects to nobody" },
  logfile: { cannot: "a console in a file is file:PATH" },
} satisfies Answers;

/** What stands behind the place of a socket: `server=on,wait=off`, in old lines `server,nowait`. */
function socketWords(
  rest: [string, string?][],
  listens: boolean,
  notes: Notes,
): { wait: boolean; telnet: boolean } {
  const parts = rest.map(([key, value]): [string, string?] =>
    key === "nowait" ? ["wait", "off"] : [key, value]
  );
  const { server, wait, telnet } = readKeys(parts, SOCKET_KEYS, notes, [
    "server",
    "wait",
    "telnet",
    "nodelay",
  ]);
  if (server === undefined ? !listens : !onOff(server, "server")) {
    throw new UsageError("vzrun listens, and connects to nobody: server=on");
  }
  return {
    wait: wait === undefined ? server !== undefined : onOff(wait, "wait"),
    telnet: telnet !== undefined && onOff(telnet, "telnet"),
  };
}

/** A console at a unix socket. */
export function unixSerial(path: string, rest: [string, string?][], notes: Notes): Serial {
  const { wait, telnet } = socketWords(rest, true, notes);
  if (telnet) throw new UsageError("telnet= goes with a host and a port");
  return { kind: "unix", path, ...wait && { wait } };
}

/** A console at `[HOST]:PORT`. */
export function tcpSerial(place: string, rest: [string, string?][], telnet: boolean, notes: Notes): Serial {
  const [, host, port] = /^(.*):(\d+)$/s.exec(place) ?? [];
  if (port === undefined || Number(port) > 65535) {
    throw new UsageError("expected HOST:PORT, as in localhost:4444");
  }
  const words = socketWords(rest, false, notes);
  return {
    kind: "tcp",
    // Nobody else is let in unasked: the console is a shell, often root's.
    host: host.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1",
    port: Number(port),
    ...words.wait && { wait: true },
    ...(telnet || words.telnet) && { telnet: true },
  };
}

/** Of `-serial` and, without what is `-serial`'s alone, of `-chardev`. */
export const SERIAL_KINDS: Answers = {
  stdio: { does: "the terminal, or standard input and output" },
  pty: { does: "a pseudo-terminal, which is told" },
  "pty,wait": { does: "ours: the guest starts when somebody has opened it" },
  file: { does: "a file" },
  unix: { does: "a unix socket at which vzrun listens" },
  tcp: { does: "a port at which vzrun listens with server=on, on 127.0.0.1 unless a host is named" },
  telnet: { does: "the same, in telnet's protocol" },
  null: { does: "nowhere" },
  none: { does: "no console device" },
  "mon:stdio": { does: "the terminal with its keys; there is no monitor behind them" },
  chardev: { does: "the console that -chardev has described" },
  vc: { cannot: "the window shows the guest's screen only: -serial pty, or stdio" },
  udp: { cannot: "a console needs a connection: tcp:HOST:PORT,server=on" },
  websocket: { cannot: "a console is on tcp:HOST:PORT,server=on" },
  pipe: { cannot: "-serial pty, or a unix socket" },
  msmouse: { cannot: "the pointer is a USB one" },
  braille: { cannot: "there is no braille device" },
  "/dev": { cannot: "a serial device of the host cannot be the guest's: -serial pty, and socat joins them" },
};

/** What Ctrl-C is, of stdio. */
export const SIGNAL = {
  signal: {
    so: "Ctrl-C is the guest's",
    values: ["off"],
    cannot: "Ctrl-C is the guest's; Ctrl-A x ends the machine",
  },
} satisfies Answers;

/** `-serial`'s. */
export function parseSerial(text: string, notes: Notes): SerialSettings {
  const [, kind, rest] = /^([^:,]*)(?::(.*))?$/s.exec(text.replace(/,.*$/s, "")) ?? [];
  const [first, ...words] = partsOf(text);
  const place = first?.[1] === undefined ? first?.[0] ?? "" : `${first[0]}=${first[1]}`;
  const after = place.slice((kind ?? "").length + 1);
  if (rest === undefined) {
    if (kind === "none" && words.length === 0) return kind;
    if (kind === "null" && words.length === 0) return { kind };
    if (kind === "stdio") {
      readKeys(words, SIGNAL, notes);
      return { kind };
    }
    if (text === "pty" || text === "pty,wait") return { kind: "pty", wait: text !== "pty" };
  } else if (kind === "unix") {
    return unixSerial(after, words, notes);
  } else if (kind === "file") {
    // As in qemu, all that follows is the path; but for this, which is no path's end.
    const [, path, append = "off"] = /^file:(.*?)(?:,append=([^,]*))?$/s.exec(text)!;
    return { kind: "file", path, ...onOff(append, "append") && { append: true } };
  } else if (kind === "tcp" || kind === "telnet") {
    return tcpSerial(after, words, kind === "telnet", notes);
  } else if (kind === "mon") {
    if (after !== "stdio") throw new UsageError("there is no monitor: mon:stdio has the terminal's keys");
    return parseSerial(text.slice("mon:".length), notes);
  } else if (kind === "chardev" && words.length === 0) {
    return { chardev: after };
  }
  kindOf(SERIAL_KINDS, text.startsWith("/dev/") ? "/dev" : kind ?? "");
  throw new UsageError(
    "expected stdio, pty, pty,wait, file:PATH, unix:PATH, tcp:HOST:PORT,server=on, null or none",
  );
}
