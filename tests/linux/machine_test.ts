// The rules of linux/, which are Apple's, seen by its clients: what it refuses, with which error, and what real guests
// do to a machine.

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { type Argument, Class, DispatchQueue, fromObjC, NSError, type NSObject } from "../../src/objc/mod.ts";
import {
  type State,
  VZFileSerialPortAttachment,
  VZLinuxBootLoader,
  VZVirtioTraditionalMemoryBalloonDeviceConfiguration,
  VZVirtualMachine,
  VZVirtualMachineConfiguration,
} from "../../src/vz/mod.ts";
import { SOONER } from "../e2e/vzrun.ts";
import { child, ended } from "../objc/child.ts";
import { Guest, guestFiles, projectFile, within } from "./guest.ts";

const MiB = 1024 * 1024;
const { kernel, initrd } = guestFiles(Deno.build.arch);

/** A configuration that is valid, until something is set to be otherwise. */
function valid(): VZVirtualMachineConfiguration {
  const configuration = VZVirtualMachineConfiguration.create();
  configuration.bootLoader = VZLinuxBootLoader.create(kernel);
  configuration.memorySize = 64 * MiB;
  return configuration;
}

/** A raw machine, for what src/vz does not offer. */
function rawMachine(
  configuration: VZVirtualMachineConfiguration,
): { machine: NSObject; queue: DispatchQueue } {
  Class.named("VZVirtualMachine");
  const queue = DispatchQueue.create("raw machine");
  const machine = Class.named("VZVirtualMachine").create(
    "initWithConfiguration:queue:",
    configuration,
    queue,
  );
  return { machine, queue };
}

function assertVZError(error: unknown, code: number, includes: string): void {
  assertInstanceOf(error, NSError);
  assertEquals([error.domain, error.code], ["VZErrorDomain", code]);
  assert(error.message.includes(includes), error.message);
}

Deno.test("linux: the limits are the host's", () => {
  const { memory, processors } = VZVirtualMachineConfiguration.limits();
  assertEquals(memory.minimum, 4 * MiB);
  assertEquals(memory.maximum % MiB, 0);
  const [, kB] = /MemTotal:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/meminfo"))!;
  assertEquals(Math.floor(memory.maximum / MiB), Math.floor(Number(kB) / 1024));
  assertEquals(processors, { minimum: 1, maximum: navigator.hardwareConcurrency });
});

Deno.test("linux: a new configuration has Apple's defaults", () => {
  const configuration = VZVirtualMachineConfiguration.create();
  assertEquals((configuration as NSObject).send("memorySize"), BigInt(4 * MiB));
  assertEquals((configuration as NSObject).send("CPUCount"), 1n);
  assertEquals((configuration as NSObject).send("bootLoader"), null);
  for (const list of ["serialPorts", "storageDevices", "networkDevices", "audioDevices", "usbControllers"]) {
    assertEquals(fromObjC((configuration as NSObject).send(list)), [], list);
  }
  assertEquals(
    ((configuration as NSObject).send("platform") as NSObject).className,
    "VZGenericPlatformConfiguration",
  );
});

Deno.test("linux: a configuration that is not valid is refused with Apple's error", () => {
  const { memory, processors } = VZVirtualMachineConfiguration.limits();
  valid().validate();
  const refused: [selector: string, value: Argument, code: number, reason: string][] = [
    ["setMemorySize:", 0, 2, "memory size must be between"],
    ["setMemorySize:", 3 * MiB, 2, "memory size must be between"],
    ["setMemorySize:", 64 * MiB + 1, 2, "multiple of 1 megabyte"],
    ["setMemorySize:", memory.maximum + MiB, 2, "memory size must be between"],
    ["setCPUCount:", 0, 2, "number of CPUs must be between 1 and"],
    ["setCPUCount:", processors.maximum + 1, 2, `between 1 and ${processors.maximum}`],
    ["setBootLoader:", null, 2, "boot loader is not set"],
    ["setStorageDevices:", ["disk"], 2, "cannot be one of"],
    ["setDirectorySharingDevices:", ["share"], 2, "cannot be one of"],
    ["setNetworkDevices:", ["card"], 2, "cannot be one of"],
    ["setUsbControllers:", ["controller"], 2, "cannot be one of “usbControllers”"],
    ["setAudioDevices:", ["audio"], 10, "audioDevices"],
    ["setSerialPorts:", ["not a port"], 2, "cannot be one of “serialPorts”"],
    [
      "setMemoryBalloonDevices:",
      [
        VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create(),
        VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create(),
      ],
      2,
      "one memory balloon",
    ],
  ];
  for (const [selector, value, code, reason] of refused) {
    const configuration = valid();
    (configuration as NSObject).send(selector, value);
    assertVZError(assertThrows(() => configuration.validate(), NSError, undefined, selector), code, reason);
  }
  const edges: [selector: string, value: number][] = [
    ["setMemorySize:", memory.minimum],
    ["setMemorySize:", memory.maximum],
    ["setCPUCount:", processors.maximum],
  ];
  for (const [selector, value] of edges) {
    const configuration = valid();
    (configuration as NSObject).send(selector, value);
    configuration.validate();
  }
});

