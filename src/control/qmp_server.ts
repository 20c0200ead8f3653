/** QMP, qemu's protocol for programs that control a machine, at a socket or on standard input and output. */

import { inTime } from "../host/in_time.ts";
import { listen, type Listening, type Place, wordPlace } from "../machine/listen.ts";
import type { RunContext } from "../machine/run_context.ts";
import type { ControlledMachine } from "./controlled_machine.ts";
import { QMPClient, type QMPStream } from "./qmp_client.ts";

/** Where clients are. */
export type QMPPlace =
  /** Where vzrun listens; with `wait` the machine starts when a client has come. */
  | (Place & { kind: "listen"; wait: boolean })
  /** Who listens. */
  | (Place & { kind: "connect" })
  | { kind: "stdio" };

/** How many clients there may be at once; further ones wait in the system's queue. */
const CLIENTS = 64;

/** How soon an accept that has failed is tried again, in milliseconds. */
const RETRY = 1_000;

/** How long a client may take for the last of what it is told, in milliseconds. */
const LAST_WORDS = 1_000;

const STDIO: QMPStream = {
  read: (buffer) => Deno.stdin.read(buffer),
  write: (bytes) => Deno.stdout.write(bytes),
  close: () => Deno.stdin.close(),
};

/** Serves clients from when there is a machine until it is disposed of, which ends their connections. */
export class QMPServer implements AsyncDisposable {
  readonly #clients = new Map<QMPClient, Promise<void>>();
  readonly #come = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #accepting: Promise<void> = Promise.resolve();
  #isOver = false;
  #room = Promise.withResolvers<void>();

  private constructor(readonly place: QMPPlace, readonly opened: Listening | QMPStream) {}

  /**
   * Listens, or connects. Nobody is served yet: clients wait.
   *
   * @throws {FileError} When that cannot be.
   */
  static async open(place: QMPPlace): Promise<QMPServer> {
    if (place.kind === "stdio") return new QMPServer(place, STDIO);
    if (place.kind === "listen") return new QMPServer(place, await listen(place));
    return new QMPServer(place, await connect(place));
  }

  /**
   * Serves clients.
   *
   * @returns Settles when the machine may start: at once, or with `wait` when a client has come.
   */
  async serve(machine: ControlledMachine, { result }: Pick<RunContext, "result">): Promise<void> {
    if (!("listener" in this.opened)) return this.#enter(this.opened, machine);
    const { listener, place } = this.opened;
    this.#accepting = this.#accept(listener, machine);
    if (this.place.kind !== "listen" || !this.place.wait) return;
    result(`QMP waits for a client at ${place}`);
    await this.#come.promise;
  }

  async #accept(listener: Listening["listener"], machine: ControlledMachine): Promise<void> {
    while (!this.#isOver) {
      try {
        this.#enter(await listener.accept(), machine);
      } catch {
        await inTime(this.#over.promise, RETRY); // too many files are open, or it is over
      }
      if (this.#clients.size < CLIENTS) continue;
      this.#room = Promise.withResolvers();
      await Promise.race([this.#room.promise, this.#over.promise]);
    }
  }

  #enter(stream: QMPStream, machine: ControlledMachine): void {
    const client = new QMPClient(stream, machine);
    const served = client.serve().then(() => {
      this.#clients.delete(client);
      this.#room.resolve();
    });
    this.#clients.set(client, served);
    this.#come.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#over.resolve();
    const clients = [...this.#clients.keys()];
    await inTime(Promise.all(clients.map(({ drained }) => drained)), LAST_WORDS);
    if ("listener" in this.opened) await this.opened.close(this.#accepting);
    for (const client of clients) client.close();
  }
}

async function connect(place: Place): Promise<Deno.Conn> {
  const { FileError, reasonOf } = await import("../host/error.ts");
  try {
    if ("path" in place) return await Deno.connect({ transport: "unix", path: place.path });
    return await Deno.connect({ hostname: place.host, port: place.port });
  } catch (error) {
    throw new FileError(`cannot connect to ${wordPlace(place)}: ${reasonOf(error)}`, { cause: error });
  }
}
