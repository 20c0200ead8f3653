/** Listening sockets of a machine's devices: at a path, or at an address and a port of the host's. */

import { FileError, ignoreNotFound, reasonOf } from "../host/error.ts";
import { inodeOf, removeOwn, socketPathProblem } from "../host/files.ts";
import { inTime } from "../host/in_time.ts";
import { withUmask } from "../host/process.ts";

/** Where a socket is; a port 0 to listen at is one that is free. */
export type Place = { path: string } | { host: string; port: number };

/** A socket that listens. */
export interface Listening {
  listener: Deno.TcpListener | Deno.UnixListener;
  /** For people, with the port that it has got. */
  place: string;
  /**
   * Stops, and removes the socket.
   *
   * @param accepting Settles when nobody waits for a client any more.
   */
  close(accepting: Promise<unknown>): Promise<void>;
}

/** How long a listener may take to be closed, in milliseconds. */
const CLOSING = 50;

/** A place for people. */
export function wordPlace(place: Place): string {
  if ("path" in place) return place.path;
  return place.host.includes(":") ? `[${place.host}]:${place.port}` : `${place.host}:${place.port}`;
}

/**
 * Listens. A socket at a path is only this user's; one that is there but that nobody listens at any more is replaced.
 *
 * @throws {FileError} When that cannot be.
 */
export async function listen(place: Place): Promise<Listening> {
  if ("path" in place) {
    const { path } = place;
    const listener = await listenAt(path);
    const own = Deno.lstatSync(path);
    return {
      listener,
      place: path,
      close: (accepting) => closeAt(path, own, () => close(listener, accepting)),
    };
  }
  const { host: hostname, port } = place;
  try {
    const listener = Deno.listen({ hostname, port });
    return {
      listener,
      place: wordPlace({ ...place, port: listener.addr.port }),
      close: (accepting) => close(listener, accepting),
    };
  } catch (error) {
    throw new FileError(`cannot listen at ${wordPlace(place)}: ${reasonOf(error)}`, { cause: error });
  }
}

async function close(listener: Listening["listener"], accepting: Promise<unknown>): Promise<void> {
  listener.close();
  // It is closed only when the accept that waits has ended; none does while there is a client.
  await inTime(accepting, CLOSING);
  await new Promise((resolve) => setTimeout(resolve));
}

/** Stops listening at a path: Deno removes whatever is there now, so what another has put there is out of its way. */
export async function closeAt(path: string, own: Deno.FileInfo, close: () => Promise<void>): Promise<void> {
  const there = ignoreNotFound(() => Deno.lstatSync(path));
  const isOthers = there !== undefined && !there.isDirectory && inodeOf(there) !== inodeOf(own);
  const aside = `${path}.${Deno.pid}`;
  if (isOthers) ignoreNotFound(() => Deno.renameSync(path, aside));
  await close();
  if (isOthers) ignoreNotFound(() => Deno.renameSync(aside, path));
  removeOwn(path, own); // where close() has not
}

/**
 * Takes a socket at a path away that nobody listens at any more.
 *
 * @throws {FileError} When no socket can be there.
 */
export async function makeWay(path: string): Promise<void> {
  const fail = (problem: string): never => {
    throw new FileError(`cannot listen at '${path}': ${problem}`);
  };
  const problem = socketPathProblem(path);
  if (problem) fail(problem);
  const there = ignoreNotFound(() => Deno.lstatSync(path));
  if (there && !there.isSocket) fail("it is there and no socket");
  if (!there) return;
  const connection = await Deno.connect({ transport: "unix", path }).catch(() => null);
  connection?.close();
  if (connection) fail("somebody listens there");
  ignoreNotFound(() => Deno.removeSync(path));
}

async function listenAt(path: string): Promise<Deno.UnixListener> {
  try {
    await makeWay(path);
    return withUmask(0o177, () => Deno.listen({ transport: "unix", path })); // before a chmod others could connect
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`cannot listen at '${path}': ${reasonOf(error)}`, { cause: error });
  }
}
