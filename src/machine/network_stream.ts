/**
 * A network card on a stream, in the protocol of qemu's netdev `stream`: before each frame its length, in 4 bytes,
 * big-endian. The framework takes datagrams only, so here the frames do pass through: between a pair of sockets, which the
 * guest has for its whole life, and whoever is connected.
 */

import { dirname } from "@std/path/posix/dirname";
import { closeConnection, writeWhole } from "../host/connection.ts";
import { DatagramSocket, HEADER, MOST_FRAME } from "../host/datagram_socket.ts";
import { FileError, ignoreNotFound, reasonOf } from "../host/error.ts";
import { socketPathProblem } from "../host/files.ts";
import { inTime } from "../host/in_time.ts";
import type { NSObject } from "../objc/mod.ts";
import { listen, type Listening, type Place, wordPlace } from "./listen.ts";
import type { OpenedSocket } from "./network_dgram.ts";
import type { RunContext } from "./run_context.ts";

/** A card's stream. */
export interface StreamOptions {
  /** Whether to listen, for one peer at a time, instead of connecting. */
  server?: boolean;
  place: Place;
  /**
   * The pause before a connection is tried anew, in seconds; 1 when it is not said. When it is, the peer need not be there
   * at the start either.
   */
  reconnect?: number;
  /** What each peer gets before the first frame. */
  greeting?: Uint8Array<ArrayBuffer>;
}

/** The pause before a connection, or an accept that has failed, is tried anew, in seconds. */
const PAUSE = 1;

/** How much is read at once, in bytes. */
const BATCH = 512 * 1024;

type Peer = Deno.TcpConn | Deno.UnixConn;

/** A length that no frame has. */
class LengthError extends Error {}

/**
 * Looks whether one can be opened, and asks nobody.
 *
 * @throws {FileError} When it cannot.
 */
export function checkStream({ place, server, reconnect }: StreamOptions): void {
  if (!("path" in place)) return;
  const { path } = place;
  const fail = (problem: string): never => {
    throw new FileError(`cannot ${server ? "listen at" : "connect to"} '${path}': ${problem}`);
  };
  const there = ignoreNotFound(() => Deno.lstatSync(path));
  if (server && there && !there.isSocket) fail("it is there and no socket");
  if (server && !ignoreNotFound(() => Deno.statSync(dirname(path)))?.isDirectory) fail("no such folder");
  if (server || reconnect) return;
  const socket = ignoreNotFound(() => Deno.statSync(path)) ?? fail("no such file");
  if (!socket.isSocket) fail("it is no socket");
}

/**
 * Opens one.
 *
 * @param what For people: `network card 1`.
 * @throws {FileError} When nobody can listen there; or nobody listens, and `reconnect` is not said.
 * @throws The reason of the context's signal.
 */
export async function openStream(
  options: StreamOptions,
  context: RunContext,
  what: string,
): Promise<OpenedSocket> {
  const { place, reconnect, server } = options;
  if (server) {
    const listening = await listen(place);
    const isChosen = "port" in place && place.port === 0;
    if (isChosen) context.result(`${what} is at ${listening.place}`);
    return new Stream(options, context, `${what}: the peer at ${listening.place}`, { listening });
  }
  const peer = `${what}: the peer at ${wordPlace(place)}`;
  try {
    const first = await connect(place, context.signal);
    return new Stream(options, context, peer, { first });
  } catch (error) {
    context.signal.throwIfAborted();
    if (!reconnect) throw error;
    context.info(`${peer} is not there yet`);
    return new Stream(options, context, peer, {});
  }
}

/** @throws {FileError} When nobody is there. */
async function connect(place: Place, signal: AbortSignal): Promise<Peer> {
  const what = `cannot connect to ${"path" in place ? `'${place.path}'` : wordPlace(place)}`;
  const problem = "path" in place && socketPathProblem(place.path);
  if (problem) throw new FileError(`${what}: ${problem}`);
  try {
    return "path" in place
      ? await Deno.connect({ transport: "unix", path: place.path })
      : await Deno.connect({ hostname: place.host, port: place.port, signal });
  } catch (error) {
    const isOther = "path" in place && ignoreNotFound(() => Deno.statSync(place.path))?.isSocket === false;
    throw new FileError(`${what}: ${isOther ? "it is no socket" : reasonOf(error)}`, { cause: error });
  }
}

class Stream implements OpenedSocket {
  readonly handle: NSObject;
  readonly #options: StreamOptions;
  readonly #context: RunContext;
  /** For people. */
  readonly #name: string;
  readonly #listening?: Listening;
  readonly #ours: DatagramSocket;
  readonly #theirs: DatagramSocket;
  readonly #ending = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  readonly #running: Promise<void>;
  readonly #receiving: Promise<void>;
  /** Whoever is connected, and is not to be sent anything else. */
  #peer?: Peer;
  /** What was said of the peer last; of one that does not speak the protocol nothing more is, until it does. */
  #said: "nothing" | "awaited" | "there" | "gone" | "wrong" = "nothing";

