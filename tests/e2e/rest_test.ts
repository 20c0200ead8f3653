// REST over a running machine: what inspect tells of every device, what is refused, and clients that misbehave.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { change, commandLine, curl, shares, stateOf } from "./vfkit_guest.ts";
import { chroot, guestFiles, SET_UP } from "./vsock_guest.ts";
import { contents, eventually, type Folder, GUEST, pause, Vzrun, within } from "./vzrun.ts";

const KERNEL = `${GUEST}/vmlinuz`;
const IGNITION = '{"ignition":{"version":"3.4.0"}}';

/** Asks for Ignition's file, three times: twice as Ignition does, and as nobody does. */
const FETCH = `for head in 'GET / HTTP/1.1' 'HEAD / HTTP/1.0' 'PUT / HTTP/1.1'; do
  printf '%s\\r\\nHost: d\\r\\n\\r\\n' "$head" | socat -t 10 - VSOCK-CONNECT:2:1024 | tr -d '\\r' | sed 's/^/: /'
done
`;

/** A machine with a device of every kind. */
class Machine implements AsyncDisposable {
  private constructor(readonly run: Vzrun, readonly folder: Folder, readonly boot: string) {}

  static async boot(): Promise<Machine> {
    const folder = await guestFiles();
    const file = (name: string) => folder.file(name);
    for (const name of ["blk", "nvme", "usb"]) Deno.writeFileSync(file(name), new Uint8Array(1 << 20));
    Deno.writeTextFileSync(file("fetch"), FETCH);
    Deno.writeTextFileSync(file("config.ign"), IGNITION);
    const text = commandLine(
      `${SET_UP}; cp /files/fetch tmp; ${chroot("sh /tmp/fetch")}; echo up; sleep 1000`,
    );
    const words = [
      `virtio-blk,path=${file("blk")},deviceId=one,type=image`,
      `nvme,path=${file("nvme")},readonly`,
      `usb-mass-storage,path=${file("usb")}`,
      "virtio-net,nat,mac=52:54:00:12:34:58",
      `virtio-serial,logFilePath=${file("log")}`,
      "virtio-serial,pty",
      "virtio-rng",
      "virtio-balloon",
      "virtio-gpu,width=1024,height=768",
      "virtio-input,keyboard",
      "virtio-input,pointing",
      `virtio-vsock,port=5000,socketURL=${file("connect.sock")},connect`,
      `virtio-vsock,port=5001,socketURL=unix://${file("listen.sock")}`,
      "rosetta,mountTag=r,ignore-if-missing",
    ];
    const run = new Vzrun([
      "vfkit",
      ...[
        "-c",
        "1",
        "-m",
        "512",
        "--bootloader",
        `linux,kernel=${KERNEL},initrd=${GUEST}/initrd,cmdline=${text}`,
      ],
      ...words.flatMap((word) => ["--device", word]),
      ...shares(folder),
      ...["--timesync", "vsockPort=1234", "--ignition", file("config.ign"), "--log-level", "error"],
      ...["--restful-uri", `unix://${file("rest.sock")}`],
    ]);
    return new Machine(run, folder, text);
  }

  get rest(): string {
    return this.folder.file("rest.sock");
  }

  async up(): Promise<string> {
    await eventually("the console", () => contents(this.folder.file("log")).includes("up"));
    return contents(this.folder.file("log")).replaceAll("\r", "");
  }

  async connect(): Promise<Deno.UnixConn> {
    return await Deno.connect({ transport: "unix", path: this.rest });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
    this.folder[Symbol.dispose]();
  }
}

let booting: Promise<Machine> | undefined;
const boot = () => booting ??= Machine.boot();
Deno.test.afterAll(async () => {
  await (await booting)?.[Symbol.asyncDispose]();
});

const bytes = (text: string) => new TextEncoder().encode(text);

/** What comes back for bytes that are sent as they are, up to the end of the connection. */
async function raw(machine: Machine, request: string): Promise<string> {
  using connection = await machine.connect();
  await connection.write(bytes(request));
  return await within(request, new Response(connection.readable).text(), 30);
}

