/** Where QMP is spoken, in qemu's words. */

import type { QMPPlace } from "../../control/qmp_server.ts";
import type { Serial } from "../../machine/serial.ts";
import { type Answers, type Notes, partsOf, readKeys } from "./answers.ts";
import { UsageError } from "./usage_error.ts";
import { onOff } from "./values.ts";

/** What goes with a socket of `-qmp`. */
export const QMP_KEYS = {
  server: { does: "on: vzrun listens, which it does at a unix socket anyway; off: it connects" },
  wait: { does: "the guest starts when a client has come; on by default after server=on, as in qemu" },
  nodelay: { so: "small pieces are sent at once", values: ["on"], cannot: "small pieces are sent at once" },
  reconnect: { cannot: "a connection that has ended is not made again" },
  "reconnect-ms": { cannot: "a connection that has ended is not made again" },
  telnet: { cannot: "QMP is for programs" },
  websocket: { cannot: "QMP is spoken plainly" },
} satisfies Answers;

/** `-qmp`'s. */
export function parseQMP(text: string, notes: Notes): QMPPlace {
  const [first, ...words] = partsOf(text);
  const place = first?.[1] === undefined ? first?.[0] ?? "" : `${first[0]}=${first[1]}`;
  if (place === "stdio" && words.length === 0) return { kind: "stdio" };
  const [, path] = /^unix:(.+)$/s.exec(place) ?? [];
  const [, host, port] = /^tcp:(.*):(\d+)$/s.exec(place) ?? [];
  if (path === undefined && (port === undefined || Number(port) > 65535)) {
    throw new UsageError("expected unix:PATH, tcp:HOST:PORT,server=on or stdio");
  }
  const old: Record<string, [string, string]> = { nowait: ["wait", "off"] };
  const parts = words.map(([key, value]): [string, string?] =>
    value === undefined && old[key] || [key, value]
  );
  const { server, wait } = readKeys(parts, QMP_KEYS, notes, ["server", "wait", "nodelay"]);
  if (server === undefined && path === undefined) {
    throw new UsageError("server=on is missing: vzrun listens; or server=off: it connects");
  }
  const where = path !== undefined
    ? { path }
    : { host: host.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1", port: Number(port) };
  if (server !== undefined && !onOff(server, "server")) {
    if (wait !== undefined) throw new UsageError("wait= goes with server=on");
    return { kind: "connect", ...where };
  }
  return { kind: "listen", ...where, wait: wait === undefined ? server !== undefined : onOff(wait, "wait") };
}

/** The place of a `-chardev` that `-mon mode=control` has. */
export function toQMPPlace(port: Serial): QMPPlace {
  if (port.kind === "stdio") return { kind: "stdio" };
  const { wait = false } = port.kind === "unix" || port.kind === "tcp" ? port : {};
  if (port.kind === "unix") return { kind: "listen", path: port.path, wait };
  if (port.kind === "tcp") return { kind: "listen", host: port.host, port: port.port, wait };
  throw new UsageError("QMP is at a socket, or on stdio");
}
