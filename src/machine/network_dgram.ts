/**
 * A network card on a connected datagram socket of unix, which the framework reads and writes itself: no frame passes
 * through here.
 */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { DatagramSocket } from "../host/datagram_socket.ts";
import { FileError, ignoreNotFound, reasonOf } from "../host/error.ts";
import { TransientFolder } from "../host/transient_folder.ts";
import type { NSObject } from "../objc/mod.ts";
import type { Reporter } from "./run_context.ts";

/** What a card is plugged into, to be disposed of when the machine has ended. */
export interface OpenedSocket extends AsyncDisposable {
  /** The NSFileHandle that the framework gets. */
  handle: NSObject;
  /**
   * Waits until it has a peer: without one the framework does not survive it.
   *
   * @throws {FileError} When it will have none.
   */
  connected?(): Promise<void>;
}

/** Where a card's datagrams go. */
export type DatagramOptions =
  /**
   * To the socket at a path. `local` is the path of the card's own, by default one in a temporary folder. With `magic`
   * the first datagram is the one that gvproxy expects of vfkit.
   */
  | { remote: string; local?: string; magic?: boolean }
  /** To a connected datagram socket that the program has inherited. */
  | { descriptor: number };

/** What gvproxy waits for before it takes a socket for a card. */
const MAGIC = new TextEncoder().encode("VFKT");

/**
 * Looks whether one can be opened.
 *
 * @throws {FileError} When it cannot.
 */
export function checkDatagrams(options: DatagramOptions): void {
  if ("descriptor" in options) return DatagramSocket.ofDescriptor(options.descriptor)[Symbol.dispose]();
  const { remote, local } = options;
  const fail = (path: string, problem: string): never => {
    throw new FileError(`cannot use '${path}' for a network card: ${problem}`);
  };
  const there = ignoreNotFound(() => Deno.statSync(remote)) ?? fail(remote, "no such file");
  if (!there.isSocket) fail(remote, "it is no socket");
  const own = local === undefined ? undefined : ignoreNotFound(() => Deno.lstatSync(local));
  if (own && !own.isSocket) fail(local!, "it is there and no socket");
}

/**
 * Opens one.
 *
 * @param what For people: `network card 1`.
 * @throws {FileError} When nobody is there, or a path or a descriptor cannot be used.
 */
export function openDatagrams(
  options: DatagramOptions,
  reporter: Pick<Reporter, "info">,
  what: string,
): OpenedSocket {
  using opening = new DisposableStack();
  if ("descriptor" in options) {
    const socket = opening.use(DatagramSocket.ofDescriptor(options.descriptor));
    const connected = () => {
      if (socket.isConnected) return Promise.resolve();
      return Promise.reject(new FileError(`the peer of descriptor ${options.descriptor} has gone`));
    };
    return { ...opened(socket, opening.move()), connected };
  }
  const { remote, magic } = options;
  const local = options.local ?? `${opening.use(new TransientFolder("net")).path}/card`;
  const known = identity(remote); // before: whoever takes its place from now on is noticed
  const socket = opening.use(DatagramSocket.connect({ remote, local }));
  const greet = () => magic && socket.send(MAGIC);
  let back = Promise.withResolvers<void>();
  const watcher = opening.use(watchFolder(dirname(remote)));
  greet();
  const watching = watch(watcher, remote, known, {
    gone: () => reporter.info(`${what}: the peer at ${remote} has gone`),
    come() {
      socket.reconnect();
      greet();
      reporter.info(`${what}: the peer at ${remote} is back`);
      back.resolve();
      back = Promise.withResolvers();
    },
  });
  const connected = () => socket.isConnected ? Promise.resolve() : back.promise;
  return { ...opened(socket, opening.move(), watching), connected };
}

function opened(socket: DatagramSocket, all: DisposableStack, watching?: Promise<void>): OpenedSocket {
  return {
    handle: socket.handle,
    async [Symbol.asyncDispose]() {
      all.dispose();
      await watching;
    },
  };
}

/** The same as long as there is the same socket at a path; undefined when there is none. */
function identity(path: string): string | undefined {
  try {
    const { isSocket, dev, ino, birthtime } = Deno.statSync(path);
    return isSocket ? `${dev}:${ino}:${birthtime?.getTime()}` : undefined; // a number is used anew
  } catch {
    return undefined;
  }
}

/** @throws {FileError} When the system does not watch it. */
function watchFolder(path: string): Deno.FsWatcher {
  try {
    return Deno.watchFs(path, { recursive: false });
  } catch (error) {
    throw new FileError(`cannot watch '${path}': ${reasonOf(error)}`, { cause: error });
  }
}

/** Tells of the peer's going and coming, as its socket's file does, until the watcher is closed. */
async function watch(
  watcher: Deno.FsWatcher,
  remote: string,
  known: string | undefined,
  peer: { gone(): void; come(): void },
): Promise<void> {
  let isThere = true;
  const look = () => {
    const now = identity(remote);
    if (isThere && now !== known) {
      isThere = false;
      peer.gone();
    }
    if (isThere || now === undefined) return;
    try {
      peer.come();
      [isThere, known] = [true, now];
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      // Nobody is there yet: something more will happen to the file.
    }
  };
  look();
  for await (const { paths } of watcher) {
    if (paths.some((path) => basename(path) === basename(remote))) look();
  }
}
