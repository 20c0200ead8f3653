// A program talks with its guest: `machine.vsock` and `machine.ready`.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualMachine, type VsockConnection, VsockError } from "vzrun";
import { chroot, guestFiles, PORTS, serve, SET_UP } from "./vsock_guest.ts";
import { type Folder, GUEST, SOONER, within } from "./vzrun.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A running machine whose guest does what is typed, and says `done` then. */
class Guest implements AsyncDisposable {
  #text = "";
  #more = Promise.withResolvers<void>();

  private constructor(readonly machine: VirtualMachine, readonly folder: Folder) {}

  static async boot(ready = false): Promise<Guest> {
    const folder = await guestFiles();
    const run = "stty -echo; while read -r line; do eval \\$line; echo done; done";
    const machine = await VirtualMachine.create({
      boot: {
        kind: "linux",
        kernel: `${GUEST}/vmlinuz`,
        initrd: `${GUEST}/initrd`,
        commandLine: `console=hvc0 quiet ${SOONER} run="echo done; ${run.replaceAll("\\$", "$")}"`,
      },
      memory: 256 * 2 ** 20,
      network: [],
      shares: [{ tag: "host", folder: "/", readOnly: true }, {
        tag: "files",
        folder: folder.path,
        readOnly: true,
      }],
      vsock: ready ? { ready } : {},
    });
    const guest = new Guest(machine, folder);
    guest.#read();
    await machine.start();
    await guest.#done();
    await guest.tell(SET_UP);
    return guest;
  }

  async #read(): Promise<void> {
    for await (const chunk of this.machine.console.readable.pipeThrough(new TextDecoderStream())) {
      this.#text += chunk;
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
  }

