import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { StreamSocket } from "../../src/host/stream_socket.ts";
import { MachineError } from "../../src/machine/error.ts";
import { VsockError, type VsockJoin } from "../../src/machine/vsock.ts";
import { type Taker, VsockConnection } from "../../src/machine/vsock_device.ts";
import { VsockJoins } from "../../src/machine/vsock_join.ts";
import { hearReady } from "../../src/machine/vsock_ready.ts";
import { eventually, Folder, within } from "../e2e/vzrun.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (of: { readable: ReadableStream<Uint8Array<ArrayBuffer>> }) =>
  within("the end of a stream", new Response(of.readable).text(), 20);

/** A device whose guest is this program. */
class Guest {
  readonly ports = new Map<number, (socket: StreamSocket) => void>();
  readonly served = new Map<number, () => Taker | undefined>();
  readonly connections: VsockConnection[] = [];

  #pair(hostPort: number, guestPort: number): [VsockConnection, StreamSocket] {
    const [host, guest] = StreamSocket.pair();
    const connection = new VsockConnection(host, hostPort, guestPort);
    this.connections.push(connection);
    return [connection, guest];
  }

  connect(port: number): Promise<VsockConnection> {
    const take = this.ports.get(port);
    if (!take) return Promise.reject(new VsockError("refused", `nobody is at ${port}`));
    const [connection, guest] = this.#pair(1024, port);
    take(guest);
    return Promise.resolve(connection);
  }

  serve(port: number, offer: () => Taker | undefined): Promise<void> {
    this.served.set(port, offer);
    return Promise.resolve();
  }

  unserve(port: number): Promise<void> {
    this.served.delete(port);
    return Promise.resolve();
  }

  /** The guest connects to the host; nothing when it is refused. */
  dial(port: number): StreamSocket | undefined {
    const take = this.served.get(port)?.();
    if (!take) return undefined;
    const [connection, guest] = this.#pair(port, 1024);
    take(Promise.resolve(connection));
    return guest;
  }

  /** The next that connects to a port of the guest's. */
  accept(port: number): Promise<StreamSocket> {
    const { promise, resolve } = Promise.withResolvers<StreamSocket>();
    this.ports.set(port, resolve);
    return within("a client in the guest", promise, 20);
  }
}

/** Joins that serve a guest, for one test. */
class Joined implements AsyncDisposable {
  readonly folder = new Folder();
  readonly path = this.folder.file("socket");
  readonly guest = new Guest();
  readonly said: string[] = [];
  joins!: VsockJoins;

  static async of(join: (path: string) => VsockJoin[]): Promise<Joined> {
    const joined = new Joined();
    const say = (message: string) => void joined.said.push(message);
    joined.joins = await VsockJoins.open(join(joined.path), { debug: say });
    await joined.joins.serve(joined.guest);
    return joined;
  }

  async client(): Promise<Deno.UnixConn> {
    return await Deno.connect({ transport: "unix", path: this.path });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await within("the end", this.joins[Symbol.asyncDispose](), 20);
    for (const connection of this.guest.connections) connection.close();
    this.folder[Symbol.dispose]();
  }
}

async function send(socket: StreamSocket, what: string): Promise<void> {
  const writer = socket.writable.getWriter();
  await writer.write(bytes(what));
  await writer.close();
}

const CONNECT = (path: string): VsockJoin[] => [{ kind: "connect", port: 22, path }];
const HYBRID = (path: string): VsockJoin[] => [{ kind: "hybrid", path }];

Deno.test("connect: a client and the guest end their sides one after the other, and the socket is this user's", async () => {
  await using joined = await Joined.of(CONNECT);
  assertEquals(Deno.statSync(joined.path).mode! & 0o777, 0o600);
  const accepted = joined.guest.accept(22);
  using client = await joined.client();
  await client.write(bytes("question"));
  await client.closeWrite();
  const guest = await accepted;
  assertEquals(await text(guest), "question");
  await send(guest, "answer");
  assertEquals(await text(client), "answer");
});

Deno.test("connect: a refusal closes the client, and -verbose says why", async () => {
  await using joined = await Joined.of(CONNECT);
  using client = await joined.client();
  assertEquals(await client.read(new Uint8Array(1)), null);
  await eventually("a line", () => joined.said.length > 0, 10);
  assertMatch(joined.said[0], /socket: nobody is at 22$/);
});

Deno.test("connect: a guest that does not read stops its client alone, which hears of its end", async () => {
  await using joined = await Joined.of(CONNECT);
  const accepted = joined.guest.accept(22);
  using stuck = await joined.client();
  const guest = await accepted;
  let sent = 0;
  const sending = assertRejects(async () => {
    for (; sent < 64 * 2 ** 20;) sent += await stuck.write(new Uint8Array(2 ** 16));
  });
  const other = joined.guest.accept(22);
  using client = await joined.client();
  await client.write(bytes("x"));
  await client.closeWrite();
  const { readable } = await other;
  assertEquals(await text({ readable }), "x");
  assert(sent < 8 * 2 ** 20, `${sent} bytes are on their way`);
  guest.close();
  await within("the reset", sending, 10);
});

