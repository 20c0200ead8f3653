// vfkit's command line, every line of what its clients say: the machine that it describes, and what inspect tells of it.

import { assertEquals, assertRejects } from "@std/assert";
import type { Device, Program } from "../../src/cli/vfkit/devices.ts";
import { helpText, versionText } from "../../src/cli/vfkit/help.ts";
import { OPTIONS } from "../../src/cli/vfkit/options.ts";
import { parse } from "../../src/cli/vfkit/parse.ts";
import { toRun } from "../../src/cli/vfkit/to_run.ts";
import { wordError } from "../../src/cli/vfkit/word_error.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { MachineError, Setting } from "../../src/machine/error.ts";
import type { Description } from "../../src/machine/machine.ts";
import { Folder } from "../e2e/vzrun.ts";
import type { RunOptions } from "../../src/cli/run_options.ts";

const BOOT = ["--bootloader", "linux,kernel=/k"];
const REST = ["--restful-uri", "unix:///rest"];
const MiB = 2 ** 20;

async function run(args: string[], program: Program = "vfkit"): Promise<RunOptions> {
  return toRun(await parse(args, program), "installed");
}

const described = async (args: string[], program?: Program) => (await run(args, program)).description;

type Inspected = Record<string, unknown> & { devices?: unknown[] };

async function inspected(args: string[]): Promise<Inspected> {
  return JSON.parse(JSON.stringify((await run([...args, ...REST])).rest!.inspect));
}

Deno.test("vfkit: what is not said is as vfkit has it", async () => {
  const none = await run(BOOT);
  assertEquals(none.description, {
    boot: { kind: "linux", kernel: "/k" },
    processors: 1,
    memory: 512 * MiB,
    disks: [],
    shares: [],
    serial: [],
    network: [],
  });
  assertEquals([none.window, none.verbosity, none.rest], [false, "normal", undefined]);
  assertEquals(none.ending, { grace: 5, exitCode: 0 });
});

Deno.test("vfkit: disks on the network, devices and guests of guests", async () => {
  const line = [
    "-d",
    "nbd,uri=nbd://h/n,deviceId=i,timeout=3000,sync=none,readonly",
    "-d",
    "nbd,uri=nbd://h/m",
  ];
  const { disks, nested } = await described([...BOOT, ...line, "--nested"]);
  assertEquals(disks, [
    { file: "nbd://h/n", serial: "i", timeout: 3, cache: "unsafe", readOnly: true },
    { file: "nbd://h/m", timeout: 15, cache: "writeback", readOnly: false },
  ]);
  assertEquals(nested, true);
  await assertRejects(
    () => described([...BOOT, "-d", "nvme,path=/d,type=dev"]),
    UsageError,
    "'/d' is no device",
  );
});

Deno.test("vfkit: each way to write an option is the same", async () => {
  for (const given of [["--cpus", "2"], ["--cpus=2"], ["-c", "2"], ["-c2"], ["-c=2"]]) {
    assertEquals((await described([...given, ...BOOT])).processors, 2);
  }
  assertEquals((await described(["-m", "1024", "-b", "linux,kernel=k"])).memory, 1024 * MiB);
});

const EFI = { kind: "efi", variables: "/a b/vars" } as const;