  async #done(): Promise<void> {
    while (!/done\r\n$/.test(this.#text)) await within(`the guest after: ${this.#text}`, this.#more.promise);
  }

  /** What a command writes. */
  async tell(command: string): Promise<string> {
    this.#text = "";
    const writer = this.machine.console.writable.getWriter();
    await writer.write(bytes(`${command}\n`));
    writer.releaseLock();
    await this.#done();
    return this.#text.replace(/done\r\n$/, "").replaceAll("\r", "");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

async function send({ writable }: VsockConnection, what: string, close = true): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(bytes(what));
  if (close) await writer.close();
  writer.releaseLock();
}

const text = (connection: VsockConnection) => within("the end", new Response(connection.readable).text());

const code = async (promise: Promise<unknown>) =>
  (await assertRejects(() => within("a failure", promise), VsockError)).code;

let booting: Promise<Guest> | undefined;
const boot = () =>
  booting ??= Guest.boot(true).then(async (guest) => {
    await guest.tell(serve("echo", "count", "stuck", "talk"));
    return guest;
  });
Deno.test.afterAll(async () => {
  await (await booting)?.[Symbol.asyncDispose]();
});

Deno.test("library: a program connects to the guest, and each side ends on its own", async () => {
  const { machine } = await boot();
  await using connection = await machine.vsock.connect(PORTS.count);
  assertEquals(connection.guestPort, PORTS.count);
  assert(connection.hostPort > 0);
  await send(connection, "12345");
  assertEquals(await text(connection), "5\n");
  await within("its end", connection.closed);
});

Deno.test("library: a connection that is refused, waited for no more, or to no port, is told apart", async () => {
  const { machine } = await boot();
  assertEquals(await code(machine.vsock.connect(PORTS.nobody)), "refused");
  await assertRejects(() => machine.vsock.connect(0), TypeError, "0 is no port");
  await assertRejects(() => machine.vsock.connect(2 ** 32 - 1), TypeError, "is no port");
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  assertEquals(await assertRejects(() => machine.vsock.connect(PORTS.echo, { signal })), reason);
  const controller = new AbortController();
  const connecting = machine.vsock.connect(PORTS.echo, { signal: controller.signal });
  controller.abort(reason);
  assertEquals(await assertRejects(() => connecting), reason);
});

Deno.test("library: what is closed on this side fails with its own code, and the guest hears of it", async () => {
  const { machine } = await boot();
  const connection = await machine.vsock.connect(PORTS.echo);
  const reading = connection.readable.getReader().read();
  await send(connection, "", false);
  connection.close();
  assertEquals(await code(reading), "closed");
  assertEquals(await code(connection.writable.getWriter().write(bytes("?"))), "closed");
  const talk = await machine.vsock.connect(PORTS.talk);
  const reader = talk.readable.getReader();
  await reader.read();
  await reader.cancel();
  await talk.writable.close();
  await within("its end", talk.closed);
});

Deno.test("library: a guest that goes while it is written to is a reset", async () => {
  const { machine } = await boot();
  await using connection = await machine.vsock.connect(PORTS.stuck); // who never reads, and is killed
  const guest = await boot();
  const failed = code((async () => {
    const writer = connection.writable.getWriter();
    for (;;) await writer.write(new Uint8Array(65536));
  })());
  await guest.tell(chroot('pkill -f "^perl /tmp/vsock.pl serve 5003"'));
  assertEquals(await failed, "reset");
});

Deno.test("library: the guest's connections are taken in turn, by one who listens, until it ends", async () => {
  const guest = await boot();
  const { vsock } = guest.machine;
  const dial = chroot("perl /tmp/vsock.pl dial 6000 hello");
  {
    await using listener = await vsock.listen(6000);
    assertEquals(await code(vsock.listen(6000)), "taken");
    const serving = (async () => {
      const ports = new Set<number>();
      for await (const connection of listener) {
        assertEquals(connection.hostPort, 6000);
        ports.add(connection.guestPort);
        assertEquals(await text(connection), "hello");
        await send(connection, "world\n");
        if (ports.size === 3) return;
      }
    })();
    for (let i = 0; i < 3; i++) assertEquals(await guest.tell(dial), "world\n");
    await serving;
  }
  assertEquals(await guest.tell(dial), "Connection reset by peer\n");
  const controller = new AbortController();
  const listener = await vsock.listen(6000, { signal: controller.signal });
  const all = Array.fromAsync(listener);
  controller.abort();
  assertEquals(await within("its end", all), []);
});

Deno.test("library: qemu's agent in the guest answers guest-ping", async () => {
  const guest = await boot();
  await guest.tell(
    chroot(`qemu-ga -m vsock-listen -p 3:${PORTS.agent} -t /tmp -f /tmp/ga.pid >/dev/null 2>&1 &`),
  );
  let connection: VsockConnection | undefined;
  while (!connection) connection = await guest.machine.vsock.connect(PORTS.agent).catch(() => undefined);
  await using open = connection;
  await send(open, '{"execute":"guest-ping"}\n{"execute":"guest-info"}\n', false);
  let said = "";
  for await (const chunk of open.readable.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said.split("\n").length > 2) break;
  }
  const [ping, info] = said.split("\n").map((line) => line && JSON.parse(line));
  assertEquals(ping, { return: {} });
  assertEquals(
    info.return.supported_commands.some(({ name }: { name: string }) => name === "guest-ping"),
    true,
  );
});

Deno.test("library: systemd's word settles a promise", async () => {
  const guest = await boot();
  const [, port] = /vmm\.notify_socket:vsock-stream:2:(\d+)/.exec(await guest.tell("cat /proc/cmdline"))!;
  let isReady = false;
  guest.machine.ready.then(() => isReady = true);
  await guest.tell(chroot(`perl /tmp/vsock.pl notify ${port} STATUS=x`));
  assertEquals(isReady, false);
  await guest.tell(chroot(`perl /tmp/vsock.pl notify ${port} READY=1`));
  await within("its word", guest.machine.ready);
});

Deno.test("library: with the machine all its sockets end, and say why", async () => {
  await using guest = await Guest.boot();
  const { machine } = guest;
  assertThrows(() => machine.ready, TypeError, "Nobody asks the guest");
  await guest.tell(serve("echo"));
  const connection = await machine.vsock.connect(PORTS.echo);
  const reading = text(connection).catch((error) => error);
  const accepting = Array.fromAsync(await machine.vsock.listen(6000));
  await machine.stop();
  await machine.stopped;
  const end = await reading;
  assert(end === "" || end instanceof VsockError && end.code === "stopped", `${end}`);
  assertEquals(await within("the end of a listener", accepting), []);
  assertEquals(await code(connection.writable.getWriter().write(bytes("?"))), "stopped");
  assertEquals(await code(machine.vsock.connect(PORTS.echo)), "stopped");
  assertEquals(await code(machine.vsock.listen(6001)), "stopped");
});

Deno.test("library: a machine without sockets says so, and one that ends is never ready", async () => {
  const boot = { kind: "linux", kernel: `${GUEST}/vmlinuz`, initrd: `${GUEST}/initrd` } as const;
  await using none = await VirtualMachine.create({ boot, network: [] });
  assertThrows(() => none.vsock, TypeError, "no socket device");
  await using machine = await VirtualMachine.create({ boot, network: [], vsock: { ready: true } });
  await machine[Symbol.asyncDispose]();
  await assertRejects(() => within("the end", machine.ready), Error, "The machine has ended");
});
