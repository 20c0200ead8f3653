/** Sockets between the host and the guest that need no network: what they are joined with, and the check of it. */

import { exists, socketPathProblem } from "../host/files.ts";
import { checkOutput } from "../host/output_file.ts";
import type { Boot } from "./boot.ts";
import { MachineError, refusable } from "./error.ts";

/** Something of the host's that is joined with ports of the guest's. */
export type VsockJoin =
  /** Whoever connects to the socket at `path`, which is made, is joined with a port of the guest's. */
  | { kind: "connect"; port: number; path: string }
  /** A guest that connects to this port of the host's is joined with whoever listens at `path`, or refused. */
  | { kind: "listen"; port: number; path: string }
  /**
   * Firecracker's protocol: who connects to `path` writes `CONNECT 22` and a line's end, and when that has been answered
   * with `OK` and a port of the host's, is joined with port 22 of the guest's. A guest that connects to port 5 of the
   * host's is joined with whoever listens at `path_5`.
   */
  | { kind: "hybrid"; path: string };

/** A device for such sockets; what it says may be nothing. */
export interface Vsock {
  /** What they are joined with, beside the program itself. */
  join?: VsockJoin[];
  /** Whether systemd in the guest is to say when it is ready; with a kernel only, whose command line asks for it. */
  ready?: boolean;
}

/** Why a connection is not, or not any more. */
export type VsockFailure =
  /** Nobody listens there. */
  | "refused"
  /** The guest has ended it. */
  | "reset"
  /** It was closed on this side. */
  | "closed"
  /** The machine does not run, or not any more. */
  | "stopped"
  /** Another listens at the port. */
  | "taken";

/** A connection with the guest that cannot be, or has failed. */
export class VsockError extends Error {
  /** By which it is told apart. */
  override name = "VsockError";

  /** Of a reason, also in words. */
  constructor(readonly code: VsockFailure, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Port that no socket has: it stands for any. */
const ANY = 2 ** 32 - 1;

/** Whether there is such a port. */
export function isVsockPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < ANY;
}

/** Why a number is no port, in words. */
export function notVsockPort(port: number): string {
  return `${port} is no port of a socket of the guest's: 1 to ${ANY - 1}`;
}

function checkJoin(join: VsockJoin, field: string): void {
  const fail = (key: string, reason: string): never => {
    throw new MachineError(reason, { field: `${field}.${key}` });
  };
  if (join.kind !== "hybrid" && !isVsockPort(join.port)) fail("port", notVsockPort(join.port));
  const { path, kind } = join;
  const what = `cannot ${join.kind === "listen" ? "connect to" : "listen at"} '${path}'`;
  const longest = kind === "hybrid" ? `${path}_${ANY - 1}` : path; // a guest's port stands behind it
  const problem = path === "" ? "the path is empty" : socketPathProblem(longest);
  if (problem) fail("path", `${what}: ${problem}`);
  refusable(`${field}.path`, what, () => {
    if (kind !== "listen") checkOutput(path);
    if (exists(path) && !Deno.statSync(path).isSocket) fail("path", `${what}: it is there and no socket`);
  });
}

/**
 * Checks what sockets are joined with.
 *
 * @throws {MachineError} When it is not fit.
 */
export function checkVsock({ join = [], ready }: Vsock, boot: Boot): void {
  join.forEach((one, i) => checkJoin(one, `vsock.join[${i}]`));
  const names = join.map((one) => one.kind === "hybrid" ? "path=" : `${one.kind} with port ${one.port}`);
  const twice = names.findIndex((name, i) => names.indexOf(name) < i);
  if (twice >= 0) throw new MachineError(`${names[twice]} is given twice`, { field: `vsock.join[${twice}]` });
  if (ready && boot.kind === "efi") {
    throw new MachineError("what asks systemd for it is on a kernel's command line, which EFI gets none of", {
      field: "vsock.ready",
      remedy: "the framework has no SMBIOS strings; boot the kernel itself",
    });
  }
}

/** Where a kernel's command line asks systemd to say that it is ready. */
const NOTIFY = /(?:^|\s)"?systemd\.set_credential(?:_binary)?=vmm\.notify_socket:([^\s"]*)/;

/** The port of the host's that systemd is to use, unless a command line names another: "vz" and "ru", in ASCII. */
const READY_PORT = 0x767a7275;

/**
 * A kernel's command line that asks systemd to say when it is ready.
 *
 * @throws {MachineError} When it asks for what cannot be heard.
 */
export function withNotifySocket(commandLine: string, { join = [] }: Vsock): string {
  const isTaken = (port: number) => join.some((one) => one.kind === "listen" && one.port === port);
  if (NOTIFY.test(commandLine)) {
    const port = notifyPort(commandLine);
    if (!isTaken(port)) return commandLine;
    const reason = `listen with port ${port}, at which systemd is to say it, is given too`;
    throw new MachineError(reason, { field: "vsock.ready" });
  }
  let port = READY_PORT;
  while (isTaken(port)) port++;
  const word = `systemd.set_credential=vmm.notify_socket:vsock-stream:2:${port}`;
  const [kernels, inits] = /^(.*?)(\s--(?:\s.*)?)$/s.exec(commandLine)?.slice(1) ?? [commandLine, ""];
  return `${kernels} ${word}`.trimStart() + inits; // what follows -- is init's
}

/**
 * The port at which systemd says that it is ready.
 *
 * @throws {MachineError} When the command line names something else than a port of the host's.
 */
export function notifyPort(commandLine: string): number {
  const [, socket] = NOTIFY.exec(commandLine) ?? [];
  const [, port] = /^vsock(?:-stream)?:2:(\d+)$/.exec(socket ?? "") ?? [];
  if (port !== undefined && isVsockPort(Number(port))) return Number(port);
  const reason = `the command line has vmm.notify_socket:${socket}, where only vsock-stream:2:PORT is heard`;
  throw new MachineError(reason, { field: "vsock.ready" });
}