Deno.test("connect: at the machine's end clients get the last bytes, and then all are closed and the socket is gone", async () => {
  const joined = await Joined.of(CONNECT);
  const accepted = joined.guest.accept(22);
  using client = await joined.client();
  const guest = await accepted;
  await send(guest, "last words");
  const before = performance.now();
  await joined[Symbol.asyncDispose]();
  assert(performance.now() - before < 900, "the end waits for nobody");
  assertEquals(await text(client), "last words");
  await assertRejects(() => client.write(bytes("?")));
  assertEquals(joined.said, []);
});

Deno.test("connect: the socket of another is left alone at the end, and one that is in use is refused", async () => {
  const joined = await Joined.of(CONNECT);
  const context = { debug() {} };
  const error = await assertRejects(() => VsockJoins.open(CONNECT(joined.path), context), MachineError);
  assertEquals(
    error.message,
    `vsock.join[0].path: cannot listen at '${joined.path}': somebody listens there`,
  );
  Deno.removeSync(joined.path);
  Deno.writeTextFileSync(joined.path, "another's");
  await joined.joins[Symbol.asyncDispose]();
  assertEquals(Deno.readTextFileSync(joined.path), "another's");
  joined.folder[Symbol.dispose]();
});

Deno.test("listen: the guest gets whoever listens, and a refusal when nobody does, which -verbose says", async () => {
  await using joined = await Joined.of((path) => [{ kind: "listen", port: 5, path }]);
  assertEquals(joined.guest.dial(5), undefined);
  assertMatch(
    joined.said[0],
    /^port 5 of the host's is refused to the guest: cannot connect to .*: No such file/,
  );
  using listener = Deno.listen({ transport: "unix", path: joined.path });
  const guest = joined.guest.dial(5)!;
  using host = await listener.accept();
  await send(guest, "question");
  assertEquals(await text({ readable: duplicate(host) }), "question");
  await host.write(bytes("answer"));
  await host.closeWrite();
  assertEquals(await text(guest), "answer");
});

/** What comes over a connection that is to be written to afterwards: Deno's own stream closes it. */
function duplicate(connection: Deno.UnixConn): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    async pull(controller) {
      const buffer = new Uint8Array(1024);
      const length = await connection.read(buffer);
      if (length === null) controller.close();
      else controller.enqueue(buffer.slice(0, length));
    },
  });
}

Deno.test("hybrid: CONNECT and a port lead to the guest, what comes with the line too", async () => {
  await using joined = await Joined.of(HYBRID);
  const accepted = joined.guest.accept(52);
  using client = await joined.client();
  for (const part of ["CON", "NECT 5", "2\nhel", "lo"]) await client.write(bytes(part));
  await client.closeWrite();
  const guest = await accepted;
  assertEquals(await text(guest), "hello");
  await send(guest, "world");
  assertEquals(await text(client), "OK 1024\nworld");
});

Deno.test("hybrid: another line, a port where nobody is and an early end close the client", async () => {
  await using joined = await Joined.of(HYBRID);
  for (const line of ["CONNECT x\n", "CONNECT 7\n", "x".repeat(32), "CONNECT 0\n"]) {
    using client = await joined.client();
    await client.write(bytes(line));
    assertEquals(await text(client), "", line);
  }
  const client = await joined.client();
  await client.write(bytes("CONNECT 5"));
  await client.closeWrite();
  assertEquals(await text(client), "");
  await eventually("five lines", () => joined.said.length === 5, 10);
});

Deno.test("hybrid: a guest gets to the socket that has its port in its name, as long as there is one", async () => {
  await using joined = await Joined.of(HYBRID);
  const { guest } = joined;
  assertEquals(guest.dial(7), undefined);
  {
    using listener = Deno.listen({ transport: "unix", path: `${joined.path}_7` });
    await eventually("the port", () => guest.served.has(7), 10);
    await send(guest.dial(7)!, "hi");
    assertEquals(await text(await listener.accept()), "hi");
  }
  await eventually("its end", () => !guest.served.has(7), 10);
});

Deno.test("hybrid: sockets that were there before the machine are found", async () => {
  using folder = new Folder();
  const path = folder.file("v");
  using _listener = Deno.listen({ transport: "unix", path: `${path}_9` });
  const context = { debug() {} };
  await using joins = await VsockJoins.open(HYBRID(path), context);
  const guest = new Guest();
  await joins.serve(guest);
  assert(guest.served.has(9));
});

Deno.test("ready: systemd's word is heard among others and in pieces, and not what only looks like it", async () => {
  const guest = new Guest();
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  const { ready } = await hearReady(guest, 9, { result: say, debug: say });
  let isReady = false;
  ready.then(() => isReady = true);
  for (
    const no of [
      "STATUS=booting\n",
      "READY=0\n",
      "NOTREADY=1\n",
      "READY=1x\n",
      `X=${"y".repeat(5000)}\nREADY=1\n`,
    ]
  ) {
    const socket = guest.dial(9)!;
    await send(socket, no);
    assertEquals(await text(socket), "");
  }
  assertEquals([isReady, said], [false, ["the guest says: booting"]]);
  const socket = guest.dial(9)!;
  const writer = socket.writable.getWriter();
  await writer.write(bytes("X_SYSTEMD_UNIT_ACTIVE=x\nREAD"));
  await writer.write(bytes("Y=1\nSTATUS=up"));
  await writer.close();
  await within("its word", ready, 10);
  await text(socket);
  await send(guest.dial(9)!, "READY=1");
  assertEquals(said.slice(1), ["the guest is ready", "the guest says: up"]);
  for (const connection of guest.connections) await connection.closed;
});
