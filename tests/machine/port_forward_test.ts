import { assert, assertEquals, assertRejects } from "@std/assert";
import { once } from "node:events";
import { createConnection } from "node:net";
import { inTime } from "../../src/host/in_time.ts";
import { MachineError } from "../../src/machine/error.ts";
import { listenAll, type Reach } from "../../src/machine/port_forward.ts";
import {
  atHost,
  bytesOf,
  connect,
  echo,
  forward,
  Guest,
  HOST,
  pattern,
  readAll,
  SILENT,
  soon,
  straight,
  textOf,
  through,
  writeAll,
} from "./forwards.ts";

Deno.test("port forward: a client that has sent everything still gets the whole answer", async () => {
  const received: string[] = [];
  const answer = pattern(3_000_001, 7);
  await using guest = new Guest(async (connection) => {
    received.push(textOf(await readAll(connection)));
    await writeAll(connection, answer);
  });
  await using listeners = await through(guest.port);
  using client = await connect(listeners);
  await writeAll(client, bytesOf("question"));
  await client.closeWrite();
  assertEquals(await soon(readAll(client), "the answer"), answer);
  assertEquals(received, ["question"]);
});

Deno.test("port forward: a guest that has sent everything still gets what the client sends", async () => {
  const rest = Promise.withResolvers<Uint8Array>();
  await using guest = new Guest(async (connection) => {
    await writeAll(connection, bytesOf("banner"));
    await connection.closeWrite();
    rest.resolve(await readAll(connection));
  });
  await using listeners = await through(guest.port);
  using client = await connect(listeners);
  assertEquals(textOf(await soon(readAll(client), "the banner")), "banner");
  const sent = pattern(2_000_003, 9);
  await writeAll(client, sent);
  await client.closeWrite();
  assertEquals(await soon(rest.promise, "what the client has sent"), sent);
});

Deno.test("port forward: a thousand clients at once each get their own bytes back", async () => {
  await using guest = new Guest(echo);
  await using listeners = await through(guest.port);
  const clients = await Promise.all(Array.from({ length: 1000 }, () => connect(listeners)));
  const sent = clients.map((_, i) => pattern(5_000 + i * 7, i));
  // All are open before the first says a word.
  const answers = await soon(
    Promise.all(clients.map(async (client, i) => {
      const [answer] = await Promise.all([
        readAll(client),
        writeAll(client, sent[i]).then(() => client.closeWrite()),
      ]);
      client.close();
      return answer;
    })),
    "all answers",
  );
  const wrong = answers.flatMap((answer, i) => textOf(answer) === textOf(sent[i]) ? [] : [i]);
  assertEquals(wrong, []);
});

Deno.test("port forward: a client that reads nothing stops the guest's sending, and costs no memory", async () => {
  let sent = 0;
  let moved = Promise.withResolvers<void>();
  const bytes = pattern(1 << 20, 3);
  await using guest = new Guest(async (connection) => {
    while (sent < 1 << 30) {
      sent += await connection.write(bytes.subarray(sent % bytes.length));
      moved.resolve();
    }
  });
  await using listeners = await through(guest.port);
  const client = await connect(listeners);
  const before = Deno.memoryUsage().rss;
  do {
    moved = Promise.withResolvers();
  } while (await inTime(moved.promise, 500)); // until nothing goes any more
  assert(sent < 64 << 20, `${sent} bytes were taken from the guest`);
  const grown = Deno.memoryUsage().rss - before;
  assert(grown < 64 << 20, `${grown} bytes more are held`);
  const stalled = sent;
  moved = Promise.withResolvers();
  const buffer = new Uint8Array(65536);
  for (let read = 0; read <= stalled;) {
    const room = buffer.subarray(0, bytes.length - read % bytes.length);
    const length = (await soon(client.read(room), "more bytes"))!;
    const expected = bytes.subarray(read % bytes.length);
    assert(room.subarray(0, length).every((byte, i) => byte === expected[i]), `wrong bytes after ${read}`);
    read += length;
  }
  await soon(moved.promise, "the guest sends again");
  client.close(); // with bytes unread: the guest's writes fail
});

Deno.test("port forward: a guest that refuses ends its client at once", async () => {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const { port } = listener.addr;
  listener.close();
  const said: string[] = [];
  await using listeners = await listenAll([forward(port)], "forward");
  listeners.serve(atHost, straight, { ...SILENT, debug: (message) => said.push(message) });
  using client = await connect(listeners);
  assertEquals(await soon(client.read(new Uint8Array(1)).catch(() => null), "the end"), null);
  assertEquals(said.length, 1);
  assert(
    /^127\.0\.0\.1:\d+ \(tcp\): no way to the guest: Connection refused/.test(said[0]),
    said[0],
  );
});