/** Bootloaders, as machine and as told by inspect. */
const BOOTLOADERS: [string[], Description["boot"], Record<string, unknown>][] = [
  [
    ["--bootloader", "efi,variable-store=/a b/vars"],
    EFI,
    { kind: "efiBootloader", efiVariableStorePath: "/a b/vars", createVariableStore: false },
  ],
  [
    ["--bootloader", "efi,variable-store=/a b/vars,create"],
    { ...EFI, overwrite: true },
    { kind: "efiBootloader", efiVariableStorePath: "/a b/vars", createVariableStore: true },
  ],
  [
    ["--bootloader", 'linux,kernel=/k,initrd=/i,cmdline="console=hvc0 a=b,c"'],
    { kind: "linux", kernel: "/k", initrd: "/i", commandLine: "console=hvc0 a=b,c" },
    {
      kind: "linuxBootloader",
      vmlinuzPath: "/k",
      initrdPath: "/i",
      kernelCmdLine: "console=hvc0 a=b,c",
    },
  ],
  [
    ["--bootloader", 'linux,"kernel=/k,1",cmdline=root=/dev/vda x="y, z"'],
    { kind: "linux", kernel: "/k,1", commandLine: 'root=/dev/vda x="y, z"' },
    {
      kind: "linuxBootloader",
      vmlinuzPath: "/k,1",
      initrdPath: "",
      kernelCmdLine: 'root=/dev/vda x="y, z"',
    },
  ],
  [
    ["--kernel", "/k", "--initrd", "/i", "--kernel-cmdline", "a b"],
    { kind: "linux", kernel: "/k", initrd: "/i", commandLine: "a b" },
    { kind: "linuxBootloader", vmlinuzPath: "/k", initrdPath: "/i", kernelCmdLine: "a b" },
  ],
];

Deno.test("vfkit: bootloaders", async () => {
  for (const [args, boot, told] of BOOTLOADERS) {
    assertEquals((await described(args)).boot, boot, args.join(" "));
    assertEquals((await inspected(args)).bootloader, told, args.join(" "));
  }
  assertEquals((await described(["-k", "k", "-i", "i", "-C", ""])).boot, {
    kind: "linux",
    kernel: "k",
    initrd: "i",
    commandLine: "",
  });
  assertEquals((await described([], "krunkit")).boot, { kind: "efi" });
});

const NAT = { kind: "nat" } as const;
const vsock = (kind: "listen" | "connect", port: number, path: string) => ({
  vsock: { join: [{ kind, port, path }] },
});

