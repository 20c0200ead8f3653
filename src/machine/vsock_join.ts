/** Unix sockets of the host's that are joined with ports of the guest's. */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { closeConnection } from "../host/connection.ts";
import { FileError, reasonOf } from "../host/error.ts";
import { inTime } from "../host/in_time.ts";
import { StreamSocket } from "../host/stream_socket.ts";
import { duplexOf, join } from "./duplex.ts";
import { MachineError, toMachineError } from "./error.ts";
import { listen, type Listening } from "./listen.ts";
import type { Reporter } from "./run_context.ts";
import type { VsockJoin } from "./vsock.ts";
import type { Taker, VsockDevice } from "./vsock_device.ts";
import { hybridAnswer, hybridPortOf, LONGEST_LINE, readHybridRequest } from "./vsock_hybrid.ts";

/** The device, as far as it is needed. */
type Server = Pick<VsockDevice, "connect" | "serve" | "unserve">;

/** How many clients there may be at once; further ones wait in the system's queue. */
const CLIENTS = 4_096;

/** How soon an accept that has failed is tried again, in milliseconds. */
const RETRY = 1_000;

/** How long clients may take for the last of what the guest has sent, in milliseconds. */
const LAST_BYTES = 1_000;

/** What a client has said, and what it is joined with then. */
interface Asked {
  port: number;
  /** What came behind. */
  rest?: Uint8Array<ArrayBuffer>;
  /** What it gets before that. */
  answer?(hostPort: number): Uint8Array<ArrayBuffer>;
}

/** Somebody of the host's who is, or is to be, joined with the guest. */
interface Client {
  close(): void;
  /** Settles when it has got all that the guest has sent. */
  drained?: Promise<unknown>;
  done: Promise<void>;
}

/** A socket that clients connect to. */
interface Door {
  listening: Listening;
  /** What a client wants; nothing when it does not speak the protocol. */
  ask(client: Deno.UnixConn): Promise<Asked | undefined>;
}

/** Reads the line of Firecracker's protocol. */
async function askHybrid(client: Deno.UnixConn): Promise<Asked | undefined> {
  const bytes = new Uint8Array(LONGEST_LINE);
  for (let filled = 0;;) {
    const length = await client.read(bytes.subarray(filled));
    if (length === null) return undefined;
    filled += length;
    const request = readHybridRequest(bytes.subarray(0, filled));
    if (request === "wrong") return undefined;
    if (request !== "more") return { ...request, answer: hybridAnswer };
  }
}

async function openDoor(one: Exclude<VsockJoin, { kind: "listen" }>): Promise<Door> {
  const listening = await listen(one);
  if (one.kind === "hybrid") return { listening, ask: askHybrid };
  return { listening, ask: () => Promise.resolve({ port: one.port }) };
}

/** Joins that are open, until they are disposed of: that ends all connections and removes the sockets that they have made. */
export class VsockJoins implements AsyncDisposable {
  readonly #joins: readonly VsockJoin[];
  readonly #doors: readonly Door[];
  readonly #reporter: Pick<Reporter, "debug">;
  readonly #over = Promise.withResolvers<void>();
  readonly #clients = new Set<Client>();
  readonly #accepting: Promise<void>[] = [];
  #watcher?: Deno.FsWatcher;
  #watching?: Promise<void>;
  #isOver = false;
  #room = Promise.withResolvers<void>();