Deno.test("linux: a device in the list of another kind is refused", () => {
  const configuration = valid();
  (configuration as NSObject).send("setSerialPorts:", [
    VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create(),
  ]);
  assertVZError(assertThrows(() => configuration.validate(), NSError), 2, "");
});

Deno.test("linux: what the parts of a machine need is checked too", () => {
  const noKernel = valid();
  const loader = VZLinuxBootLoader.create(kernel);
  (loader as NSObject).send("setKernelURL:", null);
  noKernel.bootLoader = loader;
  assertVZError(assertThrows(() => noKernel.validate(), NSError), 2, "kernel is not set");

  const nested = valid();
  ((nested as NSObject).send("platform") as NSObject).send("setNestedVirtualizationEnabled:", true);
  nested.validate();
  Deno.env.set("VIRTUALIZATION_HARDWARE", "no-nesting");
  assertVZError(assertThrows(() => nested.validate(), NSError), 2, "Nested virtualization");
  Deno.env.delete("VIRTUALIZATION_HARDWARE");

  const file = () => VZFileSerialPortAttachment.create("/nonexistent/folder/file", false);
  assertVZError(assertThrows(file, NSError), 2, "/nonexistent/folder/file");
});

Deno.test("linux: MAC addresses are read, written and told apart", () => {
  const VZMACAddress = Class.named("VZMACAddress");
  const flags = ["Broadcast", "Multicast", "Unicast", "LocallyAdministered", "UniversallyAdministered"];
  const addresses: [text: string, ...flags: boolean[]][] = [
    ["52:54:00:12:34:56", false, false, true, true, false],
    ["00:0a:95:9d:68:16", false, false, true, false, true],
    ["01:00:5e:00:00:01", false, true, false, false, true],
    ["ff:ff:ff:ff:ff:ff", true, true, false, true, false],
  ];
  for (const [text, ...expected] of addresses) {
    using address = VZMACAddress.create("initWithString:", text);
    assertEquals(String(address.send("string")), text);
    assertEquals(flags.map((flag) => Boolean(address.send(`is${flag}Address`))), expected, text);
    const bytes = address.send("ethernetAddress");
    assertEquals(bytes, [text.split(":").map((byte) => parseInt(byte, 16))]);
    using again = VZMACAddress.create("initWithEthernetAddress:", bytes as Argument);
    assert(again.send("isEqual:", address));
  }
  assertEquals(String(VZMACAddress.create("initWithString:", "52:54:00:AB:CD:EF")), "52:54:00:ab:cd:ef");
  for (
    const text of [
      "",
      "52:54:00:12:34",
      "52:54:00:12:34:56:78",
      "52-54-00-12-34-56",
      "5g:54:00:12:34:56",
      " 2:54:00:12:34:56",
    ]
  ) {
    assertEquals((VZMACAddress.send("alloc") as NSObject).send("initWithString:", text), null, text);
  }
  const random = () => VZMACAddress.send("randomLocallyAdministeredAddress") as NSObject;
  for (let i = 0; i < 100; i++) {
    const address = random();
    assert(address.send("isLocallyAdministeredAddress") && address.send("isUnicastAddress"), String(address));
  }
  assert(String(random()) !== String(random()));
});

Deno.test("linux: a machine's identity is 16 bytes that stay", () => {
  const VZGenericMachineIdentifier = Class.named("VZGenericMachineIdentifier");
  const identifier = VZGenericMachineIdentifier.create();
  const data = fromObjC(identifier.send("dataRepresentation")) as Uint8Array;
  const again = VZGenericMachineIdentifier.create("initWithDataRepresentation:", data);
  assert(again.send("isEqual:", identifier));
  assert(!VZGenericMachineIdentifier.create().send("isEqual:", identifier));
  const wrong = VZGenericMachineIdentifier.send("alloc") as NSObject;
  assertEquals(wrong.send("initWithDataRepresentation:", new Uint8Array(3)), null);
});