/** Devices: the words, what is in the machine for them, and what inspect tells. */
const DEVICES: [string, Partial<Description>, Record<string, unknown>][] = [
  [
    "virtio-blk,path=/d",
    { disks: [{ file: "/d", interface: "virtio", readOnly: false }] },
    { kind: "virtioblk", devName: "virtio-blk", imagePath: "/d" },
  ],
  [
    "virtio-blk,path=/d,type=image,readonly,deviceId=one",
    { disks: [{ file: "/d", interface: "virtio", readOnly: true, serial: "one" }] },
    {
      kind: "virtioblk",
      devName: "virtio-blk",
      imagePath: "/d",
      readOnly: true,
      type: "image",
      deviceIdentifier: "one",
    },
  ],
  [
    "virtio-blk,path=/d,format=raw",
    { disks: [{ file: "/d", interface: "virtio", readOnly: false, format: "raw" }] },
    { kind: "virtioblk", devName: "virtio-blk", imagePath: "/d" },
  ],
  [
    "nvme,path=/d",
    { disks: [{ file: "/d", interface: "nvme", readOnly: false }] },
    { kind: "nvme", devName: "nvme", imagePath: "/d" },
  ],
  [
    "usb-mass-storage,path=/d,readonly",
    { disks: [{ file: "/d", interface: "usb", readOnly: true }] },
    { kind: "usbmassstorage", devName: "usb-mass-storage", imagePath: "/d", readOnly: true },
  ],
  [
    "virtio-net,nat,mac=5A:94:ef:e4:0c:ee",
    { network: [{ ...NAT, mac: "5a:94:ef:e4:0c:ee" }] },
    { kind: "virtionet", nat: true, macAddress: "5a:94:ef:e4:0c:ee" },
  ],
  ["virtio-net,nat", { network: [NAT] }, { kind: "virtionet", nat: true }],
  [
    "virtio-net,fd=7,mac=5a-94-ef-e4-0c-ee",
    { network: [{ kind: "descriptor", descriptor: 7, mac: "5a:94:ef:e4:0c:ee" }] },
    { kind: "virtionet", nat: false, macAddress: "5a:94:ef:e4:0c:ee" },
  ],
  [
    "virtio-net,unixSocketPath=/s,mac=5a:94:ef:e4:0c:ee",
    { network: [{ kind: "dgram", remote: "/s", magic: true, mac: "5a:94:ef:e4:0c:ee" }] },
    {
      kind: "virtionet",
      nat: false,
      unixSocketPath: "/s",
      vfkitMagic: true,
      macAddress: "5a:94:ef:e4:0c:ee",
    },
  ],
  [
    "virtio-net,type=unixgram,path=/s,offloading=off",
    { network: [{ kind: "dgram", remote: "/s", magic: true }] },
    { kind: "virtionet", nat: false, unixSocketPath: "/s", vfkitMagic: true },
  ],
  [
    "virtio-net,type=unixgram,path=/s,vfkitMagic=off,offloading=false",
    { network: [{ kind: "dgram", remote: "/s" }] },
    { kind: "virtionet", nat: false, unixSocketPath: "/s" },
  ],
  [
    "virtio-net,type=unixgram,fd=9",
    { network: [{ kind: "descriptor", descriptor: 9 }] },
    { kind: "virtionet", nat: false },
  ],
  [
    "virtio-net,type=unixstream,path=/s",
    { network: [{ kind: "stream", address: { kind: "unix", path: "/s" } }] },
    { kind: "virtionet", nat: false, unixSocketPath: "/s" },
  ],
  ["virtio-serial,stdio", { serial: [{ kind: "stdio" }] }, { kind: "virtioserial", usesStdio: true }],
  ["virtio-serial,pty", { serial: [{ kind: "pty" }] }, { kind: "virtioserial", usesPty: true }],
  [
    "virtio-serial,logFilePath=/l",
    { serial: [{ kind: "file", path: "/l" }] },
    { kind: "virtioserial", logFile: "/l" },
  ],
  ["virtio-rng", {}, { kind: "virtiorng" }],
  ["virtio-balloon", {}, { kind: "virtioballoon" }],
  ["virtio-input,keyboard", { display: {} }, { kind: "virtioinput", inputType: "keyboard" }],
  ["virtio-input,pointing", { display: {} }, { kind: "virtioinput", inputType: "pointing" }],
  [
    "virtio-gpu",
    { display: { width: 800, height: 600 } },
    { kind: "virtiogpu", usesGUI: false, width: 800, height: 600 },
  ],
  [
    "virtio-gpu,width=1920,height=1080",
    { display: { width: 1920, height: 1080 } },
    { kind: "virtiogpu", usesGUI: false, width: 1920, height: 1080 },
  ],
  [
    "virtio-fs,sharedDir=/a/b/,mountTag=t",
    { shares: [{ tag: "t", folder: "/a/b/", readOnly: false }] },
    { kind: "virtiofs", mountTag: "t", sharedDir: "/a/b/" },
  ],
  [
    "virtio-fs,sharedDir=/a/b/,readonly",
    { shares: [{ tag: "b", folder: "/a/b/", readOnly: true }] },
    { kind: "virtiofs", mountTag: "b", sharedDir: "/a/b/" },
  ],
  [
    "rosetta,mountTag=r,install,ignore-if-missing",
    { rosetta: "r" },
    { kind: "rosetta", mountTag: "r", installRosetta: true, ignoreIfMissing: true },
  ],
  [
    "rosetta,mountTag=r,ignoreIfMissing",
    { rosetta: "r" },
    { kind: "rosetta", mountTag: "r", installRosetta: false, ignoreIfMissing: true },
  ],
  [
    "virtio-vsock,port=1025,socketURL=/s,listen",
    vsock("listen", 1025, "/s"),
    { kind: "virtiosock", port: 1025, socketURL: "/s", listen: true },
  ],
  [
    "virtio-vsock,port=1025,socketURL=unix:////s",
    vsock("listen", 1025, "/s"),
    { kind: "virtiosock", port: 1025, socketURL: "unix:////s", listen: true },
  ],
  [
    "virtio-vsock,port=22,socketURL=unix:///s,connect",
    vsock("connect", 22, "/s"),
    { kind: "virtiosock", port: 22, socketURL: "unix:///s" },
  ],
];

