// Into the guest by a port: `-nic user,hostfwd=…`.

import { createSocket } from "node:dgram";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../scripts/free_ports.ts";
import { GuestShell } from "./guest_shell.ts";
import { Folder, type How, within } from "./vzrun.ts";

/** How much goes through at once, in MiB, as which macOS: on both by the same code, to an address that is found otherwise. */
const MUCH = { "27.0": 200, "15.0": 20 };

/** What has so many bytes, and each piece of it its number. */
function* pieces(bytes: number): Generator<Uint8Array<ArrayBuffer>> {
  const piece = crypto.getRandomValues(new Uint8Array(65_536));
  const view = new DataView(piece.buffer);
  for (let i = 0; i < bytes / piece.length; i++) {
    view.setUint32(0, i);
    yield piece.slice();
  }
}

async function sha256(path: string): Promise<string> {
  const { stdout } = await new Deno.Command("sha256sum", { args: [path] }).output();
  return new TextDecoder().decode(stdout).slice(0, 64);
}

/** A key, and what the server wants to know of it. */
async function makeKey(path: string): Promise<string> {
  const args = ["-t", "ed25519", "-f", path];
  assert((await new Deno.Command("dropbearkey", { args, stdout: "null", stderr: "null" }).output()).success);
  const { stdout } = await new Deno.Command("dropbearkey", { args: ["-y", "-f", path] }).output();
  return /^ssh-.*$/m.exec(new TextDecoder().decode(stdout))![0];
}

/** Sends datagrams back: busybox knows none. */
const ECHO = `use IO::Socket::INET;
my $socket = IO::Socket::INET->new(LocalPort => 7, Proto => "udp") or die;
while (my $sender = $socket->recv(my $bytes, 65536)) { $socket->send($bytes, 0, $sender) }
`;

/** A guest with an SSH server, and ports of the host's that lead to it and to others. */
class Server implements AsyncDisposable {
  readonly ports = { ssh: freePort(), into: freePort(), out: freePort(), half: freePort(), echo: freePort() };
  readonly folder = new Folder();
  shell!: GuestShell;

  async boot(how: How): Promise<void> {
    const { ssh, into, out, half, echo } = this.ports;
    const forwards = [`tcp::${ssh}-:22`, `tcp:127.0.0.1:${into}-:5001`, `tcp::${out}-:5002`];
    forwards.push(`tcp::${half}-:5003`, `udp::${echo}-:7`);
    await Deno.writeTextFile(this.folder.file("echo.pl"), ECHO);
    await Deno.writeTextFile(this.folder.file("authorized_keys"), await makeKey(this.folder.file("key")));
    const args = ["-share", "host", "/,ro", "-share", "files", `${this.folder.path},ro`];
    args.push("-nic", ["user", ...forwards.map((forward) => `hostfwd=${forward}`)].join());
    this.shell = await GuestShell.boot(args, how);
    const commands = "udhcpc -i eth0 -q -n >/dev/null 2>&1; modprobe -q virtiofs; mkdir /files; " +
      "mount -t virtiofs files /files; mount -t virtiofs host /mnt; cd /mnt; " +
      "mount -t proc p proc; mount -t devtmpfs d dev; mkdir -p dev/pts; mount -t devpts p dev/pts; " +
      "for x in tmp root run; do mount -t tmpfs t $x; done; mkdir -m 700 root/.ssh; chmod 700 root; " +
      "cp /files/authorized_keys root/.ssh/; " +
      "chroot . usr/bin/dropbearkey -t ed25519 -f tmp/host >/dev/null 2>&1; " +
      "chroot . usr/sbin/dropbear -r tmp/host -s -p 22; " +
      "(nc -ll -p 5001 -e sha256sum &); (nc -ll -p 5002 -e cat /files/much &); " +
      "(nc -ll -p 5003 -e sh -c 'wc -c; echo end' &); (chroot . usr/bin/perl - </files/echo.pl &); " +
      "for port in 22 5001 5002 5003; do until netstat -ltn | grep -q :$port; do usleep 50000; done; done";
    assertEquals(await this.shell.tell(commands), { status: 0, out: "" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell?.[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

for (const [macOS, much] of Object.entries(MUCH)) {
  const of = `as macOS ${macOS}`;
  const server = new Server();
  let booted: Promise<void> | undefined;
  const boot = () => booted ??= server.boot({ env: { VIRTUALIZATION_MACOS: macOS } });
  const connect = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });
  Deno.test.afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });

  Deno.test(`ports ${of}: an SSH server in the guest is logged in to`, async () => {
    await boot();
    const { ssh } = server.ports;
    const args = [
      "-y",
      "-y",
      "-i",
      server.folder.file("key"),
      "-p",
      `${ssh}`,
      "root@127.0.0.1",
      "echo $SSH_CONNECTION",
    ];
    const client = new Deno.Command("dbclient", { args, env: { HOME: server.folder.path }, stderr: "piped" });
    const { stdout, stderr } = await within("the login", client.output());
    assertMatch(new TextDecoder().decode(stdout), / 22\n$/, new TextDecoder().decode(stderr));
  });

  Deno.test(`ports ${of}: ${much} MiB arrive whole both ways`, async () => {
    await boot();
    const file = server.folder.file("much");
    using written = await Deno.open(file, { write: true, create: true });
    for (const piece of pieces(much * 2 ** 20)) await written.write(piece);
    const digest = await sha256(file);
    {
      using into = await connect(server.ports.into);
      using much = await Deno.open(file);
      await much.readable.pipeTo(into.writable, { preventClose: true });
      await into.closeWrite();
      assertEquals(await new Response(into.readable).text(), `${digest}  -\n`);
    }
    const copy = server.folder.file("copy");
    const out = await connect(server.ports.out);
    await out.readable.pipeTo((await Deno.create(copy)).writable);
    assertEquals(await sha256(copy), digest);
  });

  Deno.test(`ports ${of}: a client that has ended its side still gets the answer`, async () => {
    await boot();
    using client = await connect(server.ports.half);
    await client.write(new Uint8Array(1000));
    await client.closeWrite();
    assertEquals(await new Response(client.readable).text(), "1000\nend\n");
  });

  Deno.test(`ports ${of}: a datagram comes back`, async () => {
    await boot();
    const socket = createSocket("udp4");
    try {
      const answer = new Promise<string>((resolve) => socket.once("message", (bytes) => resolve(`${bytes}`)));
      socket.send("hello", server.ports.echo, "127.0.0.1");
      assertEquals(await within("the echo", answer, 20), "hello");
    } finally {
      socket.close();
    }
  });

  Deno.test(`ports ${of}: they are free again when the machine has ended`, async () => {
    await boot();
    const { code, err } = await server.shell.end();
    assertEquals([code, err], [0, ""]);
    for (const port of Object.values(server.ports)) Deno.listen({ hostname: "127.0.0.1", port }).close();
  });
}
