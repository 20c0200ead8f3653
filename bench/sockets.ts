/** Measures round trips with a guest, and what comes out of it, by vsock, by a port, and by a console on a socket. */

import { Folder } from "../tests/e2e/vzrun.ts";
import { freePort } from "../scripts/free_ports.ts";
import { type Bench, commandLine, machine, qemu, vzrun } from "./bench.ts";
import { inTurn, type Row } from "./figures.ts";
import { Running } from "./running.ts";

const TRIPS = 2_000;
const SIZE = 20_000_000;

/** Sends back what it gets at vsock port 7, and sends zeros at port 8: busybox knows no vsock. */
const SERVER = `use strict;
sub serve { my ($port, $what) = @_; return if fork;
  socket(my $socket, 40, 1, 0) or die; bind($socket, pack("SSLLx4", 40, 0, $port, 0xffffffff)) or die; listen($socket, 9) or die;
  open(my $file, ">", "/tmp/listens-$port");
  while (accept(my $client, $socket)) { $what->($client) } }
serve(7, sub { my $client = shift; while (sysread($client, my $bytes, 65536)) { syswrite($client, $bytes) } });
serve(8, sub { my $client = shift; my $zeros = "\\0" x 65536; while (syswrite($client, $zeros)) {} });
`;

const NETWORK = "udhcpc -i eth0 -q -n >/dev/null 2>&1; (nc -ll -p 7 -e cat &); " +
  `head -c ${SIZE} /dev/zero >/tmp/file; httpd -p 80 -h /tmp; `;
const SOCKETS =
  "modprobe -q vmw_vsock_virtio_transport; modprobe -q virtiofs; mount -t virtiofs host /mnt; mkdir /files; " +
  "mount -t virtiofs files /files; mount -t tmpfs t /mnt/tmp; chroot /mnt /usr/bin/perl - </files/server.pl & " +
  "(stty raw -echo; cat) </dev/hvc1 >/dev/hvc1 & until [ -e /mnt/tmp/listens-7 -a -e /mnt/tmp/listens-8 ]; do usleep 50000; done; ";

const append = (commands: string) => commandLine(`${commands}echo ready; sleep 1000`);

/** Microseconds that a byte takes to the guest and back. */
async function roundTrip(connection: Deno.Conn): Promise<number> {
  const [byte, answer] = [Uint8Array.of(120), new Uint8Array(1)];
  const trip = async () => {
    await connection.write(byte);
    if (await connection.read(answer) !== 1) throw new Error("no answer has come");
  };
  for (let i = 0; i < 100; i++) await trip();
  const from = performance.now();
  for (let i = 0; i < TRIPS; i++) await trip();
  return (performance.now() - from) * 1000 / TRIPS;
}

/** MB/s of what a connection gives. */
async function speed(connection: Deno.Conn): Promise<number> {
  const buffer = new Uint8Array(256 * 1024);
  const from = performance.now();
  let bytes = 0;
  while (bytes < SIZE) {
    const read = await connection.read(buffer);
    if (read === null) throw new Error(`${bytes} bytes of ${SIZE} have come`);
    bytes += read;
  }
  return bytes / 1e6 / ((performance.now() - from) / 1000);
}

const atPort = (port: number) => Deno.connect({ hostname: "127.0.0.1", port });

/** An answer to a request for the large file, from its first byte on. */
async function asked(port: number): Promise<Deno.Conn> {
  const connection = await atPort(port);
  await connection.write(new TextEncoder().encode("GET /file HTTP/1.0\r\n\r\n"));
  return connection;
}

interface Figures {
  trips: Record<string, number>;
  speeds: Record<string, number>;
}

async function measureVzrun(): Promise<Figures> {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("server.pl"), SERVER);
  const [echo, http] = [freePort(), freePort()];
  const path = (name: string) => folder.file(name);
  await using running = new Running([
    ...vzrun(...machine(append(NETWORK + SOCKETS))),
    ...["-share", "host", "/,ro", "-share", "files", `${folder.path},ro`],
    ...["-nic", `user,hostfwd=tcp::${echo}-:7,hostfwd=tcp::${http}-:80`],
    ...["-vsock", `connect,port=7,path=${path("echo")}`, "-vsock", `connect,port=8,path=${path("zeros")}`],
    ...["-serial", "stdio", "-serial", `unix:${path("console")}`],
  ]);
  await running.out.until("ready");
  const at = (name: string) => Deno.connect({ transport: "unix", path: path(name) });
  const measured = async (
    measure: (connection: Deno.Conn) => Promise<number>,
    connecting: Promise<Deno.Conn>,
  ) => {
    using connection = await connecting;
    return await measure(connection);
  };
  return {
    trips: {
      vsock: await measured(roundTrip, at("echo")),
      hostfwd: await measured(roundTrip, atPort(echo)),
      "-serial unix:": await measured(roundTrip, at("console")),
    },
    speeds: { vsock: await measured(speed, at("zeros")), hostfwd: await measured(speed, asked(http)) },
  };
}

async function measureQEMU(): Promise<{ trip: number; speed: number }> {
  const [echo, http] = [freePort(), freePort()];
  const network = `user,hostfwd=tcp:127.0.0.1:${echo}-:7,hostfwd=tcp:127.0.0.1:${http}-:80`;
  await using running = new Running(qemu(append(NETWORK), network));
  await running.out.until("ready");
  using one = await atPort(echo);
  const trip = await roundTrip(one);
  using other = await asked(http);
  return { trip, speed: await speed(other) };
}

export async function* measureSockets({ rounds }: Bench): AsyncGenerator<Row> {
  const { ours, theirs } = await inTurn(Math.min(rounds, 2), { ours: measureVzrun, theirs: measureQEMU });
  for (const name of Object.keys(ours[0].trips)) {
    yield {
      what: `a byte to the guest and back by ${name}`,
      unit: "µs",
      vzrun: ours.map(({ trips }) => trips[name]),
      native: theirs.map(({ trip }) => trip),
    };
  }
  for (const name of Object.keys(ours[0].speeds)) {
    yield {
      what: `out of the guest by ${name}, beside QEMU's port`,
      unit: "MB/s",
      vzrun: ours.map(({ speeds }) => speeds[name]),
      native: theirs.map(({ speed }) => speed),
    };
  }
}