Deno.test("vfkit: devices, each in the machine and in what inspect tells", async () => {
  const none = await described(BOOT);
  for (const [words, parts, told] of DEVICES) {
    const args = [...BOOT, "--device", words];
    assertEquals(await described(args), { ...none, ...parts }, words);
    assertEquals((await inspected(args)).devices, [told], words);
  }
});

Deno.test("vfkit: krunkit greets a peer only when it is told to", async () => {
  const card = async (words: string) =>
    (await described(["-d", `virtio-net,${words}`], "krunkit")).network![0];
  assertEquals(await card("type=unixgram,path=/s"), { kind: "dgram", remote: "/s" });
  assertEquals(await card("unixSocketPath=/s"), { kind: "dgram", remote: "/s", magic: true });
  assertEquals(await card("type=unixgram,path=/s,vfkitMagic=on"), {
    kind: "dgram",
    remote: "/s",
    magic: true,
  });
  await parse(["--krun-log-level", "3"], "krunkit");
});

Deno.test("vfkit: inspect tells of all that was said, in its order", async () => {
  const all = DEVICES.filter(([words]) => !/^(rosetta|virtio-gpu)/.test(words) || /ignore-|gpu$/.test(words));
  const words = all.flatMap(([words]) => ["--device", words]);
  const options = ["--timesync", "vsockPort=1234", "--ignition", "/ign", "--gui", "--cpus", "3"];
  assertEquals(await inspected([...BOOT, ...words, ...options]), {
    vcpus: 3,
    memoryBytes: 512 * MiB,
    bootloader: { kind: "linuxBootloader", vmlinuzPath: "/k", initrdPath: "", kernelCmdLine: "" },
    devices: all.map(([, , told]) => told.kind === "virtiogpu" ? { ...told, usesGUI: true } : told),
    timesync: { vsockPort: 1234 },
    ignition: { kind: "ignition", configPath: "/ign" },
  });
  assertEquals((await inspected(BOOT)).devices, undefined);
});

Deno.test("vfkit: --gui has a window, and adds a screen and a keyboard if none was named", async () => {
  const { window, description } = await run([...BOOT, "--gui"]);
  assertEquals([window, description.display], [true, { width: 800, height: 600 }]);
  assertEquals((await inspected([...BOOT, "--gui"])).devices, [
    { kind: "virtiogpu", usesGUI: true, width: 800, height: 600 },
    { kind: "virtioinput", inputType: "keyboard" },
  ]);
  const named = [...BOOT, "--gui", "-d", "virtio-input,pointing", "-d", "virtio-gpu,width=640,height=480"];
  assertEquals((await inspected(named)).devices!.length, 2);
});

Deno.test("vfkit: what goes with the run", async () => {
  const args = ["--pidfile", "/p", "--ignition", "/i", "-t", "vsockPort=7", "--log-level", "debug"];
  const { pidFile, ignition, timeSync, verbosity, description } = await run([...BOOT, ...args]);
  assertEquals([pidFile, ignition, timeSync, verbosity], ["/p", "/i", 7, "verbose"]);
  assertEquals(description.vsock, { join: [] });
  for (const [level, verbosity] of [["info", "normal"], ["error", "quiet"]] as const) {
    assertEquals((await run([...BOOT, "--log-level", level])).verbosity, verbosity);
  }
});

Deno.test("vfkit: places of REST", async () => {
  const places: [string, unknown][] = [
    ["none://", undefined],
    ["tcp://localhost:8081", { host: "localhost", port: 8081 }],
    ["http://127.0.0.1:0", { host: "127.0.0.1", port: 0 }],
    ["tcp://[::1]:80", { host: "::1", port: 80 }],
    ["unix:///a b/s", { path: "/a b/s" }],
    ["unix:////a/s", { path: "/a/s" }],
    ["unix:///a%20b/100%", { path: "/a%20b/100%" }],
    ["unix:///a%20b", { path: "/a b" }],
  ];
  for (const [uri, place] of places) {
    assertEquals((await run([...BOOT, "--restful-uri", uri])).rest?.place, place, uri);
  }
});

