import { assert, assertEquals } from "@std/assert";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { listenAll } from "../../src/machine/port_forward.ts";
import { atHost, forward, HOST, SILENT, soon, straight, textOf, through } from "./forwards.ts";

/** A UDP socket on loopback, until the end of the block. */
class Datagrams implements AsyncDisposable {
  readonly socket: Socket = createSocket("udp4");
  readonly #received: string[] = [];
  #more = Promise.withResolvers<void>();

  static async open(): Promise<Datagrams> {
    const opened = new Datagrams();
    opened.socket.on("message", (bytes) => {
      opened.#received.push(textOf(bytes));
      opened.#more.resolve();
    });
    opened.socket.bind(0, HOST);
    await once(opened.socket, "listening");
    return opened;
  }

  get port(): number {
    return this.socket.address().port;
  }

  send(text: string, port: number): void {
    this.socket.send(text, port, HOST);
  }

  async next(): Promise<string> {
    while (this.#received.length === 0) {
      this.#more = Promise.withResolvers();
      await soon(this.#more.promise, "a datagram");
    }
    return this.#received.shift()!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }
}

/** A guest's server that answers with the client's port, as it sees it, and what that has sent. */
async function udpEcho(): Promise<Datagrams> {
  const server = await Datagrams.open();
  server.socket.on("message", (bytes, { port }) => server.send(`${port} ${textOf(bytes)}`, port));
  return server;
}

Deno.test("port forward: each client of a UDP port gets its own answers", async () => {
  await using server = await udpEcho();
  await using listeners = await through(server.port, { protocol: "udp" });
  await using one = await Datagrams.open();
  await using other = await Datagrams.open();
  const [port] = listeners.ports;
  const seen: string[] = [];
  for (const text of ["first", "second", ""]) {
    for (const [client, name] of [[one, "one"], [other, "other"]] as const) {
      client.send(`${name} ${text}`, port);
      const [from, ...rest] = (await client.next()).split(" ");
      assertEquals(rest, [name, text]);
      seen.push(from);
    }
  }
  assertEquals(seen, [seen[0], seen[1], seen[0], seen[1], seen[0], seen[1]]);
  assert(seen[0] !== seen[1]);
});

Deno.test("port forward: datagrams that come before the guest has an address reach it, large ones too", async () => {
  await using server = await udpEcho();
  const address = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  await using listeners = await listenAll([forward(server.port, { protocol: "udp" })], "forward");
  const target = () => {
    asked.resolve();
    return address.promise;
  };
  listeners.serve(target, straight, SILENT);
  await using client = await Datagrams.open();
  const large = "x".repeat(9_000);
  client.send(large, listeners.ports[0]);
  await soon(asked.promise, "the question for the address");
  address.resolve(HOST);
  assertEquals((await client.next()).split(" ")[1], large);
});

Deno.test("port forward: what others send to the socket of a client does not reach that client", async () => {
  await using server = await Datagrams.open();
  await using listeners = await through(server.port, { protocol: "udp" });
  await using client = await Datagrams.open();
  await using stranger = await Datagrams.open();
  const from = Promise.withResolvers<number>();
  server.socket.on("message", (_, { port }) => from.resolve(port));
  client.send("hello", listeners.ports[0]);
  const port = await soon(from.promise, "the datagram");
  stranger.send("from a stranger", port);
  server.send("from the guest", port);
  assertEquals(await client.next(), "from the guest");
});

Deno.test("port forward: a UDP client that is silent is forgotten, and a new one when it comes back", async () => {
  await using server = await udpEcho();
  await using listeners = await listenAll([forward(server.port, { protocol: "udp" })], "forward");
  listeners.serve(atHost, straight, SILENT, { unreachable: 100, idle: 300 });
  await using client = await Datagrams.open();
  const ask = async () => {
    client.send("hello", listeners.ports[0]);
    return Number((await client.next()).split(" ")[0]);
  };
  const first = await ask();
  // Its socket is closed when the port can be had again.
  const freed = async () => {
    while (true) {
      const socket = createSocket("udp4");
      const bound = Promise.withResolvers<boolean>();
      socket.on("error", () => bound.resolve(false));
      socket.bind(first, () => bound.resolve(true));
      if (await bound.promise) return socket;
      socket.close();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const holder = await soon(freed(), "the end of its socket");
  assert(await ask() !== first);
  await new Promise<void>((resolve) => holder.close(resolve));
});

Deno.test("port forward: of more UDP clients than are remembered the oldest goes", async () => {
  await using server = await udpEcho();
  await using listeners = await through(server.port, { protocol: "udp" });
  const ask = async (client: Datagrams) => {
    client.send("hello", listeners.ports[0]);
    return (await client.next()).split(" ")[0];
  };
  await using oldest = await Datagrams.open();
  await using busy = await Datagrams.open();
  const [kept, before] = [await ask(busy), await ask(oldest)];
  await using others = new AsyncDisposableStack(); // each keeps its port, or another would be taken for it
  for (let i = 0; i < 999; i++) {
    if (i === 500) assertEquals(await ask(busy), kept);
    await ask(others.use(await Datagrams.open()));
  }
  assertEquals(await ask(busy), kept);
  assert(await ask(oldest) !== before);
});