Deno.test("rest: inspect tells of every device, with the name of a pseudo-terminal", async () => {
  const machine = await boot();
  const file = (name: string) => machine.folder.file(name);
  await eventually(
    "the socket",
    () => [...Deno.readDirSync(machine.folder.path)].some(({ name }) => name === "rest.sock"),
  );
  const { status, body } = await curl(machine.rest, "/vm/inspect");
  const { devices, ...rest } = body as { devices: Record<string, unknown>[] };
  assertEquals([status, rest as unknown], [200, {
    vcpus: 1,
    memoryBytes: 512 * 2 ** 20,
    bootloader: {
      kind: "linuxBootloader",
      vmlinuzPath: KERNEL,
      initrdPath: `${GUEST}/initrd`,
      kernelCmdLine: machine.boot,
    },
    timesync: { vsockPort: 1234 },
    ignition: { kind: "ignition", configPath: file("config.ign") },
  }]);
  const pty = devices.find(({ usesPty }) => usesPty)!.ptyName as string;
  assertMatch(pty, /^\/dev\/pts\/\d+$/);
  assertEquals(devices, [
    {
      kind: "virtioblk",
      devName: "virtio-blk",
      imagePath: file("blk"),
      type: "image",
      deviceIdentifier: "one",
    },
    { kind: "nvme", devName: "nvme", imagePath: file("nvme"), readOnly: true },
    { kind: "usbmassstorage", devName: "usb-mass-storage", imagePath: file("usb") },
    { kind: "virtionet", nat: true, macAddress: "52:54:00:12:34:58" },
    { kind: "virtioserial", logFile: file("log") },
    { kind: "virtioserial", usesPty: true, ptyName: pty },
    { kind: "virtiorng" },
    { kind: "virtioballoon" },
    { kind: "virtiogpu", usesGUI: false, width: 1024, height: 768 },
    { kind: "virtioinput", inputType: "keyboard" },
    { kind: "virtioinput", inputType: "pointing" },
    { kind: "virtiosock", port: 5000, socketURL: file("connect.sock") },
    { kind: "virtiosock", port: 5001, socketURL: `unix://${file("listen.sock")}`, listen: true },
    { kind: "rosetta", mountTag: "r", installRosetta: false, ignoreIfMissing: true },
    { kind: "virtiofs", mountTag: "host", sharedDir: "/" },
    { kind: "virtiofs", mountTag: "files", sharedDir: machine.folder.path },
  ]);
});

Deno.test("rest: Ignition in the guest gets its file, and nothing else is done for it", async () => {
  const head = (status: string, length: number) =>
    [status, "Content-Type: application/json", `Content-Length: ${length}`, "Connection: close", ""]
      .map((line) => `: ${line}\n`).join("");
  const { length } = IGNITION;
  assertEquals(
    await (await boot()).up(),
    `${head("HTTP/1.1 200 OK", length)}: ${IGNITION}${head("HTTP/1.1 200 OK", length)}` +
      `${head("HTTP/1.1 405 Method Not Allowed", 0)}up\n`,
  );
});

Deno.test("rest: what is refused has a status and one reason, and the machine runs on", async () => {
  const machine = await boot();
  await machine.up();
  const refusals: [string[], number, string | RegExp][] = [
    [["/"], 404, "there is no /"],
    [["/vm/state/"], 404, "there is no /vm/state/"],
    [["/constructor"], 404, "there is no /constructor"],
    [["/vm/state", "-X", "PUT"], 405, "/vm/state takes GET, POST"],
    [["/vm/inspect", "-d", "{}"], 405, "/vm/inspect takes GET"],
    [["/vm/state", "-d", ""], 400, /^the body is no JSON: /],
    [["/vm/state", "-d", "{"], 400, /^the body is no JSON: /],
    [["/vm/state", "-d", "null"], 400, 'expected {"state": "Stop"} or its like'],
    [["/vm/state", "-d", '"Stop"'], 400, 'expected {"state": "Stop"} or its like'],
    [["/vm/state", "-d", '{"state":1}'], 400, 'expected {"state": "Stop"} or its like'],
    [
      ["/vm/state", "-d", '{"state":"Fly"}'],
      500,
      "unknown state 'Fly': there are Stop, HardStop, Pause, Resume",
    ],
    [
      ["/vm/state", "-d", '{"state":"stop"}'],
      500,
      "unknown state 'stop': there are Stop, HardStop, Pause, Resume",
    ],
    [["/vm/state", "-d", '{"state":"Resume"}'], 500, "the machine is running, which Resume does not go with"],
  ];
  for (const [[path, ...options], status, reason] of refusals) {
    const answer = await curl(machine.rest, path, ...options);
    const { error, ...rest } = answer.body as { error: string };
    assertEquals([answer.status, rest], [status, {}], `${path} ${options}`);
    if (typeof reason === "string") assertEquals(error, reason);
    else assertMatch(error, reason);
  }
  assertEquals(await stateOf(machine.rest), "Running");
});

