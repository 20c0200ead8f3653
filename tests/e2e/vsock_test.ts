// Into the guest and out of it without a network: `-vsock` and `-ready`.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Buffer } from "node:buffer";
import { chroot, PORTS, serve, VsockGuest } from "./vsock_guest.ts";
import { contents, eventually, guest as guestRunning, memoryOf, ROOT, Vzrun, within } from "./vzrun.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Bytes that tell which connection they are of, and where in it they are. */
function own(number: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(length / 4).map((_, i) => number * 0x1000193 ^ i);
  return new Uint8Array(words.buffer);
}

async function send(connection: Deno.Conn, what: Uint8Array): Promise<void> {
  for (let at = 0; at < what.length;) at += await connection.write(what.subarray(at));
}

/** All that comes until the end; Deno's own stream would close the connection then. */
async function receive(connection: Deno.Conn, most = Infinity): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65536);
  for (let all = 0, length; all < most && (length = await connection.read(buffer)) !== null; all += length) {
    chunks.push(buffer.slice(0, length));
  }
  return await new Blob(chunks).bytes();
}

const text = async (connection: Deno.Conn) => new TextDecoder().decode(await receive(connection));

let booting: Promise<VsockGuest> | undefined;
/** The guest of these tests. */
const boot = () =>
  booting ??= VsockGuest.boot((folder) => {
    const joins = Object.entries(PORTS).map(([name, port]) =>
      `connect,port=${port},path=${folder.file(`${name}.sock`)}`
    );
    joins.push(`listen,port=6000,path=${folder.file("host.sock")}`, `path=${folder.file("v.sock")}`);
    return ["-verbose", ...joins.flatMap((join) => ["-vsock", join])];
  }).then(async (guest) => {
    assertEquals(await guest.shell.tell(serve("echo", "count", "stuck", "talk")), { status: 0, out: "" });
    return guest;
  });
Deno.test.afterAll(async () => {
  await (await booting)?.[Symbol.asyncDispose]();
});

Deno.test("vsock: what is sent comes back, and a side that has ended still gets the answer", async () => {
  const guest = await boot();
  using echo = await guest.connect("echo.sock");
  await send(echo, bytes("hello"));
  assertEquals(await receive(echo, 5), bytes("hello"));
  using count = await guest.connect("count.sock");
  await send(count, new Uint8Array(100_000));
  await count.closeWrite();
  assertEquals(await text(count), "100000\n");
});