Deno.test("vfkit: files for cloud-init are known by their names, and empty ones are as missing ones", async () => {
  using folder = new Folder();
  for (const name of ["user-data", "network-config"]) Deno.writeTextFileSync(folder.file(name), "x");
  Deno.writeTextFileSync(folder.file("meta-data"), "");
  const told = async (...names: string[]) =>
    (await described([...BOOT, "--cloud-init", names.map((name) => folder.file(name)).join()])).cloudInit;
  const file = (name: string) => ({ file: folder.file(name) });
  assertEquals(await told("user-data", "meta-data"), { userData: file("user-data") });
  assertEquals(await told("network-config", "user-data"), {
    userData: file("user-data"),
    networkConfig: file("network-config"),
  });
  assertEquals(await told("meta-data"), { userData: { text: "#cloud-config\n" } });
  await assertRejects(() => told("network-config"), UsageError, "there is neither user-data nor meta-data");
  await assertRejects(() => told("user-data", "user-data"), UsageError, "user-data is given twice");
  await assertRejects(
    () => told("cloud.cfg"),
    UsageError,
    "cloud.cfg' is called none of user-data, meta-data",
  );
});

const usb = "usb-mass-storage,path=/d";

/** What is wrong, and what is said of it. */
const WRONG: [string[], string][] = [
  [[], "nothing to boot: --bootloader is missing"],
  [["x"], "unexpected argument 'x': every value follows its option, as in --cpus 2"],
  [["--cpu", "2"], "unknown option '--cpu': did you mean --cpus?"],
  [["--nothing-like-it"], "unknown option '--nothing-like-it'; --help lists all"],
  [["-x"], "unknown option '-x'; --help lists all"],
  [["--cpus"], "--cpus needs a value: --cpus N"],
  [["--cpus", "0"], "--cpus 0: '0' is no number of processors: expected a number from 1 to 4294967295"],
  [["--memory", "1G"], "--memory 1G: '1G' is no size in MiB: expected a number from 1 to 4294967295"],
  [["--cpus", "1", "-c", "1"], "-c is given twice"],
  [["--gui=2"], "--gui takes no value"],
  [["--log-level", "loud"], "--log-level loud: it is one of debug, info, error"],
  [["--bootloader", "grub"], "--bootloader grub: unknown bootloader 'grub': known are efi, linux"],
  [["--bootloader", "macos"], "--bootloader macos: guests are Linux"],
  [["--bootloader", "efi"], "--bootloader efi: variable-store= is missing, which efi needs"],
  [
    ["--bootloader", "efi,store=x"],
    "--bootloader efi,store=x: unknown word 'store' of efi: known are " +
    "variable-store, create",
  ],
  [["--bootloader", "linux,initrd=x"], "--bootloader linux,initrd=x: kernel= is missing, which linux needs"],
  [["--bootloader", 'linux,kernel="x'], '--bootloader linux,kernel="x: a " has no other'],
  [["-k", "k"], "--kernel, --initrd and --kernel-cmdline go together: --bootloader linux has what it has"],
  [[...BOOT, "-i", "i"], "--bootloader and --kernel exclude each other, with what goes with that"],
  [["--timesync", "port=1"], "--timesync port=1: unknown word 'port' of timesync: known are vsockPort"],
  [
    ["--timesync", "vsockPort=0"],
    "--timesync vsockPort=0: '0' is no port: expected a number from 1 to 4294967294",
  ],
  [
    ["--restful-uri", "tcp://:80"],
    "--restful-uri tcp://:80: expected tcp://HOST:PORT, unix://PATH or none://",
  ],
  [
    ["--restful-uri", "tcp://a:70000"],
    "--restful-uri tcp://a:70000: expected tcp://HOST:PORT, unix://PATH or none://",
  ],
  [
    ["--restful-uri", "tcp://a:80/x"],
    "--restful-uri tcp://a:80/x: expected tcp://HOST:PORT, unix://PATH or none://",
  ],
  [
    ["--restful-uri", "ftp://a:80"],
    "--restful-uri ftp://a:80: expected tcp://HOST:PORT, unix://PATH or none://",
  ],
  [["--restful-uri", "unix://a"], "--restful-uri unix://a: expected unix:// and a path from the root"],
  [
    ["-d", "virtio-foo"],
    "-d virtio-foo: unknown device 'virtio-foo': known are virtio-blk, nvme, " +
    "usb-mass-storage, nbd, virtio-net, virtio-serial, virtio-rng, virtio-balloon, virtio-input, virtio-gpu, " +
    "virtio-fs, rosetta, virtio-vsock",
  ],
  [
    ["-d", "constructor"],
    "-d constructor: unknown device 'constructor': known are virtio-blk, nvme, " +
    "usb-mass-storage, nbd, virtio-net, virtio-serial, virtio-rng, virtio-balloon, virtio-input, virtio-gpu, " +
    "virtio-fs, rosetta, virtio-vsock",
  ],
  [["-d", "virtio-blk"], "-d virtio-blk: path= is missing, which virtio-blk needs"],
  [["-d", "virtio-blk,path="], "-d virtio-blk,path=: path= has no value"],
  [["-d", "virtio-blk,path=a,path=b"], "-d virtio-blk,path=a,path=b: path is given twice"],
  [["-d", `${usb},readonly=on`], `-d ${usb},readonly=on: readonly takes no value`],
  [
    ["-d", `${usb},deviceId=x`],
    `-d ${usb},deviceId=x: unknown word 'deviceId' of usb-mass-storage: known are ` +
    "path, type, readonly, format",
  ],
  [["-d", `${usb},type=tape`], `-d ${usb},type=tape: type=tape: it is image or dev`],
  [["-d", "virtio-rng,seed=1"], "-d virtio-rng,seed=1: unknown word 'seed' of virtio-rng: it has none"],
  [["-d", "virtio-net"], "-d virtio-net: virtio-net needs one of nat, fd, unixSocketPath"],
  [["-d", "virtio-net,nat,fd=3"], "-d virtio-net,nat,fd=3: nat and fd exclude each other"],
  [
    ["-d", "virtio-net,nat,mac=x"],
    "-d virtio-net,nat,mac=x: mac=x: expected an address like 5a:94:ef:e4:0c:ee",
  ],
  [["-d", "virtio-net,path=/s"], "-d virtio-net,path=/s: path= needs type=unixgram or type=unixstream"],
  [
    ["-d", "virtio-net,nat,vfkitMagic=on"],
    "-d virtio-net,nat,vfkitMagic=on: vfkitMagic goes with the path of a " +
    "datagram socket",
  ],
  [
    ["-d", "virtio-net,type=unixgram,path=/s,offloading=on"],
    "-d virtio-net,type=unixgram,path=/s,offloading=on: " +
    "offloading: the framework's cards have none, which is off",
  ],
  [["-d", "virtio-net,type=unixgram"], "-d virtio-net,type=unixgram: virtio-net needs one of path, fd"],
  [
    ["-d", "virtio-net,type=unixstream,fd=3"],
    "-d virtio-net,type=unixstream,fd=3: type=unixstream goes with path=",
  ],
  [["-d", "virtio-serial"], "-d virtio-serial: virtio-serial needs one of logFilePath, stdio, pty"],
  [["-d", "virtio-serial,stdio,pty"], "-d virtio-serial,stdio,pty: stdio and pty exclude each other"],
  [
    ["-d", "virtio-input,mouse"],
    "-d virtio-input,mouse: unknown word 'mouse' of virtio-input: known are keyboard, " +
    "pointing",
  ],
  [
    ["-d", "virtio-gpu,width=0"],
    "-d virtio-gpu,width=0: '0' is no width: expected a number from 1 to 2147483647",
  ],
  [["-d", "virtio-fs,mountTag=x"], "-d virtio-fs,mountTag=x: sharedDir= is missing, which virtio-fs needs"],
  [["-d", "rosetta"], "-d rosetta: mountTag= is missing, which rosetta needs"],
  [
    ["-d", "virtio-vsock,port=x,socketURL=/s"],
    "-d virtio-vsock,port=x,socketURL=/s: 'x' is no port: expected a " +
    "number from 1 to 4294967294",
  ],
  [["-d", "virtio-vsock,port=1"], "-d virtio-vsock,port=1: socketURL= is missing, which virtio-vsock needs"],
  [
    ["-d", "virtio-vsock,port=1,socketURL=/s,listen,connect"],
    "-d virtio-vsock,port=1,socketURL=/s,listen,connect: " +
    "listen and connect exclude each other",
  ],
  [["-d", "nbd,uri=x,sync=some"], "-d nbd,uri=x,sync=some: sync=some: it is full or none"],
  [
    [...BOOT, "-d", "virtio-gpu", "-d", "virtio-gpu"],
    "--device virtio-gpu is given twice: a machine has one screen",
  ],
  [
    [...BOOT, "--ignition", "x", "-d", "virtio-vsock,port=1024,socketURL=/s"],
    "--ignition and virtio-vsock,port=1024 exclude each other: both answer there",
  ],
];

