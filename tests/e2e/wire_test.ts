// Out of the guest by a socket: `-nic stream,…`, `-nic dgram,…`, and frames in TypeScript.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { createSocket } from "node:dgram";
import { ECHO } from "./datagram_echo.ts";
import { GuestShell } from "./guest_shell.ts";
import {
  contents,
  ENVIRONMENT,
  eventually,
  Folder,
  GUEST,
  guest,
  Output,
  ROOT,
  SOONER,
  Vzrun,
  within,
} from "./vzrun.ts";

const up = (address: string) => `ip link set eth0 up; ip addr add ${address}/24 dev eth0; `;

/** A program that is ended with the block. */
class Peer implements AsyncDisposable {
  readonly out: Output;
  readonly err: Output;
  readonly #process: Deno.ChildProcess;

  constructor(program: string, args: string[]) {
    const how = { ...ENVIRONMENT, stdin: "null", stdout: "piped", stderr: "piped" } as const;
    this.#process = new Deno.Command(program, { args, ...how }).spawn();
    [this.out, this.err] = [new Output(this.#process.stdout), new Output(this.#process.stderr)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch { /* it has ended */ }
    await Promise.all([this.#process.status, this.out.ended, this.err.ended]);
  }
}

Deno.test("wire: two machines on a stream reach each other, and 50 MiB arrive whole", async () => {
  using folder = new Folder();
  const path = folder.file("wire");
  const stream = `stream,addr.type=unix,addr.path=${path}`;
  const booting = GuestShell.boot(["-nic", `${stream},server=on`]);
  await eventually("the socket", () => contents(path + "x") === "" && exists(path));
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  await using other = await GuestShell.boot(["-nic", stream]);
  await using one = await booting;
  assertEquals(await one.tell(up("10.9.8.1") + "(nc -ll -p 5000 -e sha256sum &)"), { status: 0, out: "" });
  const commands = up("10.9.8.2") + "ping -q -c 3 -i 0.2 10.9.8.1 | grep received; " +
    "head -c 52428800 /dev/urandom >/tmp/much; nc 10.9.8.1 5000 </tmp/much; sha256sum </tmp/much";
  const { out } = await other.tell(commands);
  assertMatch(
    out,
    /^3 packets transmitted, 3 packets received, 0% packet loss\r\n([0-9a-f]{64} {2}-\r\n)\1$/,
  );
  // One that goes does not take the other with it, and is taken again when it is back.
  assertEquals(await other.end(), { code: 0, err: "" });
  await one.run.err.until(`network card 1: the peer at ${path} has gone\n`);
  await using third = await GuestShell.boot(["-nic", stream]);
  const { status } = await third.tell(up("10.9.8.3") + "ping -q -c 1 10.9.8.1 >/dev/null");
  assertEquals(status, 0);
  await one.run.err.until(`network card 1: the peer at ${path} is back\n`);
  assertEquals((await one.end()).code, 0);
  assertEquals(exists(path), false);
});

function exists(path: string): boolean {
  return [...Deno.readDirSync(path.replace(/\/[^/]*$/, ""))].some(({ name }) => path.endsWith(`/${name}`));
}

/** Answers every question with 10.1.2.3. */
async function nameServer(): Promise<{ port: number; asked: string[] } & AsyncDisposable> {
  const socket = createSocket("udp4");
  const asked: string[] = [];
  socket.on("message", (query, { port, address }) => {
    const end = query.indexOf(0, 12) + 5; // of the only question: its name, type and class
    asked.push(`${query.subarray(13, end - 5)}`);
    const isA = query.readUInt16BE(end - 4) === 1;
    const answer = isA ? [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 1, 2, 3] : [];
    const reply = new Uint8Array([...query.subarray(0, end), ...answer]);
    reply.set([0x81, 0x80], 2);
    reply.set([0, isA ? 1 : 0, 0, 0, 0, 0], 6);
    socket.send(reply, port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    port: socket.address().port,
    asked,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(resolve)),
  };
}

Deno.test("wire: passt gives the guest an address, names and TCP", async () => {
  using folder = new Folder();
  const path = folder.file("passt");
  const user = ["--runas", `${Deno.uid()}:${Deno.gid()}`];
  const args = ["-f", "-e", "-4", ...Deno.uid() === 0 ? user : [], "-s", path];
  await using passt = new Peer("passt", [...args, "-a", "10.9.0.2", "-n", "24", "-g", "10.9.0.1"]);
  await passt.err.until("You can now start qemu");
  await using names = await nameServer();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("over TCP\n"),
  );
  await using shell = await GuestShell.boot(["-nic", `stream,server=off,addr.type=unix,addr.path=${path}`]);
  const commands =
    "udhcpc -i eth0 -q -n >/dev/null 2>&1; ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*'; " +
    `nslookup -type=a vzrun.example 10.9.0.1:${names.port} | grep -o 'Address: 10.1.2.3'; ` +
    `wget -q -O - http://10.9.0.1:${server.addr.port}/`;
  assertEquals(await shell.tell(commands), {
    status: 0,
    out: "inet 10.9.0.2\r\nAddress: 10.1.2.3\r\nover TCP\r\n",
  });
  assertEquals(await shell.end(), { code: 0, err: "" });
});

Deno.test("wire: a datagram peer gets each frame, is greeted, and is taken again when it is back", async () => {
  using folder = new Folder();
  const [path, script] = [folder.file("peer"), folder.file("echo.ts")];
  Deno.writeTextFileSync(script, ECHO);
  const args = ["run", "-q", "--no-config", "--unstable-net", "-A", script, path];
  const received = "cat /sys/class/net/eth0/statistics/rx_packets";
  let first: Peer | undefined = new Peer(Deno.execPath(), args);
  try {
    await first.out.until("listening\n");
    await using shell = await GuestShell.boot(["-nic", `dgram,remote.path=${path},vfkit-magic=on`]);
    await shell.tell(up("10.9.8.2") + "(ping 10.9.8.1 >/dev/null 2>&1 &)");
    await first.out.until(/VFKT\n(frame \d+\n)*frame 3\n/);
    await shell.tell(`until [ $(${received}) -ge 3 ]; do usleep 50000; done`);
    Deno.removeSync(path);
    await shell.run.err.until(`network card 1: the peer at ${path} has gone\n`);
    await first[Symbol.asyncDispose]();
    first = undefined;
    await using second = new Peer(Deno.execPath(), args);
    await shell.run.err.until(`network card 1: the peer at ${path} is back\n`);
    await second.out.until(/VFKT\n(frame \d+\n)*frame 3\n/);
    const { out } = await shell.tell(
      `before=$(${received}); until [ $(${received}) -gt $before ]; do usleep 50000; done; echo up`,
    );
    assertEquals(out, "up\r\n");
    assertEquals((await shell.end()).code, 0);
  } finally {
    await first?.[Symbol.asyncDispose]();
  }
});

/** Becomes vzrun with a socket that another process has the other end of, which writes how long frames are, up to the first ARP. */
const INHERITED = `use Socket;
$^F = 99;
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_DGRAM, 0) or die;
my ($log, @command) = @ARGV;
if (!fork) {
  close $_ for $theirs, STDIN, STDOUT, STDERR;
  alarm 60;
  open(my $file, ">", $log) or die;
  $file->autoflush;
  while (sysread($ours, my $frame, 70000)) {
    print $file length($frame), "\\n";
    exit if length($frame) == 42;
  }
}
close $ours;
my $number = fileno($theirs);
s/NUMBER/$number/ for @command;
exec @command or die;
`;

Deno.test("wire: a datagram socket that vzrun was started with is a network", async () => {
  using folder = new Folder();
  const [script, log] = [folder.file("inherited.pl"), folder.file("log")];
  Deno.writeTextFileSync(script, INHERITED);
  const args = [
    ...guest(up("10.9.8.2") + "ping -c 1 -W 1 10.9.8.1 >/dev/null"),
    "-nic",
    "dgram,local.type=fd,local.str=NUMBER",
  ];
  await using run = new Vzrun(args, { through: ["perl", "-MIO::Handle", script, log] });
  await eventually("a frame of an ARP question", () => /^42$/m.test(contents(log)));
  assertEquals([await run.end(), run.err.text], [0, ""]);
});

Deno.test("wire: a program is the network, and the guest's pings are answered", async () => {
  const run = `${up("10.9.8.2")}ping -q -c 3 -i 0.2 10.9.8.1 | grep received`;
  const args = [`${GUEST}/vmlinuz`, `${GUEST}/initrd`, `console=hvc0 quiet ${SOONER} run="${run}"`];
  const config = ["--config", `${ROOT}/deno.json`];
  await using program = new Peer(Deno.execPath(), [
    "run",
    "-q",
    "-A",
    ...config,
    `${ROOT}/examples/answer_ping.ts`,
    ...args,
  ]);
  await within("its end", program.out.ended);
  assertEquals(program.out.text, "3 packets transmitted, 3 packets received, 0% packet loss\r\n");
  await program.err.ended;
  assert(
    Deno.readTextFileSync(`${ROOT}/examples/answer_ping.ts`).split("\n").length <= 61,
    "at most 60 lines",
  );
});
