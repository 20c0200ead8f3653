// vzrun in vfkit's place: what each of its clients generates boots a guest, and does what that client waits for.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "../../scripts/free_ports.ts";
import { Screen } from "./screen.ts";
import { change, commandLine, curl, DatagramPeer, linux, shares, stateOf, withDisk } from "./vfkit_guest.ts";
import { chroot, SET_UP } from "./vsock_guest.ts";
import {
  contents,
  ENVIRONMENT,
  eventually,
  Folder,
  GUEST,
  Output,
  pause,
  ROOT,
  stateOf as processState,
  Vzrun,
  vzrun,
  within,
} from "./vzrun.ts";

/** Asks for Ignition's file as Ignition does. */
const FETCH = `printf 'GET / HTTP/1.1\\r\\nHost: d\\r\\nConnection: close\\r\\n\\r\\n' |
socat -t 10 - VSOCK-CONNECT:2:1024 | tail -1
`;
const notify = (port: number, text: string) => chroot(`perl /tmp/vsock.pl notify ${port} ${text}`);
const UP = "ip link set eth0 up; ip addr add 10.9.8.2/24 dev eth0; (ping 10.9.8.1 >/dev/null 2>&1 &)";

/** As podman, crc and minikube wait for it: a client of theirs that listens, and is dialled by the guest. */
async function readyLine(listener: Deno.UnixListener): Promise<string> {
  using connection = await listener.accept();
  return await new Response(connection.readable).text();
}

const listenAt = (path: string) => Deno.listen({ transport: "unix", path });

Deno.test("vfkit: podman's first boot: the ready line, Ignition's file, the network, and a stop by REST over TCP", async () => {
  const { folder, disk } = await withDisk(
    `${SET_UP}; ${UP}; cp /files/fetch tmp; ${chroot("sh /tmp/fetch")}; ${notify(1025, "Ready")}; sleep 1000`,
  );
  using _folder = folder;
  const file = (name: string) => folder.file(name);
  Deno.writeTextFileSync(file("fetch"), FETCH);
  using ready = listenAt(file("podman.sock"));
  await using _ignition = Deno.serve(
    { path: file("ignition.sock"), onListen() {} },
    () => new Response('{"ignition":{}}\n'),
  );
  await using peer = await DatagramPeer.open(folder);
  Deno.writeTextFileSync(file("efi-bl"), "no variable store");
  const place = `http://localhost:${freePort()}`;
  await using run = new Vzrun([
    "vfkit",
    ...["--cpus", "1", "--memory", "512"],
    ...["--bootloader", `efi,variable-store=${file("efi-bl")},create`],
    ...["--device", `virtio-blk,path=${disk}`],
    ...["--device", "virtio-rng"],
    ...["--device", `virtio-vsock,port=1025,socketURL=${file("podman.sock")},listen`],
    ...["--device", `virtio-serial,logFilePath=${file("log")}`],
    ...["--device", `virtio-net,unixSocketPath=${peer.path},mac=5a:94:ef:e4:0c:ee`],
    ...shares(folder),
    ...["--device", `virtio-vsock,port=1024,socketURL=${file("ignition.sock")},listen`],
    ...["--restful-uri", place.replace("http", "tcp")],
  ]);
  assertEquals(await within("the ready line", readyLine(ready)), "Ready");
  assertMatch(contents(file("log")), /^{"ignition":{}}\r?\n/m);
  await peer.out.until(/^listening\nVFKT\n(frame \d+\n)*frame 3\n/);
  assertEquals(await curl(place, "/vm/state"), {
    status: 200,
    body: {
      state: "VirtualMachineStateRunning",
      canStart: false,
      canPause: true,
      canResume: false,
      canStop: true,
      canHardStop: true,
    },
  });
  assertEquals(await change(place, "Stop"), { status: 202, body: undefined });
  while (await stateOf(place) !== "gone") await pause(100);
  assertEquals([await run.end(), run.out.text, run.err.text], [0, "", ""]);
  assert(Deno.statSync(file("efi-bl")).size > 1000, "the variable store is made anew");
});