  constructor(
    options: StreamOptions,
    context: RunContext,
    name: string,
    { listening, first }: { listening?: Listening; first?: Peer },
  ) {
    [this.#options, this.#context, this.#name, this.#listening] = [options, context, name, listening];
    if (!listening) this.#said = first ? "there" : "awaited";
    [this.#ours, this.#theirs] = DatagramSocket.pair();
    this.handle = this.#theirs.handle;
    this.#receiving = this.#ours.receive((frames) => this.#write(frames));
    this.#running = this.#run(first);
  }

  get #isOver(): boolean {
    return this.#ending.signal.aborted;
  }

  /** Takes one peer after the other; another that comes meanwhile waits, as with qemu. */
  async #run(first: Peer | undefined): Promise<void> {
    for (let peer = first ?? await this.#next(); peer; peer = await this.#next()) {
      await this.#serve(peer);
      closeConnection(peer);
    }
  }

  /** The next peer; nothing when the machine has ended. */
  async #next(): Promise<Peer | undefined> {
    const { place, reconnect } = this.#options;
    const pause = (seconds: number) => inTime(this.#over.promise, seconds * 1_000);
    if (!this.#listening) await pause(reconnect || PAUSE);
    while (!this.#isOver) {
      try {
        return await (this.#listening?.listener.accept() ?? connect(place, this.#ending.signal));
      } catch {
        // Nobody is there, or nobody can be accepted now: too many files are open.
        await pause(this.#listening ? PAUSE : reconnect || PAUSE);
      }
    }
  }

  /** Gives the guest what a peer sends, until that has gone. */
  async #serve(peer: Peer): Promise<void> {
    try {
      if ("setNoDelay" in peer) {
        peer.setNoDelay();
        peer.setKeepAlive();
      }
      const { greeting } = this.#options;
      if (greeting) await writeWhole(peer, greeting);
      if (this.#isOver) return;
      this.#peer = peer;
      // Who listens hears also of those who only look whether somebody does: a peer is one that sends a frame.
      if (this.#said !== "wrong" && !this.#listening) this.#isThere();
      await this.#read(peer);
    } catch (error) {
      if (error instanceof LengthError) {
        if (this.#said !== "wrong") this.#say("wrong", error.message);
      } // else it has gone, which is its right
    } finally {
      this.#peer = undefined;
    }
    if (this.#said === "there") this.#say("gone", "has gone");
  }

  #isThere(): void {
    if (this.#said === "there") return;
    const isFirst = this.#said === "nothing" || this.#said === "awaited";
    const level = this.#said === "nothing" ? "debug" : "info"; // of a server's first peer nobody needs to know
    this.#say("there", isFirst ? "is there" : "is back", level);
  }

  #say(said: "there" | "gone" | "wrong", text: string, level: "info" | "debug" = "info"): void {
    this.#said = said;
    if (!this.#isOver) this.#context[level](`${this.#name} ${text}`);
  }

  /** @throws {LengthError} When it does not speak the protocol. */
  async #read(peer: Peer): Promise<void> {
    const memory = new Uint8Array(BATCH);
    const lengths = new DataView(memory.buffer);
    for (let filled = 0;;) {
      const read = await peer.read(memory.subarray(filled));
      if (read === null || this.#isOver) return;
      filled += read;
      let at = 0;
      while (filled - at >= HEADER) {
        const start = at + HEADER;
        const length = lengths.getUint32(at);
        if (length === 0 || length > MOST_FRAME) {
          throw new LengthError(`is dropped: a frame of ${length} bytes is none of qemu's stream protocol`);
        }
        if (filled - start < length) break;
        const sent = this.#ours.send(memory.subarray(start, start + length));
        if (sent instanceof Promise) await sent; // else nobody waits for a turn of the event loop
        if (this.#said !== "there") this.#isThere();
        at = start + length;
      }
      memory.copyWithin(0, at, filled);
      filled -= at;
    }
  }

  /** What the guest sends is dropped while nobody is there. */
  async #write(frames: Uint8Array<ArrayBuffer>): Promise<void> {
    const peer = this.#peer;
    if (!peer) return;
    try {
      await writeWhole(peer, frames);
    } catch {
      // It has gone, though it may still send: what comes would begin in the middle of a frame. Reading fails then.
      if (this.#peer === peer) closeConnection(peer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    this.#over.resolve();
    this.#ours[Symbol.dispose]();
    if (this.#peer) closeConnection(this.#peer);
    await this.#listening?.close(this.#running);
    await Promise.all([this.#running, this.#receiving]);
    this.#theirs[Symbol.dispose]();
  }
}
