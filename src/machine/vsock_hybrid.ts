/** Firecracker's protocol for a unix socket that leads to any port of the guest's. */

import { isVsockPort } from "./vsock.ts";

/** How long its line may be, in bytes, with its end. */
export const LONGEST_LINE = 32;

const LINE_END = 10;

/** What the first bytes of a client ask for. */
export type HybridRequest =
  /** A port of the guest's, which gets what comes behind the line. */
  | { port: number; rest: Uint8Array<ArrayBuffer> }
  /** Nothing yet: the line is not over. */
  | "more"
  /** Nothing that is of the protocol. */
  | "wrong";

/** Reads `CONNECT 22` and a line's end. */
export function readHybridRequest(bytes: Uint8Array<ArrayBuffer>): HybridRequest {
  const end = bytes.subarray(0, LONGEST_LINE).indexOf(LINE_END);
  if (end < 0) return bytes.length < LONGEST_LINE ? "more" : "wrong";
  const line = new TextDecoder().decode(bytes.subarray(0, end));
  const [, port] = /^\s*connect\s+(\d+)\s*$/i.exec(line) ?? [];
  if (port === undefined || !isVsockPort(Number(port))) return "wrong";
  return { port: Number(port), rest: bytes.subarray(end + 1) };
}

/** The answer to it. */
export function hybridAnswer(hostPort: number): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`OK ${hostPort}\n`);
}

/** The port whose connections the guest's go to a socket of a name: 5, of `path_5`. */
export function hybridPortOf(name: string, socket: string): number | undefined {
  const digits = name.startsWith(`${socket}_`) ? name.slice(socket.length + 1) : "";
  return /^[1-9]\d*$/.test(digits) && isVsockPort(Number(digits)) ? Number(digits) : undefined;
}