Deno.test("vfkit: minikube's: its name, a pause, and REST at a socket that is gone at the end", async () => {
  using folder = new Folder();
  const file = (name: string) => folder.file(name);
  Deno.symlinkSync(`${ROOT}/dev`, file("vfkit"));
  for (const name of ["boot2docker.iso", "disk"]) Deno.writeFileSync(file(name), new Uint8Array(1 << 20));
  const rest = file("vfkit.sock");
  const files = `kernel=${GUEST}/vmlinuz,initrd=${GUEST}/initrd`;
  const commands = "wc -c /dev/vda /dev/vdb | tail -1; cat /sys/class/net/eth0/address; sleep 1000";
  const args = [
    ...["--memory", "256", "--cpus", "1", "--restful-uri", `unix://${rest}`, "--log-level", "debug"],
    ...["--bootloader", `linux,${files},cmdline="${commandLine(commands)}"`],
    ...["--device", "virtio-net,nat,mac=52:54:00:12:34:56", "--device", "virtio-rng"],
    ...["--device", `virtio-blk,path=${file("boot2docker.iso")}`],
    ...["--device", `virtio-blk,path=${file("disk")}`],
    ...["--device", `virtio-serial,logFilePath=${file("serial.log")}`],
    ...["--device", `virtio-fs,sharedDir=${folder.path},mountTag=minikube`],
    ...["--device", "rosetta,mountTag=rosetta,ignore-if-missing"],
  ];
  const minikube = new Deno.Command(file("vfkit"), { args, ...ENVIRONMENT, stdout: "null", stderr: "piped" })
    .spawn();
  const err = new Output(minikube.stderr);
  try {
    await eventually("the console", () => contents(file("serial.log")).includes("52:54:00:12:34:56"));
    assertMatch(contents(file("serial.log")), /2097152 total/);
    assertEquals(contents(`/proc/${minikube.pid}/comm`), "vfkit\n");
    assertEquals(Deno.statSync(rest).mode! & 0o777, 0o600);
    assertEquals(await stateOf(rest), "Running");
    for (const [wanted, state] of [["Pause", "Paused"], ["Resume", "Running"]]) {
      assertEquals((await change(rest, wanted)).status, 202);
      assertEquals(await stateOf(rest), state);
    }
    assertEquals((await change(rest, "HardStop")).status, 202);
    assertEquals((await within("the end", minikube.status)).code, 0);
    assert(![...Deno.readDirSync(folder.path)].some(({ name }) => name === "vfkit.sock"));
  } finally {
    if (processState(minikube.pid) !== undefined) minikube.kill("SIGKILL");
    await Promise.all([minikube.status, err.ended]);
  }
});

Deno.test("vfkit: crc's: by EFI, and SIGTERM has the guest power off", async () => {
  const { folder, disk } = await withDisk("echo up; sleep 1000");
  using _folder = folder;
  const file = (name: string) => folder.file(name);
  await using peer = await DatagramPeer.open(folder);
  await using run = new Vzrun([
    "vfkit",
    ...["--cpus", "1", "--memory", "512", "--bootloader", `efi,variable-store=${file("vars")},create`],
    ...["--device", `virtio-serial,logFilePath=${file("log")}`],
    ...["--device", "virtio-net,nat,mac=52:54:00:12:34:57"],
    ...["--device", `virtio-fs,sharedDir=${folder.path},mountTag=dir0`],
    ...["--device", "virtio-rng", "--device", `virtio-blk,path=${disk}`],
    ...["--device", `virtio-net,unixSocketPath=${peer.path},mac=5a:94:ef:e4:0c:ee`],
    ...["--timesync", "vsockPort=1234", "--pidfile", file("pid")],
  ]);
  await peer.out.until("VFKT\n");
  await eventually("the console", () => contents(file("log")).includes("up"));
  assertEquals(contents(file("pid")).trim(), `${run.pid}`);
  assertEquals(Deno.statSync(file("pid")).mode! & 0o777, 0o600);
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 0);
  assertEquals(run.err.text, "vzrun: SIGTERM: asked the guest to power off\n");
  assertEquals(contents(file("pid")), "");
});