Deno.test("vfkit: what is wrong is named in one line", async () => {
  for (const [args, message] of WRONG) {
    const error = await assertRejects(() => run(args), UsageError);
    assertEquals(error.message, message);
  }
});

Deno.test("vfkit: Rosetta that is not there is refused, installed or done without", async () => {
  const rosetta = async (words: string, there: "notSupported" | "notInstalled") =>
    toRun(await parse([...BOOT, "-d", `rosetta,mountTag=r${words}`], "vfkit"), there).description.rosetta;
  await assertRejects(
    () => rosetta("", "notInstalled"),
    UsageError,
    "Rosetta is not installed; the word install",
  );
  await assertRejects(() => rosetta(",install", "notSupported"), UsageError, "this computer has no Rosetta");
  assertEquals(await rosetta(",install", "notInstalled"), "r");
  assertEquals(await rosetta(",ignore-if-missing", "notInstalled"), undefined);
  assertEquals(await rosetta(",install,ignoreIfMissing", "notSupported"), undefined);
});

Deno.test("vfkit: what is wrong with a machine is said in vfkit's words", () => {
  const word = (reason: MachineError["reason"], field?: string) =>
    wordError(new MachineError(reason, { field }));
  assertEquals(word("too much", "memory"), "--memory: too much");
  assertEquals(word("too long", "vsock.join[1].path"), "virtio-vsock: too long");
  assertEquals(
    word([new Setting("readOnly", true), " does without"], "disks[0].file"),
    "readonly does without",
  );
  assertEquals(word([new Setting("serial", "x"), " is long"], "disks[0].serial"), "deviceId=x is long");
});

Deno.test("vfkit: the version is one line, and the help has every option", async () => {
  assertEquals(versionText("vfkit"), "vfkit version: v0.6.4");
  for (const { name } of OPTIONS) {
    helpText("vfkit").includes(`--${name}`) || assertEquals(name, "in the help");
  }
  for (const args of [["--version"], ["-v"], ["--version", ...BOOT]]) {
    assertEquals((await parse(args, "vfkit")).mode, "version");
  }
  assertEquals((await parse(["-h", "-v"], "vfkit")).mode, "help");
  const types: Device["type"][] = ["virtio-blk", "nbd", "virtio-vsock"];
  for (const type of types) assertEquals(helpText("krunkit").includes(`  ${type}, `), true);
});