Deno.test("linux: what a machine cannot do in its state is refused with Apple's error", async () => {
  const machine = VZVirtualMachine.create(valid());
  const transition = "Transition from state “stopped” to state ";
  for (const [what, goal] of [["stop", "stopping"], ["pause", "pausing"], ["resume", "resuming"]] as const) {
    assertVZError(
      await assertRejects(() => machine[what](), NSError),
      4,
      `${transition}“${goal}” is invalid.`,
    );
  }
  assertVZError(await assertRejects(() => machine.requestStop(), NSError), 3, "state “stopped”");
  assertEquals(await machine.state(), "stopped");

  const { machine: raw, queue } = rawMachine(valid());
  const can = async (what: string) => Boolean(await queue.call(raw, `can${what}`));
  const abilities = ["Start", "Stop", "Pause", "Resume", "RequestStop"];
  assertEquals(await Promise.all(abilities.map(can)), [true, false, false, false, false]);
});

// Rows 9 and 11: mac_test.ts has the causes.
Deno.test("linux: a file that cannot be opened fails the start, and the error names none", async () => {
  const missing = "/nonexistent/vmlinuz";
  const files: ((loader: VZLinuxBootLoader) => void)[] = [
    (loader) => (loader as NSObject).send("setKernelURL:", new URL(`file://${missing}`)),
    (loader) => loader.initialRamdisk = missing,
    (loader) => loader.initialRamdisk = "/tmp",
  ];
  for (const set of files) {
    const loader = VZLinuxBootLoader.create(kernel);
    set(loader);
    const configuration = valid();
    configuration.bootLoader = loader;
    configuration.validate(); // like Apple's, which looks at no file
    const machine = VZVirtualMachine.create(configuration);
    const error = await assertRejects(() => machine.start(), NSError);
    assertVZError(error, 2, "The boot loader is invalid.");
    assert(!error.message.includes("/"), error.message);
    assertEquals(await machine.state(), "error");
  }
});

Deno.test("linux: a machine touched off its queue ends the process, with libdispatch's words", async () => {
  const getters = ["state", "canStart", "delegate", "memoryBalloonDevices", "networkDevices"];
  const methods = ["startWithCompletionHandler:", "setDelegate:", "requestStopWithError:"];
  for (const selector of [...getters, ...methods]) {
    const { code, signal, stdout, stderr } = await child("linux/programs/off_queue.ts", selector);
    assertEquals([code, signal, stdout], [134, "SIGABRT", ""], selector);
    assertEquals(
      stderr,
      "BUG IN CLIENT OF LIBDISPATCH: Assertion failed: Block was expected to execute on queue [the machine's]\n",
      selector,
    );
  }
});

Deno.test("linux: what is declared unavailable cannot be made", async () => {
  for (
    const [name, initializer] of [["VZBootLoader", "init"], ["VZMACAddress", "new"], [
      "VZVirtualMachine",
      "init",
    ]]
  ) {
    const { code, stderr } = await child("linux/programs/unavailable.ts", name, initializer);
    assert(code !== 0, name);
    assert(
      stderr.includes(`NSInvalidArgumentException, reason: ${name} is not made by +new or -init`),
      stderr,
    );
  }
});

/** The processes that this one has started and that run QEMU. */
function qemus(): number[] {
  const tasks = [...Deno.readDirSync("/proc/self/task")].map(({ name }) => name);
  const children = tasks.flatMap((task) =>
    Deno.readTextFileSync(`/proc/self/task/${task}/children`).trim().split(" ")
  );
  return children.filter((pid) => pid && Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("qemu")).map(
    Number,
  );
}