Deno.test("vfkit: microvm.nix's: the console on stdio, and a guest that does not hear is ended after 5 s", async () => {
  const device = ["--device", "virtio-serial,stdio", "--memory", "256"];
  const hello = await vzrun(["vfkit", ...linux("echo hello"), ...device]);
  assertEquals(hello, { code: 0, out: "hello\r\n", err: "" });
  await using run = new Vzrun(["vfkit", ...linux("echo up; sleep 1000", "powerbutton=ignore"), ...device]);
  await run.out.until("up\r\n");
  const began = performance.now();
  run.signal("SIGINT");
  assertEquals(await run.end(20), 0);
  const seconds = (performance.now() - began) / 1000;
  assert(seconds > 4.9 && seconds < 9, `${seconds} s`);
  assertEquals(
    run.err.text,
    "vzrun: SIGINT: asked the guest to power off\nvzrun: it did not power off in 5 s: ended the machine\n",
  );
});

/** Becomes vzrun with a socket that another process has the other end of, which says how long frames are. */
const INHERITED = `use Socket;
$^F = 99;
socketpair(my $ours, my $theirs, AF_UNIX, SOCK_DGRAM, 0) or die;
my ($log, @command) = @ARGV;
if (!fork) {
  close $_ for $theirs, STDIN, STDOUT, STDERR;
  alarm 60;
  open(my $file, ">", $log) or die;
  $file->autoflush;
  while (sysread($ours, my $frame, 70000)) { print $file length($frame), "\\n" }
}
close $ours;
my $number = fileno($theirs);
s/NUMBER/$number/ for @command;
exec @command or die;
`;

/** Counts the frames that come over a connection, each after its length. */
async function countFrames(listener: Deno.UnixListener, enough: number): Promise<number> {
  using connection = await listener.accept();
  const reader = connection.readable.getReader();
  let [count, bytes] = [0, new Uint8Array()];
  while (count < enough) {
    const { value } = await reader.read();
    bytes = new Uint8Array([...bytes, ...value!]);
    while (bytes.length >= 4) {
      const length = new DataView(bytes.buffer).getUint32(0);
      if (bytes.length < 4 + length) break;
      bytes = bytes.slice(4 + length);
      count++;
    }
  }
  reader.releaseLock();
  return count;
}

Deno.test("vfkit: lima's for krunkit: its first disk boots, on networks of both kinds, and ssh's port is reached", async () => {
  const pings = [["eth0", "10.9.8"], ["eth1", "10.9.7"]].map(([card, net]) =>
    `ip link set ${card} up; ip addr add ${net}.2/24 dev ${card}; (ping ${net}.1 >/dev/null 2>&1 &)`
  ).join("; ");
  const server = chroot("perl /tmp/vsock.pl serve 22 count >/dev/null 2>&1 &");
  const { folder, disk } = await withDisk(`${SET_UP}; ${pings}; ${server}; sleep 1000`);
  using _folder = folder;
  const file = (name: string) => folder.file(name);
  Deno.writeTextFileSync(file("inherited.pl"), INHERITED);
  using stream = listenAt(file("stream.sock"));
  const frames = countFrames(stream, 3);
  const args = [
    "krunkit",
    ...["--memory", "512", "--cpus", "1", "--device", `virtio-serial,logFilePath=${file("serial.log")}`],
    ...["--krun-log-level", "3", "--restful-uri", "none://"],
    ...["--device", `virtio-blk,path=${disk},format=raw`],
    ...shares(folder),
    ...["--device", "virtio-net,type=unixgram,fd=NUMBER,mac=52:55:55:12:34:56"],
    ...["--device", `virtio-net,type=unixstream,path=${file("stream.sock")},mac=52:55:55:12:34:57`],
    ...["--device", `virtio-vsock,port=22,socketURL=${file("ssh.sock")},connect`],
  ];
  await using run = new Vzrun(args, {
    through: ["perl", "-MIO::Handle", file("inherited.pl"), file("frames")],
  });
  assertEquals(await within("frames by the stream", frames), 3);
  await eventually("frames by the descriptor", () => contents(file("frames")).split("\n").length > 3);
  assertEquals(contents(`/proc/${run.pid}/comm`), "krunkit\n");
  let said = "";
  while (said === "") {
    using client = await Deno.connect({ transport: "unix", path: file("ssh.sock") });
    try {
      await client.write(new TextEncoder().encode("12345"));
      await client.closeWrite();
      said = await new Response(client.readable).text();
    } catch { /* nobody listens there yet */ }
  }
  assertEquals(said, "5\n");
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 0);
  assertEquals([...Deno.readDirSync(folder.path)].some(({ name }) => name === "ssh.sock"), false);
});