Deno.test("rest: a body of 100 MB is refused, and not kept", async () => {
  const machine = await boot();
  const body = machine.folder.file("body");
  Deno.writeFileSync(body, new Uint8Array(100_000_000));
  const before = memoryOf(machine.run.pid);
  for (const options of [[], ["-H", "Transfer-Encoding: chunked"]]) {
    assertEquals(await curl(machine.rest, "/vm/state", "--data-binary", `@${body}`, ...options), {
      status: 413,
      body: { error: "a body has at most 16384 bytes" },
    });
  }
  assert(memoryOf(machine.run.pid) - before < 30_000, "kB of memory");
  Deno.removeSync(body);
});

function memoryOf(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

Deno.test("rest: HTTP/1.0, no host, several requests in one write, and no HTTP at all", async () => {
  const machine = await boot();
  assertMatch(await raw(machine, "GET /vm/state HTTP/1.0\r\n\r\n"), /^HTTP\/1\.[01] 200 OK\r\n[^]*Running/);
  const both = "GET /vm/state HTTP/1.1\r\nHost: _\r\n\r\n" +
    "GET http://elsewhere/vm/inspect?x=/y HTTP/1.1\r\nHost: _\r\nConnection: close\r\n\r\n";
  assertMatch(
    await raw(machine, both),
    /^HTTP\/1\.1 200 OK\r\n[^]*Running[^]*HTTP\/1\.1 200 OK\r\n[^]*memoryBytes/,
  );
  for (const nothing of ["\0\xff\0\r\n\r\n", "GET\r\n\r\n", "GET /vm/state HTTP/9.9\r\n\r\n"]) {
    assertMatch(await raw(machine, nothing), /^(HTTP\/1\.1 (400|505) [^]*)?$/);
  }
  assertEquals(await stateOf(machine.rest), "Running");
});

Deno.test("rest: 1,000 requests at once, beside 200 that are half sent, are all answered", async () => {
  const machine = await boot();
  const halves: Deno.UnixConn[] = [];
  for (let i = 0; i < 200; i++) {
    const half = await machine.connect();
    halves.push(half);
    const parts = ["", "GET /vm", "POST /vm/state HTTP/1.1\r\nHost: _\r\nContent-Length: 30\r\n\r\n{"];
    await half.write(bytes(parts[i % parts.length]));
  }
  const ask = async () => {
    const answer = await raw(machine, "GET /vm/state HTTP/1.1\r\nHost: _\r\nConnection: close\r\n\r\n");
    assertMatch(answer, /^HTTP\/1\.1 200 OK\r\n[^]*"VirtualMachineStateRunning"/);
  };
  await Promise.all(Array.from({ length: 1000 }, ask));
  for (const half of halves.splice(0, 150)) half.close();
  await ask();
  // One that has sent half of a body is told so after a while; the others may wait as long as they like.
  const late = await machine.connect();
  await late.write(bytes("POST /vm/state HTTP/1.1\r\nHost: _\r\nContent-Length: 30\r\n\r\n{"));
  const buffer = new Uint8Array(100);
  const length = await within("an answer", late.read(buffer), 30);
  assertMatch(new TextDecoder().decode(buffer.subarray(0, length!)), /^HTTP\/1\.1 408 /);
  for (const half of [...halves, late]) half.close();
});

Deno.test("rest: HardStop is answered before the end, whoever else is connected", async () => {
  const machine = await boot();
  await machine.up();
  using idle = await machine.connect();
  await idle.write(bytes("GET /vm"));
  assertEquals(await change(machine.rest, "HardStop"), { status: 202, body: undefined });
  assertEquals([await machine.run.end(10), machine.run.err.text], [
    0,
    `vzrun: hvc1 is at ${ptyOf(machine)}\n`,
  ]);
  while (await stateOf(machine.rest) !== "gone") await pause(50);
});

function ptyOf({ run }: Machine): string | undefined {
  return /hvc1 is at (\S+)/.exec(run.err.text)?.[1];
}
