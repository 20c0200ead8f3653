/** Sockets between the host and the guest, in the words of the command line. */

import type { VsockJoin } from "../../machine/vsock.ts";
import { type Answers, partsOf, readKeys } from "./answers.ts";
import { UsageError } from "./usage_error.ts";
import { parseCount } from "./values.ts";

const PATH = { does: "the unix socket" };
const PORT = { does: "the port of the vsock socket" };

const KEYS: Readonly<Record<"connect" | "listen" | "hybrid", Answers>> = {
  connect: { port: PORT, path: PATH },
  listen: { port: PORT, path: PATH },
  hybrid: { path: PATH },
};

/** `-vsock`'s. */
export function parseVsock(text: string): VsockJoin {
  const [first, ...rest] = partsOf(text);
  const isHybrid = first?.[1] !== undefined;
  const kind = isHybrid ? "hybrid" : first?.[0];
  if (kind !== "connect" && kind !== "listen" && kind !== "hybrid") {
    throw new UsageError("expected connect,port=N,path=PATH, or listen,port=N,path=PATH, or path=PATH");
  }
  if (isHybrid) rest.unshift(first);
  if (isHybrid && rest.some(([key]) => key === "port")) {
    throw new UsageError("port= goes with connect and listen");
  }
  const { port, path } = readKeys(rest, KEYS[kind], []);
  if (path === undefined) throw new UsageError("path=PATH is missing");
  if (kind === "hybrid") return { kind, path };
  if (port === undefined) throw new UsageError("port=N is missing");
  return { kind, port: parseCount(port), path };
}

/** Keys of qemu's device. */
export const VSOCK_DEVICE_KEYS: Answers = {
  "guest-cid": { so: "which CID the guest has is the framework's to choose" },
  vhostfd: { cannot: "the framework has no part in the host's kernel" },
  "force-legacy": { cannot: "devices are virtio 1" },
  seqpacket: { so: "streams are what there is", values: ["off"], cannot: "streams are what there is" },
};

/** `-timesync`'s. */
export function parseTimeSync(text: string): number {
  const { vsockPort } = readKeys(partsOf(text), { vsockPort: { does: "the agent's port" } }, []);
  if (vsockPort === undefined) throw new UsageError("vsockPort=N is missing");
  const port = parseCount(vsockPort);
  if (port >= 1 && port < 2 ** 32 - 1) return port;
  throw new UsageError("a port is from 1 to 4294967294");
}

/** Where Ignition asks for its file. */
const IGNITION = 1024;

/** What its file and what else the guest's sockets lead to have against each other. */
export function checkIgnition(joins: readonly VsockJoin[]): void {
  if (!joins.some((join) => join.kind === "listen" && join.port === IGNITION)) return;
  throw new UsageError(`-ignition and -vsock listen,port=${IGNITION} exclude each other: both answer there`);
}
