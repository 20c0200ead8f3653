/** vfkit's REST over a running machine: HTTP at a socket, which Deno serves. */

import { FileError, reasonOf } from "../host/error.ts";
import { inTime } from "../host/in_time.ts";
import { withUmask } from "../host/process.ts";
import { closeAt, makeWay, type Place, wordPlace } from "../machine/listen.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import { type State, wordsOf } from "../vz/mod.ts";

/** What is commanded. */
export interface RESTMachine {
  machine: Pick<VirtualMachine, "state" | "operations" | "pause" | "resume" | "requestStop">;
  /** What `GET /vm/inspect` tells. */
  inspect(): unknown;
  /** Ends the machine at once. Called when that has been answered. */
  hardStop(): void;
}

/** How long a body may be, in bytes: what can be asked for takes thirty. */
const LONGEST_BODY = 16 * 1024;

/** How long a client may take to send it, in milliseconds. */
const PATIENCE = 5_000;

/** How long clients may take for the last of what they are told, in milliseconds. */
const LAST_WORDS = 1_000;

const STATES: Record<State, string> = {
  stopped: "Stopped",
  running: "Running",
  paused: "Paused",
  error: "Error",
  starting: "Starting",
  pausing: "Pausing",
  resuming: "Resuming",
  stopping: "Stopping",
  saving: "Saving",
  restoring: "Restoring",
};

/** A request that is not done: its status, and why. */
class Refusal extends Error {
  constructor(readonly status: number, message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Answers a request. */
type Answer = (request: Request, machine: RESTMachine, info: Deno.ServeHandlerInfo) => Promise<Response>;

const ROUTES: Readonly<Record<string, Readonly<Record<string, Answer>>>> = {
  "/vm/state": { GET: tellState, POST: changeState },
  // deno-lint-ignore require-await
  "/vm/inspect": { GET: async (_, { inspect }) => Response.json(inspect()) },
};

async function tellState(_: Request, { machine }: RESTMachine): Promise<Response> {
  const [state, { pause, resume, requestStop, stop }] = await Promise.all([
    machine.state(),
    machine.operations(),
  ]);
  return Response.json({
    state: `VirtualMachineState${STATES[state]}`,
    canStart: false, // it is started by its program, once
    canPause: pause,
    canResume: resume,
    canStop: requestStop,
    canHardStop: stop,
  });
}

async function changeState(
  request: Request,
  { machine, hardStop }: RESTMachine,
  { completed }: Deno.ServeHandlerInfo,
): Promise<Response> {
  const wanted = await readWish(request);
  const { pause, resume, requestStop, stop } = await machine.operations();
  const refuse = async () => {
    throw new Refusal(500, `the machine is ${await machine.state()}, which ${wanted} does not go with`);
  };
  switch (wanted) {
    case "Pause":
      await (pause ? machine.pause() : refuse());
      break;
    case "Resume":
      await (resume ? machine.resume() : refuse());
      break;
    case "Stop":
      await (requestStop ? machine.requestStop() : refuse());
      break;
    case "HardStop":
      if (!stop) await refuse();
      completed.catch(() => {}).then(hardStop); // clients take a cut connection for a failure
      break;
    default:
      throw new Refusal(500, `unknown state '${wanted}': there are Stop, HardStop, Pause, Resume`);
  }
  return new Response(null, { status: 202 });
}

/** Which state is asked for, whatever the body is said to be. */
async function readWish(request: Request): Promise<string> {
  const text = await readBody(request);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `the body is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const { state } = (body ?? {}) as { state?: unknown };
  if (typeof state !== "string") throw new Refusal(400, 'expected {"state": "Stop"} or its like');
  return state;
}

async function readBody({ headers, body }: Request): Promise<string> {
  const tooLong = () => new Refusal(413, `a body has at most ${LONGEST_BODY} bytes`);
  if (Number(headers.get("content-length")) > LONGEST_BODY) throw tooLong();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  const read = async () => {
    for await (const chunk of body ?? []) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > LONGEST_BODY) throw tooLong();
    }
  };
  const reading = read().catch((error) => {
    throw error instanceof Refusal
      ? error
      : new Refusal(400, "the body has not come whole", { cause: error });
  });
  if (!await inTime(reading, PATIENCE)) throw new Refusal(408, "the body has not come in time");
  return await new Blob(chunks).text();
}

function refusal(status: number, error: string, headers?: HeadersInit): Response {
  return Response.json({ error }, { status, headers });
}

/** A request's path, whatever it says of the host: none, in HTTP/1.0. */
function pathOf({ url }: Request): string {
  return url.replace(/^[a-z+]+:\/\/[^/?]*/i, "").replace(/[?#].*/s, "");
}

/** Serves clients, from when there is a machine until it is disposed of, which ends their connections. */
export class RESTServer implements AsyncDisposable {
  readonly #machine = Promise.withResolvers<RESTMachine>();
  readonly #server: Deno.HttpServer;
  readonly #remove: (close: () => Promise<void>) => Promise<void>;
  /** For people, with the port that it has got. */
  readonly place: string;

  private constructor(place: Place) {
    const options = { onListen() {}, onError: (error: unknown) => refusal(500, wordsOf(error)) };
    const handler: Deno.ServeHandler = (request, info) => this.#answer(request, info);
    try {
      if ("path" in place) {
        const { path } = place;
        // Before a chmod others could connect.
        this.#server = withUmask(0o177, () => Deno.serve({ ...options, path }, handler));
        const own = Deno.lstatSync(path);
        this.#remove = (close) => closeAt(path, own, close);
        this.place = path;
      } else {
        const { host: hostname, port } = place;
        const server = Deno.serve({ ...options, hostname, port }, handler);
        this.place = wordPlace({ ...place, port: server.addr.port });
        this.#server = server;
        this.#remove = (close) => close();
      }
    } catch (error) {
      throw new FileError(`cannot listen at ${wordPlace(place)}: ${reasonOf(error)}`, { cause: error });
    }
    this.#server.finished.catch(() => {});
  }

  /**
   * Listens. Requests wait until there is a machine. A socket at a path is only this user's.
   *
   * @throws {FileError} When that cannot be.
   */
  static async open(place: Place): Promise<RESTServer> {
    if ("path" in place) await makeWay(place.path);
    return new RESTServer(place);
  }

  /** Serves clients from now on. */
  serve(machine: RESTMachine): void {
    this.#machine.resolve(machine);
  }

  async #answer(request: Request, info: Deno.ServeHandlerInfo): Promise<Response> {
    const path = pathOf(request);
    if (!Object.hasOwn(ROUTES, path)) return refusal(404, `there is no ${path}`);
    const methods = ROUTES[path];
    if (!Object.hasOwn(methods, request.method)) {
      const allow = Object.keys(methods).join(", ");
      return refusal(405, `${path} takes ${allow}`, { allow });
    }
    try {
      return await methods[request.method](request, await this.#machine.promise, info);
    } catch (error) {
      const [status, why] = error instanceof Refusal ? [error.status, error.message] : [500, wordsOf(error)];
      return refusal(status, why);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove(async () => {
      await inTime(this.#server.shutdown().catch(() => {}), LAST_WORDS);
    });
  }
}