Deno.test("linux: a machine is paused, asked to stop, ended, killed, and starts again each time", async () => {
  await using guest = new Guest("echo ready; while read x; do echo got $x; done");
  const machine = guest.machine();
  // The machine has a copy: what is set from now on must not reach it.
  guest.loader.commandLine = 'console=hvc0 quiet run="echo wrong guest"';
  guest.configuration.memorySize = 1;
  guest.configuration.serialPorts = [];

  const states: State[] = [];
  await machine.watchState((state) => states.push(state));
  await machine.start();
  assertEquals(await machine.state(), "running");
  assertVZError(await assertRejects(() => machine.start(), NSError), 4, "“running” to state “starting”");
  assertVZError(await assertRejects(() => machine.resume(), NSError), 4, "“running” to state “resuming”");
  await guest.said("ready");

  await machine.pause();
  assertEquals(await machine.state(), "paused");
  assertVZError(await assertRejects(() => machine.pause(), NSError), 4, "“paused” to state “pausing”");
  assertVZError(await assertRejects(() => machine.requestStop(), NSError), 3, "state “paused”");
  await guest.type("typed while paused\n");
  await machine.resume();
  await guest.said("got typed while paused");

  await machine.requestStop();
  assertEquals(await within("the guest's end", machine.stopped), { kind: "guest" });
  assertEquals(await machine.state(), "stopped");
  const once: State[] = ["starting", "running", "pausing", "paused", "resuming", "running", "stopped"];
  assertEquals(states, once);
  assertEquals(qemus(), []);

  states.length = 0;
  await machine.start();
  await guest.said("ready", 2);
  await machine.pause();
  await machine.stop(); // also of a paused one
  assertEquals(await machine.stopped, { kind: "stop" });
  assertEquals(states, ["starting", "running", "pausing", "paused", "stopping", "stopped"]);

  states.length = 0;
  await machine.start();
  await guest.said("ready", 3);
  const [qemu, ...others] = qemus();
  assertEquals(others, []);
  Deno.kill(qemu, "SIGKILL");
  const stop = await within("news of QEMU's end", machine.stopped);
  assert(stop.kind === "error", stop.kind);
  assertVZError(stop.error, 1, "QEMU was killed by signal 9");
  assertEquals(states, ["starting", "running", "error"]);

  states.length = 0;
  await machine.start();
  await machine.stop();
  assertEquals(states, ["starting", "running", "stopping", "stopped"]);
  assertEquals(qemus(), []);
  assert(!guest.output.includes("wrong guest"));
});

Deno.test("linux: a guest that reboots goes on, and one that powers off then is the end", async () => {
  await using guest = new Guest("echo booted; read word; test $word != again || reboot -f");
  const machine = guest.machine();
  const states: State[] = [];
  await machine.watchState((state) => states.push(state));
  await machine.start();
  await guest.said("booted");
  const [qemu] = qemus();
  await guest.type("again\n");
  await guest.said("booted", 2);
  assertEquals(qemus(), [qemu]);
  await guest.type("enough\n");
  assertEquals(await within("the guest's end", machine.stopped), { kind: "guest" });
  assertEquals(states, ["starting", "running", "stopped"]);
});

/** Boots the guest of a processor by vzrun. */
function bootByVzrun(arch: string, env: Record<string, string>) {
  const { kernel, initrd } = guestFiles(arch);
  const vzrun = [
    Deno.execPath(),
    "run",
    "-q",
    "-P",
    "--config",
    projectFile("deno.json"),
    projectFile("main.ts"),
  ];
  const guest = ["-kernel", kernel, "-initrd", initrd, "-append", `console=hvc0 quiet ${SOONER}`];
  return ended([...vzrun, ...guest, "-m", "512", "-smp", "1"], env);
}

Deno.test("linux: a guest of another processor runs too", async () => {
  const other = Deno.build.arch === "aarch64" ? "x86_64" : "aarch64";
  const { code, stdout, stderr } = await bootByVzrun(other, { VIRTUALIZATION_GUEST_ARCH: other });
  assertEquals([code, stderr], [0, ""]);
  assert(stdout.includes("Hello from the guest."), stdout);
  assert(new RegExp(`machine +${other}`).test(stdout), stdout);
});

Deno.test("linux: a QEMU that is not there is an error that says which package has it", async () => {
  const { code, stdout, stderr } = await bootByVzrun(Deno.build.arch, {
    VIRTUALIZATION_QEMU: "/nonexistent/qemu",
  });
  assertEquals([code, stdout], [1, ""]);
  assert(stderr.includes("“/nonexistent/qemu” is not there; Debian's package qemu-system-"), stderr);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
});

Deno.test("linux: a native program compiles against the headers and boots a guest", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const program = `${folder}/boot`;
    const make = `make -s -C '${projectFile("linux")}'`;
    const source = projectFile("bench/native/boot.m");
    const compile = `eval "clang $(${make} cflags) '${source}' -o '${program}' $(${make} ldflags)"`;
    assertEquals(await ended(["sh", "-c", compile]), { code: 0, signal: null, stdout: "", stderr: "" });
    const { code, stdout, stderr } = await ended([
      program,
      kernel,
      initrd,
      `console=hvc0 quiet ${SOONER}`,
      "256",
      "1",
    ]);
    assertEquals([code, stderr], [0, ""]);
    assert(stdout.includes("Hello from the guest."), stdout);
    const messages = await ended([program, "messages", "1000"]);
    assert(messages.code === 0 && Number(messages.stdout) > 0, messages.stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