Deno.test("port forward: clients that come before the guest has an address wait for it", async () => {
  await using guest = new Guest(echo);
  const address = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  await using listeners = await listenAll([forward(guest.port)], "forward");
  using early = await connect(listeners); // before anybody is served
  listeners.serve(
    () => {
      asked.resolve();
      return address.promise;
    },
    straight,
    SILENT,
  );
  using late = await connect(listeners);
  for (const client of [early, late]) await writeAll(client, bytesOf("are you there?"));
  await soon(asked.promise, "the question for the address");
  address.resolve(HOST);
  for (const client of [early, late]) {
    await client.closeWrite();
    assertEquals(textOf(await soon(readAll(client), "an answer")), "are you there?");
  }
});

Deno.test("port forward: a machine that ends without an address ends the clients that wait", async () => {
  const ended = Promise.withResolvers<string>();
  await using listeners = await listenAll([forward(1)], "forward");
  listeners.serve(() => ended.promise, straight, SILENT);
  using client = await connect(listeners);
  ended.reject(new Error("the machine has ended"));
  assertEquals(await soon(client.read(new Uint8Array(1)).catch(() => null), "the end"), null);
});

/** Where nothing can be reached, without a packet: a TCP connection to many. */
const NOWHERE = "224.0.0.1";

Deno.test("port forward: a guest that cannot be reached yet is tried again", async () => {
  await using guest = new Guest(echo);
  let tries = 0;
  const reach: Reach = (_, port) => Promise.resolve({ hostname: tries++ === 0 ? NOWHERE : HOST, port });
  await using listeners = await listenAll([forward(guest.port)], "forward");
  listeners.serve(atHost, reach, SILENT);
  using client = await connect(listeners);
  await writeAll(client, bytesOf("hello"));
  await client.closeWrite();
  assertEquals(textOf(await soon(readAll(client), "an answer")), "hello");
  assertEquals(tries, 2);
});

Deno.test("port forward: a guest that stays out of reach ends its client in the end", async () => {
  const said: string[] = [];
  await using listeners = await listenAll([forward(9)], "forward");
  const reporter = { ...SILENT, debug: (message: string) => said.push(message) };
  listeners.serve(() => Promise.resolve(NOWHERE), straight, reporter, { unreachable: 100, idle: 100 });
  using client = await connect(listeners);
  assertEquals(await soon(client.read(new Uint8Array(1)).catch(() => null), "the end"), null);
  assert(said[0].includes("no way to the guest: "), said[0]);
});

/** A client that has connected, and a function that ends it by a reset. */
async function rude(port: number): Promise<() => Promise<unknown>> {
  const socket = createConnection(port, HOST);
  await once(socket, "connect");
  return () => {
    const closed = once(socket, "close");
    socket.resetAndDestroy();
    return closed;
  };
}

Deno.test("port forward: for a client that has gone no guest is tried any longer", async () => {
  const tried = Promise.withResolvers<void>();
  const said = Promise.withResolvers<string>();
  await using listeners = await listenAll([forward(9)], "forward");
  const reach: Reach = (hostname, port) => {
    tried.resolve();
    return Promise.resolve({ hostname, port });
  };
  listeners.serve(() => Promise.resolve(NOWHERE), reach, { ...SILENT, debug: said.resolve });
  const leave = await rude(listeners.ports[0]);
  await soon(tried.promise, "a try");
  await leave();
  await soon(said.promise, "the end of the tries");
});

Deno.test("port forward: a client that goes away in the middle ends the guest's connection", async () => {
  const ended = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using guest = new Guest(async (connection) => {
    try {
      begun.resolve();
      for (const chunk = new Uint8Array(1 << 20);;) await connection.write(chunk);
    } catch {
      ended.resolve();
    }
  });
  await using listeners = await through(guest.port);
  const leave = await rude(listeners.ports[0]);
  await soon(begun.promise, "the connection");
  await leave();
  await soon(ended.promise, "the guest's end");
});

Deno.test("port forward: an answer comes through although the guest has not taken all of the question", async () => {
  await using guest = new Guest(async (connection) => {
    await connection.read(new Uint8Array(10));
    await writeAll(connection, bytesOf("too long"));
    // It is closed with most of the question unread, which resets it.
  });
  await using listeners = await through(guest.port);
  using client = await connect(listeners);
  const asking = writeAll(client, new Uint8Array(64 << 20)).catch(() => {});
  const answer = new Uint8Array(8);
  assertEquals(await soon(client.read(answer), "the answer"), 8);
  assertEquals(textOf(answer), "too long");
  await soon(asking, "the end of the question");
});

for (const protocol of ["tcp", "udp"] as const) {
  Deno.test(`port forward: a port that is in use is named, and none stays open (${protocol})`, async () => {
    await using taken = await listenAll([forward(9, { protocol })], "forward");
    const [hostPort] = taken.ports;
    const free = await listenAll([forward(9), forward(9, { protocol: "udp" })], "forward");
    const ports = free.ports;
    await free[Symbol.asyncDispose]();
    const wanted = [
      forward(9, { hostPort: ports[0] }),
      forward(9, { protocol: "udp", hostPort: ports[1] }),
    ];
    const error = await assertRejects(
      () => listenAll([...wanted, forward(9, { protocol, hostPort })], "forward"),
      MachineError,
    );
    assertEquals(error.field, "forward[2]");
    assertEquals(error.worded(), `cannot listen at 127.0.0.1:${hostPort} (${protocol}): it is in use`);
    await using again = await listenAll(wanted, "forward"); // both are free
    assertEquals(again.ports, ports);
  });

  Deno.test(`port forward: an address that the host has not is named (${protocol})`, async () => {
    const error = await assertRejects(
      () => listenAll([forward(9, { protocol, hostAddress: "2001:db8::1", hostPort: 4000 })], "forward"),
      MachineError,
    );
    assertEquals(
      error.worded(),
      `cannot listen at [2001:db8::1]:4000 (${protocol}): this host has no such address`,
    );
  });
}

