/** Ports of the host's that lead to ports of the guest's. */

import { reasonOf } from "../host/error.ts";
import { MachineError } from "./error.ts";
import { TCPForward } from "./port_forward_tcp.ts";
import type { RunContext } from "./run_context.ts";

/** A port of the host's that leads to one of the guest's. */
export interface Forward {
  /** What goes through it. */
  protocol: "tcp" | "udp";
  /** Where the host listens: `127.0.0.1`, `::1`, or all that it has: `0.0.0.0`. */
  hostAddress: string;
  /** 1 to 65535. */
  hostPort: number;
  /** The guest's address, when it is not to be found out. */
  guestAddress?: string;
  /** Where the guest listens. */
  guestPort: number;
}

/** A place to connect to, or to send to. */
export interface Place {
  /** An address. */
  hostname: string;
  /** One of its ports. */
  port: number;
}

/** From where the host comes to a port of a guest's. */
export type Reach = (address: string, port: number, protocol: Forward["protocol"]) => Promise<Place>;

/** The way to the guest, for the clients of a forward. */
export interface Route {
  /** Waits until the guest has an address; fails when the machine ends. */
  find(): Promise<Place>;
  /** Says that a client could not be let through: once to everybody, when the system is the reason. */
  tellFailure(error: unknown): void;
  /** Says, once, that there are too few file descriptors, if it is that. */
  checkRoom(error: unknown): void;
}

/** How long things may take, in milliseconds. */
export interface Patience {
  /** To try a guest again that cannot be reached. */
  unreachable: number;
  /** To remember a client of a UDP port that sends nothing and gets nothing. */
  idle: number;
}

/** What listens at a forward's port. */
export interface Listener extends AsyncDisposable {
  /** Where. */
  readonly port: number;
  /** Lets clients through, and those that have come already. */
  serve(route: Route, patience: Patience): void;
}

const PATIENCE: Patience = { unreachable: 60_000, idle: 60_000 };

/** What the system says when a port cannot be had. */
const REASONS: Record<string, string> = {
  EADDRINUSE: "it is in use",
  EADDRNOTAVAIL: "this host has no such address",
  EACCES: "permission denied",
};

/** `127.0.0.1:2222 (tcp)` */
function wordPort({ protocol, hostAddress, hostPort }: Forward, port = hostPort): string {
  return `${hostAddress.includes(":") ? `[${hostAddress}]` : hostAddress}:${port} (${protocol})`;
}

/** Of addresses at which all are meant, one. */
const ONE: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };

/** Whether somebody answers there: macOS lets one listen at an address while another listens at all. */
async function answers({ hostAddress, hostPort }: Forward): Promise<boolean> {
  if (hostPort === 0) return false;
  const client = await Deno.connect({ hostname: ONE[hostAddress] ?? hostAddress, port: hostPort }).catch(() =>
    null
  );
  client?.close();
  return client !== null;
}

async function listen(forward: Forward, field: string): Promise<Listener> {
  try {
    if (forward.protocol === "tcp") {
      if (await answers(forward)) throw Object.assign(new Error("in use"), { code: "EADDRINUSE" });
      return new TCPForward(forward);
    }
    const { UDPForward } = await import("./port_forward_udp.ts");
    return await UDPForward.listen(forward);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error; // this program's, and not the port's
    const reason = REASONS[(error as { code?: string }).code ?? ""] ?? reasonOf(error);
    throw new MachineError(`cannot listen at ${wordPort(forward)}: ${reason}`, { field, cause: error });
  }
}

const LOCAL_NETWORK =
  "macOS 15 and newer refuse programs the local network until they are allowed: System Settings, Privacy & " +
  "Security, Local Network; allow the terminal, or what has run this, and run it again";

function isUnreachable(error: unknown): boolean {
  return (error as Error).message.includes("No route to host");
}

/** What a failed connection with a guest says, and what to do where that is known. */
export function wordUnreachable(error: unknown): string {
  const { message } = error as Error;
  return isUnreachable(error) ? `${message} (${LOCAL_NETWORK})` : message;
}

/** What listens for a machine, until it is disposed of: that ends all connections. */
export class Listeners implements AsyncDisposable {
  readonly #all: readonly [Forward, Listener][];
  #saidNoRoom = false;
  #saidUnreachable = false;

  /** Of forwards and what listens at them. */
  constructor(all: readonly [Forward, Listener][]) {
    this.#all = all;
  }

  /** Where it listens, in the order of the forwards. */
  get ports(): number[] {
    return this.#all.map(([, { port }]) => port);
  }

  /**
   * Lets clients through to the guest.
   *
   * @param target Its address; waits until it has one, and fails when the machine ends.
   */
  serve(
    target: () => Promise<string>,
    reach: Reach,
    { info, debug }: Pick<RunContext, "info" | "debug">,
    patience = PATIENCE,
  ): void {
    for (const [forward, listener] of this.#all) {
      const { protocol, guestAddress, guestPort } = forward;
      const place = wordPort(forward, listener.port);
      listener.serve({
        find: async () => await reach(guestAddress ?? await target(), guestPort, protocol),
        tellFailure: (error) => {
          const isSystems = isUnreachable(error) && !this.#saidUnreachable;
          if (isSystems) this.#saidUnreachable = true;
          (isSystems ? info : debug)(`${place}: no way to the guest: ${wordUnreachable(error)}`);
        },
        checkRoom: (error) => {
          const { code } = error as { code?: string };
          if (this.#saidNoRoom || code !== "EMFILE" && code !== "ENFILE") return;
          this.#saidNoRoom = true;
          info(`${place}: too many files are open to let all clients through at once`);
        },
      }, patience);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map(([, listener]) => listener[Symbol.asyncDispose]()));
  }
}

/**
 * Listens at the ports of all forwards; clients wait until they are served.
 *
 * @param field What the forwards are, for errors.
 * @throws {MachineError} When one cannot be had; then none is open.
 */
export async function listenAll(forwards: readonly Forward[], field: string): Promise<Listeners> {
  await using opened = new AsyncDisposableStack();
  const all: [Forward, Listener][] = [];
  for (const [i, forward] of forwards.entries()) {
    all.push([forward, opened.use(await listen(forward, `${field}[${i}]`))]);
  }
  opened.move();
  return new Listeners(all);
}