Deno.test("vsock: a port of the guest's where nobody listens closes the client, and -verbose says so", async () => {
  const guest = await boot();
  using client = await guest.connect("nobody.sock");
  assertEquals(await within("the refusal", receive(client), 20), new Uint8Array());
  await guest.shell.run.err.until(/nobody\.sock: no connection with port 5999 of the guest's: /);
});

Deno.test("vsock: 500 connections one after another", async () => {
  const guest = await boot();
  for (let i = 0; i < 500; i++) {
    using client = await guest.connect("count.sock");
    await send(client, bytes("x".repeat(i)));
    await client.closeWrite();
    assertEquals(await within(`connection ${i}`, text(client)), `${i}\n`);
  }
});

Deno.test("vsock: 100 connections at once carry a MiB of their own bytes there and back, whole", async () => {
  const guest = await boot();
  await within(
    "100 MiB",
    Promise.all(Array.from({ length: 100 }, async (_, number) => {
      using client = await guest.connect("echo.sock");
      const what = own(number, 2 ** 20);
      const sending = send(client, what).then(() => client.closeWrite());
      assert(Buffer.from(await receive(client)).equals(what), `the bytes of ${number}`);
      await sending;
    })),
    180,
  );
});

Deno.test("vsock: a guest that does not read holds its connection only, and vzrun's memory stays as it is", async () => {
  const guest = await boot();
  const { pid } = guest.shell.run;
  const stuck = await guest.connect("stuck.sock");
  let sent = 0;
  const before = memoryOf(pid);
  const sending = (async () => {
    for (;;) sent += await stuck.write(new Uint8Array(2 ** 20));
  })().catch(() => {});
  using client = await guest.connect("echo.sock");
  for (let last = -1; last !== sent;) { // other traffic, until no more is taken
    last = sent;
    for (let i = 0; i < 20; i++) {
      await send(client, bytes("x"));
      await receive(client, 1);
    }
  }
  assert(sent < 16 * 2 ** 20, `${sent} bytes were taken`);
  assert(memoryOf(pid) < before + 32, `${before} MiB, and ${memoryOf(pid)} then`);
  stuck.close();
  await sending;
});

Deno.test("vsock: a client that does not read stops the guest, and vzrun's memory stays as it is", async () => {
  const guest = await boot();
  const { pid } = guest.shell.run;
  using lazy = await guest.connect("talk.sock");
  assertEquals((await receive(lazy, 2 ** 24)).length >= 2 ** 24, true);
  const before = memoryOf(pid);
  using client = await guest.connect("echo.sock");
  for (let i = 0; i < 200; i++) {
    await send(client, bytes("x"));
    await receive(client, 1);
  }
  assert(memoryOf(pid) < before + 32, `${before} MiB, and ${memoryOf(pid)} then`);
  lazy.close();
  await client.closeWrite();
});

Deno.test("vsock: the guest gets to whoever listens at a port of the host's, and a refusal when nobody does", async () => {
  const guest = await boot();
  const dial = (port: number, what: string) => guest.tell(`perl /tmp/vsock.pl dial ${port} ${what}`);
  assertMatch(await dial(6000, "hello"), /^Connection reset by peer\r\n$/);
  await guest.shell.run.err.until("port 6000 of the host's is refused to the guest: cannot connect to");
  assertMatch(await dial(6001, "hello"), /^Connection reset by peer\r\n$/);
  for (const [port, name] of [[6000, "host.sock"], [7, "v.sock_7"]] as const) {
    using listener = Deno.listen({ transport: "unix", path: guest.folder.file(name) });
    const answering = (async () => {
      using client = await listener.accept();
      const asked = await text(client);
      await send(client, bytes(`${asked.toUpperCase()}\n`));
    })();
    // That a socket beside the hybrid one has come is noticed, and told to nobody.
    let answer = "";
    await eventually("an answer", () => answer !== "", 1).catch(() => {});
    while (!answer.startsWith("HELLO")) answer = await dial(port, "hello");
    assertEquals(answer, "HELLO\r\n");
    await answering;
  }
});

Deno.test("vsock: socat speaks the hybrid protocol with CONNECT and a port", async () => {
  const guest = await boot();
  const socat = new Deno.Command("socat", {
    args: ["-t30", "-", `UNIX-CONNECT:${guest.folder.file("v.sock")}`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = socat.stdin.getWriter();
  await writer.write(bytes(`CONNECT ${PORTS.count}\n12345`));
  await writer.close();
  const { stdout } = await within("socat", socat.output());
  assertMatch(new TextDecoder().decode(stdout), /^OK \d+\n5\n$/);
});

/** The lines of README's ssh without a network. */
function readmeLines(): [start: string, server: string, client: string] {
  const [, block] = /Without any network[^]*?```sh\n([^]*?)```/.exec(contents(`${ROOT}/README.md`))!;
  const lines = block.trim().split("\n").map((line) => line.replace(/ +#.*/, ""));
  assertEquals(lines.length, 3);
  return lines as [string, string, string];
}

Deno.test("vsock: ssh without a network, as README has it, and 100 MB by scp both ways", async () => {
  const [start, server, client] = readmeLines();
  assertEquals(start.slice(0, 7), "vzrun …");
  await using guest = await VsockGuest.boot((folder) =>
    start.slice(8).replace("ssh.sock", folder.file("ssh.sock")).split(" ").slice(2)
  );
  // The server of the tests: the guest has no accounts, and the host's files are not to be written.
  const sshd = "#!/bin/sh\nexec dropbear -i -s -r /tmp/host\n";
  await Deno.writeTextFile(guest.folder.file("sshd"), sshd);
  assertEquals(
    await guest.shell.tell(
      `cp /files/sshd /mnt/tmp; chmod 755 /mnt/tmp/sshd; ` +
        chroot("dropbearkey -t ed25519 -f /tmp/host >/dev/null 2>&1"),
    ),
    { status: 0, out: "" },
  );
  await guest.shell.tell(chroot(`PATH=/tmp:$PATH; ${server.replaceAll("'", '"')} >/dev/null 2>&1 &`));
  const options = [
    "-q",
    "-i",
    guest.folder.file("key"),
    "-o",
    "BatchMode=yes",
    "-o",
    "StrictHostKeyChecking=no",
  ];
  options.push("-o", "UserKnownHostsFile=/dev/null");
  const line = client.replace("ssh.sock", guest.folder.file("ssh.sock"));
  const run = async (program: string, ...args: string[]) => {
    const { stdout, stderr } = await within(program, new Deno.Command(program, { args }).output(), 600);
    return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  };
  let said = "";
  for (let tries = 0; said !== "in the guest\n"; tries++) { // until the server listens
    assert(tries < 100, said);
    said = await run("sh", "-c", `${line.replace("ssh", `ssh ${options.join(" ")}`)} echo in the guest`);
  }
  const much = guest.folder.file("much");
  using file = await Deno.open(much, { create: true, write: true });
  for (let i = 0; i < 100; i++) await send(file as unknown as Deno.Conn, own(i, 1_000_000));
  const proxy = /ProxyCommand="[^"]*"/.exec(line)![0].replaceAll('"', "");
  const scp = (...paths: string[]) => run("scp", "-O", ...options, "-o", proxy, ...paths);
  assertEquals(await scp(much, "root@guest:/tmp/much"), "");
  assertEquals(await scp("root@guest:/tmp/much", `${much}.back`), "");
  const sums = await run("sha256sum", much, `${much}.back`);
  assertEquals(new Set(sums.match(/\b[0-9a-f]{64}\b/g)).size, 1, sums);
});

Deno.test("vsock: a machine that is killed resets all that is open, and its sockets are gone", async () => {
  await using guest = await VsockGuest.boot((folder) => [
    "-vsock",
    `connect,port=${PORTS.echo},path=${folder.file("echo.sock")}`,
    "-vsock",
    `connect,port=${PORTS.talk},path=${folder.file("talk.sock")}`,
  ]);
  assertEquals(await guest.shell.tell(serve("echo", "talk")), { status: 0, out: "" });
  const clients = await Promise.all(Array.from({ length: 20 }, () => guest.connect("echo.sock")));
  for (const client of clients) {
    await send(client, bytes("x"));
    await receive(client, 1);
  }
  const talking = await guest.connect("talk.sock");
  const ends = [...clients, talking].map((client) => receive(client).catch(() => {}));
  Deno.kill(guest.shell.run.qemu, "SIGKILL");
  await within("the end of all", Promise.all(ends), 20);
  assertEquals(await guest.shell.run.end(20), 1);
  for (const client of [...clients, talking]) client.close();
  const left = [...Deno.readDirSync(guest.folder.path)].map(({ name }) => name).filter((name) =>
    name.endsWith(".sock")
  );
  assertEquals(left, []);
});

Deno.test("vsock: a socket that is in use is refused before anything starts", async () => {
  const guest = await boot();
  const path = guest.folder.file("echo.sock");
  await using run = new Vzrun([...guestRunning("true"), "-vsock", `path=${path}`]);
  assertEquals(await run.end(), 2);
  assertEquals(run.err.text, `vzrun: -vsock: cannot listen at '${path}': somebody listens there\n`);
  using client = await guest.connect("echo.sock");
  await send(client, bytes("x"));
  assertEquals(await receive(client, 1), bytes("x"));
});

Deno.test("-ready: systemd's word makes a line and a file, which is gone at the end", async () => {
  await using guest = await VsockGuest.boot((folder) => ["-quiet", "-ready", folder.file("ready")]);
  const path = guest.folder.file("ready");
  const { out } = await guest.shell.tell("cat /proc/cmdline");
  const [, port] = /vmm\.notify_socket:vsock-stream:2:(\d+)/.exec(out)!;
  const notify = (words: string) => guest.tell(`perl /tmp/vsock.pl notify ${port} "${words}"`);
  assertEquals(await notify("STATUS=starting"), "");
  assertEquals([contents(path), guest.shell.run.err.text], ["", ""]);
  assertEquals(await notify("READY=1"), "");
  await guest.shell.run.err.until("vzrun: the guest is ready\n");
  await eventually("the file", () => contents(path) !== "", 10);
  assertEquals(contents(path), "READY=1\n");
  const { code, err } = await guest.shell.end();
  assertEquals([code, err, contents(path)], [0, "vzrun: the guest is ready\n", ""]);
});

Deno.test("vsock: qemu's device alone is there for programs of the guest's", async () => {
  const args = guestRunning("modprobe -q vmw_vsock_virtio_transport; ls /dev/vsock");
  await using run = new Vzrun([...args, "-device", "vhost-vsock-pci,guest-cid=7"]);
  assertEquals([await run.end(), run.out.text, run.err.text], [0, "/dev/vsock\r\n", ""]);
});