Deno.test("vfkit: podman's for debugging: a window; and a disk for cloud-init", async () => {
  using folder = new Folder();
  const log = folder.file("log");
  Deno.writeTextFileSync(folder.file("user-data"), "#cloud-config\n{}\n");
  Deno.writeTextFileSync(folder.file("meta-data"), "");
  await using screen = await Screen.start();
  const devices = ["virtio-gpu,width=640,height=480", "virtio-input,pointing", "virtio-input,keyboard"];
  await using run = new Vzrun([
    "vfkit",
    ...linux("head -c 65536 /dev/vda | grep -io cidata | head -1 | tr A-Z a-z; echo up; sleep 1000"),
    ...["--memory", "256", "--device", `virtio-serial,logFilePath=${log}`, "--gui"],
    ...devices.flatMap((device) => ["--device", device]),
    ...["--cloud-init", `${folder.file("user-data")},${folder.file("meta-data")}`],
  ], screen.how);
  await screen.window("vzrun");
  await eventually("the console", () => contents(log).includes("up"));
  assertMatch(contents(log), /^cidata\r?\n/);
  run.signal("SIGTERM");
  assertEquals([await run.end(20), run.err.text], [0, "vzrun: SIGTERM: asked the guest to power off\n"]);
});

Deno.test("vfkit: what is wrong is one line on stderr, and exit code 1, before anything starts", async () => {
  using folder = new Folder();
  const long = `/tmp/${"x".repeat(100)}`;
  const kernel = ["--bootloader", `linux,kernel=${GUEST}/vmlinuz`];
  const wrong: [string[], string][] = [
    [[], "nothing to boot: --bootloader is missing"],
    [["--bootloader", "linux,kernel=/nowhere"], "cannot open kernel '/nowhere': no such file"],
    [[...kernel, "--memory", "999999999"], "--memory: 953.6 TiB is more memory than this host allows"],
    [[...kernel, "-d", "virtio-blk,path=/nowhere"], "cannot open disk '/nowhere': no such file"],
    [[...kernel, "-d", "virtio-fs,sharedDir=/nowhere"], "cannot share '/nowhere': no such folder"],
    [
      [...kernel, "-d", "virtio-net,unixSocketPath=/nowhere"],
      "virtio-net: cannot connect to '/nowhere': no such file",
    ],
    [[...kernel, "-d", "virtio-net,fd=99"], "virtio-net: "],
    [
      [...kernel, "-d", "virtio-serial,logFilePath=/nowhere/log"],
      "virtio-serial: cannot write '/nowhere/log'",
    ],
    [[...kernel, "-d", `virtio-vsock,port=1,socketURL=${long}`], "virtio-vsock: cannot connect to '/tmp/xx"],
    [[...kernel, "--restful-uri", `unix://${long}`], "cannot listen at '/tmp/xx"],
    [[...kernel, "--restful-uri", `unix://${folder.path}`], `'${folder.path}': it is a folder`],
    [[...kernel, "--ignition", "/nowhere"], "cannot open Ignition file '/nowhere': no such file"],
    [[...kernel, "--pidfile", "/nowhere/pid"], "cannot write '/nowhere/pid': no folder '/nowhere/'"],
    [
      [...kernel, "--cloud-init", "user-data"],
      "--cloud-init: cannot open user-data 'user-data': no such file",
    ],
    [[...kernel, "-d", "nbd,uri=http://a/b"], "http://a/b"],
    [[...kernel, "-d", "virtio-blk,path=/dev/nothing,type=dev"], "/dev/nothing"],
    [
      [...kernel, "-d", "virtio-blk,path=/etc/hosts,type=dev"],
      "--device: type=dev: '/etc/hosts' is no device",
    ],
    [[...kernel, "-d", "rosetta,mountTag=r"], "--device rosetta: this computer has no Rosetta"],
    [[...kernel, "--gui"], "--gui: there is no screen to open it on"],
  ];
  const runs = wrong.map(([args]) => () => vzrun(["vfkit", ...args]));
  for (const [i, run] of runs.entries()) {
    const { code, out, err } = await run();
    assertEquals([code, out, err.split("\n").length], [1, "", 2], err);
    assert(err.startsWith("vzrun: ") && err.includes(wrong[i][1]), err);
  }
});