Deno.test("port forward: two ports, one of IPv6, lead to one of the guest's", async () => {
  await using guest = new Guest(echo);
  await using listeners = await listenAll(
    [forward(guest.port), forward(guest.port, { hostAddress: "::1" })],
    "forward",
  );
  listeners.serve(atHost, straight, SILENT);
  for (const [i, hostname] of [HOST, "::1"].entries()) {
    using client = await connect(listeners, hostname, i);
    await writeAll(client, bytesOf(hostname));
    await client.closeWrite();
    assertEquals(textOf(await soon(readAll(client), "an answer")), hostname);
  }
});

Deno.test("port forward: an address that is said is not asked for", async () => {
  await using guest = new Guest(echo);
  await using listeners = await listenAll([forward(guest.port, { guestAddress: HOST })], "forward");
  listeners.serve(() => Promise.reject(new Error("asked")), straight, SILENT);
  using client = await connect(listeners);
  await writeAll(client, bytesOf("hello"));
  await client.closeWrite();
  assertEquals(textOf(await soon(readAll(client), "an answer")), "hello");
});

Deno.test("port forward: the machine's end closes everything at once, in the middle of transfers", async () => {
  await using guest = new Guest(async (connection) => {
    for (const chunk = new Uint8Array(1 << 20);;) await connection.write(chunk);
  });
  const listeners = await listenAll([forward(guest.port), forward(9)], "forward");
  const never = Promise.withResolvers<string>();
  let asked = 0;
  const target = () => asked++ < 2 ? Promise.resolve(HOST) : never.promise;
  listeners.serve(target, straight, SILENT);
  using reading = await connect(listeners);
  using stalled = await connect(listeners);
  for (const client of [reading, stalled]) await soon(client.read(new Uint8Array(1 << 20)), "bytes");
  using waiting = await connect(listeners, HOST, 1);
  await writeAll(waiting, bytesOf("hello"));
  await soon(listeners[Symbol.asyncDispose](), "the end");
  for (const client of [reading, stalled, waiting]) await soon(readAll(client).catch(() => {}), "its end");
  await using again = await listenAll([forward(9, { hostPort: listeners.ports[0] })], "forward");
  assertEquals(again.ports[0], listeners.ports[0]);
});

Deno.test("port forward: too few file descriptors are said once, and let clients through one after the other", async () => {
  await using guest = new Guest(echo);
  const program = new URL("programs/forward.ts", import.meta.url).pathname;
  await using child = new Deno.Command("sh", {
    args: [
      "-c",
      'ulimit -n 60; exec "$@"',
      "sh",
      Deno.execPath(),
      "run",
      "-A",
      program,
      "tcp",
      `${guest.port}`,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await soon(lines.read(), "its port")).value);
  const clients = await Promise.all(
    Array.from({ length: 50 }, () => Deno.connect({ hostname: HOST, port })),
  );
  const said = (await soon(lines.read(), "what it says")).value;
  assertEquals(said, `127.0.0.1:${port} (tcp): too many files are open to let all clients through at once\n`);
  const answers = clients.map(async (client, i) => {
    await writeAll(client, bytesOf(`${i}`));
    await client.closeWrite();
    const answer = textOf(await readAll(client));
    client.close();
    return answer;
  });
  assertEquals(await soon(Promise.all(answers), "all answers"), answers.map((_, i) => `${i}`));
  await child.stdin.close();
  assertEquals((await soon(lines.read(), "its end")).done, true);
  assertEquals((await child.status).code, 0);
});

Deno.test("port forward: that the system leads to no guest is told to everybody, once, with what to do", async () => {
  const [told, steps]: string[][] = [[], []];
  await using listeners = await listenAll([forward(9)], "forward");
  const reporter = {
    info: (message: string) => told.push(message),
    debug: (message: string) => steps.push(message),
  };
  const reach = () => Promise.reject(new Error("No route to host (os error 65)"));
  listeners.serve(() => Promise.resolve(NOWHERE), reach, reporter);
  for (let i = 0; i < 2; i++) {
    using client = await connect(listeners);
    assertEquals(await soon(client.read(new Uint8Array(1)).catch(() => null), "the end"), null);
  }
  assert(/no way to the guest: No route to host.*Local Network; allow/.test(told.join()), told.join());
  assertEquals([told.length, steps.length], [1, 1]);
});
