/** A UDP port of the host's that leads to one of the guest's. Deno's own datagrams are not stable yet, Node's are. */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { Forward, Listener, Patience, Place, Route } from "./port_forward.ts";

/** How many clients are remembered; then the one goes that has sent nothing for longest. */
const CLIENTS = 1_000;

/** How many datagrams of one client may wait to be sent; further ones are dropped, as a system does. */
const QUEUE = 64;

/** A socket for addresses like this one. */
function socketFor(address: string): Socket {
  return createSocket(address.includes(":") ? { type: "udp6", ipv6Only: true } : { type: "udp4" });
}

function close(socket: Socket): Promise<void> {
  socket.removeAllListeners("message");
  return new Promise((resolve) => socket.close(resolve));
}

/** Sends datagrams to a place, and drops those that are too many. */
class Sender {
  #queued = 0;

  constructor(readonly socket: Socket, readonly to: Place, readonly failed: (error: unknown) => void) {}

  send(bytes: Uint8Array): void {
    if (this.#queued === QUEUE) return;
    this.#queued++;
    this.socket.send(bytes, this.to.port, this.to.hostname, (error) => {
      this.#queued--;
      if (error) this.failed(error); // it is lost, as datagrams may be
    });
  }
}

/** A client, which the guest knows by a socket of its own. */
class Client {
  /** Settles when it holds nothing any more. */
  readonly gone: Promise<void>;
  readonly #setGone: () => void;
  readonly #forget: () => void;
  #early: Uint8Array[] = [];
  #toGuest?: Sender;
  #timer?: ReturnType<typeof setTimeout>;
  #last = performance.now();
  #over = false;

  /** @param forget Called when it has ended. */
  constructor(answers: Sender, route: Route, idle: number, forget: () => void) {
    ({ promise: this.gone, resolve: this.#setGone } = Promise.withResolvers<void>());
    this.#forget = forget;
    this.#watch(idle);
    this.#open(answers, route);
  }

  /** Sends a datagram to the guest, as soon as it has an address. */
  send(bytes: Uint8Array): void {
    this.#last = performance.now();
    if (this.#toGuest) this.#toGuest.send(bytes);
    else if (this.#early.length < QUEUE) this.#early.push(bytes);
  }

  async end(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#forget();
    clearTimeout(this.#timer);
    if (this.#toGuest) await close(this.#toGuest.socket);
    this.#setGone();
  }

  /** Ends when nothing has gone either way for a while. */
  #watch(idle: number): void {
    const left = this.#last + idle - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.#watch(idle), Math.ceil(left));
    else this.end();
  }

  async #open(answers: Sender, route: Route): Promise<void> {
    try {
      const guest = await route.find();
      if (this.#over) return;
      const socket = socketFor(guest.hostname);
      this.#toGuest = new Sender(socket, guest, route.checkRoom);
      socket.on("error", (error) => {
        route.checkRoom(error);
        this.end();
      });
      socket.on("message", (bytes, { address, port }) => {
        if (port !== guest.port || address !== guest.hostname) return; // a stranger's
        this.#last = performance.now();
        answers.send(bytes);
      });
      this.#early.forEach((bytes) => this.#toGuest!.send(bytes));
      this.#early = [];
    } catch (error) {
      if (!this.#over) route.tellFailure(error);
      this.end();
    }
  }
}

/** Receives from clients, and lets each talk with the guest. */
export class UDPForward implements Listener {
  readonly port: number;
  readonly #socket: Socket;
  /** By address and port, the one that has sent last at the end. */
  readonly #clients = new Map<string, Client>();
  readonly #ending = new Set<Promise<void>>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.port = socket.address().port;
  }

  /** @throws {Error} The system's, when the port cannot be had. */
  static async listen({ hostAddress, hostPort }: Forward): Promise<UDPForward> {
    const socket = socketFor(hostAddress);
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once("error", reject);
        socket.bind(hostPort, hostAddress, resolve);
      });
    } catch (error) {
      await close(socket);
      throw error;
    }
    return new UDPForward(socket);
  }

  serve(route: Route, { idle }: Patience): void {
    this.#socket.removeAllListeners("error");
    this.#socket.on("error", route.checkRoom);
    this.#socket.on("message", (bytes, from) => this.#receive(bytes, from, route, idle));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of [...this.#clients.values()]) client.end();
    await Promise.all([close(this.#socket), ...this.#ending]);
  }

  #receive(bytes: Uint8Array, { address, port }: RemoteInfo, route: Route, idle: number): void {
    const key = `${address} ${port}`;
    const client = this.#clients.get(key) ??
      new Client(
        new Sender(this.#socket, { hostname: address, port }, route.checkRoom),
        route,
        idle,
        () => this.#forget(key),
      );
    this.#clients.delete(key);
    this.#clients.set(key, client);
    client.send(bytes);
    if (this.#clients.size > CLIENTS) this.#clients.values().next().value!.end();
  }

  #forget(key: string): void {
    const gone = this.#clients.get(key)!.gone.then(() => void this.#ending.delete(gone));
    this.#ending.add(gone);
    this.#clients.delete(key);
  }
}