  private constructor(
    joins: readonly VsockJoin[],
    doors: readonly Door[],
    reporter: Pick<Reporter, "debug">,
  ) {
    [this.#joins, this.#doors, this.#reporter] = [joins, doors, reporter];
  }

  /**
   * Makes the sockets that clients connect to. They wait until they are served.
   *
   * @throws {MachineError} When one cannot be made; then none is left.
   */
  static async open(
    joins: readonly VsockJoin[],
    reporter: Pick<Reporter, "debug">,
  ): Promise<VsockJoins> {
    await using opened = new AsyncDisposableStack();
    const doors: Door[] = [];
    for (const [i, one] of joins.entries()) {
      if (one.kind === "listen") continue;
      try {
        const door = await openDoor(one);
        opened.defer(() => door.listening.close(Promise.resolve()));
        doors.push(door);
      } catch (error) {
        throw toMachineError(`vsock.join[${i}].path`, "", error);
      }
    }
    opened.move();
    return new VsockJoins(joins, doors, reporter);
  }

  /**
   * Joins clients with the guest, and the guest with whoever listens.
   *
   * @throws {MachineError} When the system does not tell of sockets that come.
   */
  async serve(device: Server): Promise<void> {
    for (const one of this.#joins) {
      if (one.kind === "listen") await device.serve(one.port, () => this.#offer(one.path, one.port));
    }
    for (const [i, one] of this.#joins.entries()) {
      if (one.kind === "hybrid") await this.#watch(one.path, `vsock.join[${i}].path`, device);
    }
    for (const door of this.#doors) this.#accepting.push(this.#accept(door, device));
  }

  async #accept({ listening, ask }: Door, device: Server): Promise<void> {
    while (!this.#isOver) {
      try {
        const client = await listening.listener.accept() as Deno.UnixConn;
        this.#keep(
          () => closeConnection(client),
          (kept) => this.#enter(client, listening.place, ask, device, kept),
        );
      } catch {
        await inTime(this.#over.promise, RETRY); // too many files are open, or it is over
      }
      if (this.#clients.size < CLIENTS) continue;
      this.#room = Promise.withResolvers();
      await Promise.race([this.#room.promise, this.#over.promise]);
    }
  }

  #keep(close: () => void, join: (client: Client) => Promise<void>): void {
    const client: Client = { close, done: Promise.resolve() };
    this.#clients.add(client);
    client.done = join(client).catch((error) => this.#debug(error.message)).then(() => {
      client.close();
      this.#clients.delete(client);
      this.#room.resolve();
    });
  }

  /** Joins a client with the port that it asks for. */
  async #enter(
    connection: Deno.UnixConn,
    place: string,
    ask: Door["ask"],
    device: Server,
    client: Client,
  ): Promise<void> {
    try {
      const asked = await ask(connection);
      if (!asked) return this.#debug(`${place}: a client does not begin with CONNECT and a port`);
      const { port, rest, answer } = asked;
      await using guest = await device.connect(port);
      if (answer) await connection.write(answer(guest.hostPort));
      const duplex = duplexOf(connection, rest);
      client.close = duplex.close;
      const joined = join(guest, duplex);
      client.drained = joined.drained;
      await joined.done;
    } catch (error) {
      this.#debug(`${place}: ${(error as Error).message}`);
    }
  }

  /** Whoever listens at a path for a connection of the guest's. */
  #offer(path: string, port: number): Taker | undefined {
    try {
      if (this.#isOver || this.#clients.size >= CLIENTS) return undefined;
      const peer = StreamSocket.connect(path);
      return (coming) =>
        this.#keep(() => peer.close(), async (client) => {
          const joined = join(await coming, peer);
          client.drained = joined.drained;
          await joined.done;
        });
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#debug(`port ${port} of the host's is refused to the guest: ${error.message}`);
      return undefined;
    }
  }

  /** The framework has no listener for all ports: those are listened at that there is a socket for. */
  async #watch(path: string, field: string, device: Server): Promise<void> {
    const [folder, socket] = [dirname(path), basename(path)];
    const known = new Map<number, string>();
    const look = async (names: Iterable<string>) => {
      for (const name of names) {
        const port = hybridPortOf(name, socket);
        if (port === undefined) continue;
        const isThere = await Deno.stat(`${folder}/${name}`).then(({ isSocket }) => isSocket, () => false);
        if (isThere === known.has(port)) continue;
        try {
          if (isThere) await device.serve(port, () => this.#offer(`${folder}/${name}`, port));
          else await device.unserve(port);
        } catch (error) {
          this.#debug(`${folder}/${name}: ${(error as Error).message}`);
          continue;
        }
        if (isThere) known.set(port, name);
        else known.delete(port);
      }
    };
    try {
      this.#watcher = Deno.watchFs(folder, { recursive: false });
    } catch (error) {
      throw new MachineError(`cannot watch '${folder}': ${reasonOf(error)}`, { field, cause: error });
    }
    await look(Array.from(Deno.readDirSync(folder), ({ name }) => name));
    const watch = async (watcher: Deno.FsWatcher) => {
      for await (const { paths } of watcher) await look(new Set(paths.map((path) => basename(path))));
    };
    this.#watching = watch(this.#watcher);
  }

  #debug(message: string): void {
    if (!this.#isOver) this.#reporter.debug(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#over.resolve();
    this.#watcher?.close();
    const accepting = Promise.all(this.#accepting);
    await Promise.all(this.#doors.map(({ listening }) => listening.close(accepting)));
    const clients = [...this.#clients];
    await inTime(Promise.all(clients.map(({ drained }) => drained)), LAST_BYTES);
    for (const client of clients) client.close();
    await Promise.all([accepting, this.#watching, ...clients.map(({ done }) => done)]);
  }
}
