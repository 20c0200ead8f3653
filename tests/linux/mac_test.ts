// Where Apple's framework is less kind than a programmer without a Mac would think, linux/ is too. Each test quotes its
// row of the list of these behaviours.

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { child } from "../objc/child.ts";
import { Class, defineClass, fileURL, fromObjC, NSError, type NSObject } from "../../src/objc/mod.ts";
import {
  close,
  isNonblocking,
  pipe,
  rawPty,
  readAvailable,
  socketPair,
  unread,
  writeText,
} from "./descriptors.ts";
import {
  causes,
  configuration,
  descriptorPort,
  disks,
  filePort,
  image,
  linuxBootLoader,
  Machine,
  serialPort,
  State,
  until,
} from "./raw.ts";

const VZ = "VZErrorDomain";
const POSIX = "NSPOSIXErrorDomain";
const MiB = 1024 * 1024;

/** A folder that is gone afterwards. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync();

  file(name: string): string {
    return `${this.path}/${name}`;
  }

  /** A disk image. */
  disk(name: string): string {
    const path = this.file(name);
    Deno.writeFileSync(path, new Uint8Array(MiB));
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A machine that runs for as long as it is let. */
function machineWith(...attachments: NSObject[]): Machine {
  const made = configuration("read -r forever");
  made.send("setStorageDevices:", disks(...attachments));
  return new Machine(made);
}

const INVALID_DISK = [[VZ, 2, "The storage device attachment is invalid."]] as const;

// Row 7.
Deno.test("mac: a disk image is locked from the start of a machine to its end, and not before", async () => {
  using folder = new Folder();
  const path = folder.disk("disk");
  await using first = machineWith(image(path));
  await using second = machineWith(image(path));
  const valid = configuration();
  valid.send("setStorageDevices:", disks(image(path)));
  valid.send("validateWithError:"); // neither an attachment nor a validation locks

  assertEquals(await first.start(), []);
  valid.send("validateWithError:");
  assertEquals(await second.start() as unknown, INVALID_DISK);
  assertEquals(await second.state(), State.error);
  await using reader = machineWith(image(path, true));
  assertEquals(await reader.start() as unknown, INVALID_DISK);
  {
    using file = Deno.openSync(path);
    const locked = file.lock(false);
    const early = await Promise.race([locked.then(() => true), second.start().then(() => false)]);
    assertEquals(early, false, "the image is not locked against a reader");
    assertEquals(await first.complete("stopWithCompletionHandler:"), []);
    await locked;
  }
  assertEquals(await second.start(), []);
});

// Row 7.
Deno.test("mac: machines that only read share an image; one machine cannot have it twice to write", async () => {
  using folder = new Folder();
  const path = folder.disk("disk");
  await using first = machineWith(image(path, true), image(path, true));
  await using second = machineWith(image(path, true));
  assertEquals(await first.start(), []);
  assertEquals(await second.start(), []);

  const other = folder.disk("other");
  await using twice = machineWith(image(other), image(other));
  assertEquals(await twice.start() as unknown, INVALID_DISK);
});

// Row 7.
Deno.test("mac: a lock of this very process keeps a machine from its image", async () => {
  using folder = new Folder();
  const path = folder.disk("disk");
  await using writer = machineWith(image(path));
  await using reader = machineWith(image(path, true));
  using file = Deno.openSync(path);
  file.lockSync(false);
  assertEquals(await reader.start(), []);
  assertEquals(await writer.start() as unknown, INVALID_DISK);
  await reader.complete("stopWithCompletionHandler:");
  file.unlockSync();
  assertEquals(await writer.start(), []);
});

/** A machine that boots by EFI, but has nothing to. */
function efiMachine(store: NSObject, ...attachments: NSObject[]): Machine {
  const loader = Class.named("VZEFIBootLoader").create();
  loader.send("setVariableStore:", store);
  const made = configuration();
  made.send("setBootLoader:", loader);
  made.send("setStorageDevices:", disks(...attachments));
  return new Machine(made);
}

// Row 8.
Deno.test("mac: a variable store is one running machine's", async () => {
  using folder = new Folder();
  const path = folder.file("variables");
  const store = newStore(path);
  await using first = efiMachine(store);
  await using second = efiMachine(store);
  assertEquals(await first.start(), []);
  const [outer, middle, inner, ...more] = await second.start();
  assertEquals(outer, [VZ, 2, "The boot loader is invalid."]);
  assertEquals([middle?.[0], middle?.[1], inner?.[0], inner?.[1], more], [VZ, 2, VZ, 50002, []]);
  assertEquals(await second.state(), State.error);
  await first.complete("stopWithCompletionHandler:");
  assertEquals(await second.start(), []);
});

// Rows 9 and 11.
Deno.test("mac: why a start failed is several causes deep, and no file is named", async () => {
  const made = configuration();
  made.send("setBootLoader:", linuxBootLoader("/nonexistent/vmlinuz"));
  made.send("validateWithError:");
  await using machine = new Machine(made);
  const told = new Told();
  const delegate = delegates.create(told);
  await machine.call("setDelegate:", delegate);
  assertEquals(await machine.start(), [
    [VZ, 2, "The boot loader is invalid."],
    [VZ, 2, "Failed to open the kernel file."],
    [POSIX, 2, "No such file or directory"],
  ]);
  assertEquals(await machine.state(), State.error);
  await machine.call("setDelegate:", null); // behind what it might have been told
  assertEquals(told.stops, []);
  assert(delegate.className);
});

// Row 10.
Deno.test("mac: an image that is not there is told in the fewest words", () => {
  const error = assertThrows(() => image("/nonexistent/disk"), NSError);
  assertEquals([error.domain, error.code], [POSIX, 45]);
  assertEquals(error.message, "The operation couldn’t be completed. Operation not supported");
  assert(!error.message.includes("nonexistent"));
});

/** How long is looked at whether something does not happen, which would take a moment. */
function aWhile(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1500));
}

/** The guest prints 200,000 bytes at its first console, then a word at its second, which is a file. */
const PRINT = "head -c 200000 /dev/zero | tr '\\0' x; echo printed >/dev/hvc1";

/** A machine with these two consoles. */
function printer(console: NSObject, file: string): Machine {
  const made = configuration(PRINT);
  made.send("setSerialPorts:", [console, filePort(file)]);
  return new Machine(made);
}

/** Waits until what there is to be read is no more than a moment ago. */
function isFull(what: string, reading: number): Promise<void> {
  let before = 0;
  let since = performance.now();
  return until(`the ${what} to be full`, () => {
    const now = unread(reading);
    if (now === 0 || now !== before) since = performance.now();
    before = now;
    return performance.now() - since > 500;
  });
}

// Row 1.
Deno.test("mac: who opens a console and does not read it makes the guest wait, and nothing is lost", async () => {
  using folder = new Folder();
  const consoles = { pty: rawPty(), pipe: pipe().toReversed(), socket: socketPair() };
  await Promise.all(
    Object.entries(consoles).map(async ([kind, [ours, theirs]]) => {
      const said = folder.file(kind);
      await using machine = printer(descriptorPort(kind === "pipe" ? -1 : ours, ours), said);
      assertEquals(await machine.start(), [], kind);
      await isFull(kind, theirs);
      await aWhile();
      assertEquals(Deno.readTextFileSync(said), "", `the guest goes on although nobody reads the ${kind}`);
      if (kind === "pty") assert(unread(theirs) <= 4096, `the pty holds ${unread(theirs)} bytes`);
      assert(!isNonblocking(ours), `the ${kind} has become non-blocking`);
      // The framework does not wait with the guest.
      assertEquals(await machine.state(), State.running);
      assertEquals(await machine.complete("pauseWithCompletionHandler:"), []);
      assertEquals(await machine.complete("resumeWithCompletionHandler:"), []);
      let printed = "";
      await until(`the guest to print all at the ${kind}`, () => {
        printed += readAvailable(theirs);
        return Deno.readTextFileSync(said).includes("printed");
      });
      await until(
        `the ${kind} to have all`,
        () => (printed += readAvailable(theirs)).split("x").length > 200_000,
      );
      assertEquals(printed.split("x").length - 1, 200_000, kind);
      await machine.ended();
      close(ours, theirs);
    }),
  );
});

// Row 1.
Deno.test("mac: a machine whose console is stuck can be stopped", async () => {
  using folder = new Folder();
  const [reading, writing] = pipe();
  await using machine = printer(descriptorPort(-1, writing), folder.file("said"));
  assertEquals(await machine.start(), []);
  await isFull("pipe", reading);
  assert(await machine.call("requestStopWithError:"));
  assertEquals(await machine.complete("stopWithCompletionHandler:"), []);
  assertEquals(await machine.state(), State.stopped);
  close(reading, writing);
});

// Row 1.
Deno.test("mac: a console whose reader is slow does not keep the machine from answering", async () => {
  using folder = new Folder();
  const [master, device] = rawPty();
  const made = configuration("yes >/dev/hvc1 & yes");
  made.send("setCPUCount:", 2);
  made.send("setSerialPorts:", [descriptorPort(master, master), filePort(folder.file("said"))]);
  await using machine = new Machine(made);
  assertEquals(await machine.start(), []);
  await isFull("pty", device);
  const reader = setInterval(() => readAvailable(device, 512), 50);
  let waited = 0;
  for (const _ of Array(12)) {
    await new Promise((resolve) => setTimeout(resolve, 250)); // in which the guest goes on, a little at a time
    const asked = performance.now();
    assertEquals(await machine.complete("pauseWithCompletionHandler:"), []);
    waited += performance.now() - asked;
    assertEquals(await machine.complete("resumeWithCompletionHandler:"), []);
  }
  clearInterval(reader);
  assert(waited < 1500, `the machine was paused twelve times in ${waited} ms`);
  close(master, device);
});

/** Another Mac, until it is disposed of: linux/ looks at its variables when it needs them. */
class Variable implements Disposable {
  constructor(readonly name: string, value: string) {
    Deno.env.set(name, value);
  }

  [Symbol.dispose](): void {
    Deno.env.delete(this.name);
  }
}

/** With what a configuration is refused: code and description. */
function refusal(configuration: NSObject): [code: number, message: string] {
  const error = assertThrows(() => configuration.send("validateWithError:"), NSError);
  return [error.code, error.message];
}

const INVALID = "Invalid virtual machine configuration.";

// Row 4.
Deno.test("mac: an eleventh serial port is one too many", () => {
  const made = configuration();
  const ports = Array.from({ length: 11 }, () => serialPort(null));
  made.send("setSerialPorts:", ports.slice(1));
  made.send("validateWithError:");
  made.send("setSerialPorts:", ports);
  assertEquals(refusal(made), [
    2,
    `${INVALID} Number of Virtio console serial port devices is greater than the maximum number supported.`,
  ]);
});

// Row 14.
Deno.test("mac: without the entitlement for networks a bridge fails the validation, with its name", () => {
  const card = Class.named("VZVirtioNetworkDeviceConfiguration").create();
  const attachment = Class.named("VZBridgedNetworkDeviceAttachment").create("initWithInterface:", null);
  card.send("setAttachment:", attachment);
  const made = configuration();
  made.send("setNetworkDevices:", [card]);
  const count = () =>
    (Class.named("VZBridgedNetworkInterface").send("networkInterfaces") as NSObject).send("count");
  const before = count();
  {
    using _ = new Variable("VIRTUALIZATION_ENTITLEMENTS", "com.apple.security.virtualization");
    assertEquals(refusal(made), [
      2,
      `${INVALID} Using VZBridgedNetworkDeviceAttachment in a process that lacks the “com.apple.vm.networking” entitlement.`,
    ]);
    assertEquals(count(), before, "the interfaces are hidden");
    configuration().send("validateWithError:");
  }
  {
    using _ = new Variable("VIRTUALIZATION_ENTITLEMENTS", "");
    assertEquals(refusal(configuration()), [
      2,
      `${INVALID} The process doesn’t have the “com.apple.security.virtualization” entitlement.`,
    ]);
  }
  assert(refusal(made)[1].includes("interface"), "as before, with all entitlements");
});

// Row 24.
Deno.test("mac: hardware that cannot virtualize refuses to validate and to start", async () => {
  using _ = new Variable("VIRTUALIZATION_HARDWARE", "none");
  assert(!Class.named("VZVirtualMachine").send("isSupported"));
  const sentence = "Virtualization is not available on this hardware.";
  assertEquals(refusal(configuration()), [2, `${INVALID} ${sentence}`]);
  await using machine = new Machine(configuration());
  assertEquals(await machine.start(), [[VZ, 2, sentence]]);
});

// Row 21.
Deno.test("mac: a guest that runs may not be there to be asked to stop", async () => {
  await using machine = new Machine(configuration("read -r forever"));
  assertEquals(await machine.start(), []);
  assert(await machine.call("canRequestStop"));
  {
    using _ = new Variable("VIRTUALIZATION_REQUEST_STOP", "no");
    assert(!(await machine.call("canRequestStop")));
    const error = await assertRejects(() => machine.call("requestStopWithError:"), NSError);
    assertEquals([error.domain, error.code], [VZ, 3]);
  }
  using _ = new Variable("VIRTUALIZATION_REQUEST_STOP", "fails");
  assert(await machine.call("canRequestStop"));
  await assertRejects(() => machine.call("requestStopWithError:"), NSError);
  assertEquals(await machine.state(), State.running);
});

// Row 3.
Deno.test("mac: the framework may make non-blocking what it is handed, and works all the same", async () => {
  using _ = new Variable("VIRTUALIZATION_NONBLOCKING", "yes");
  const [typed, toType] = pipe();
  const [reading, writing] = pipe();
  const made = configuration("echo ready; read -r word; head -c 100000 /dev/zero; echo got $word");
  made.send("setSerialPorts:", [descriptorPort(typed, writing)]);
  await using machine = new Machine(made);
  assertEquals(await machine.start(), []);
  assert(isNonblocking(typed) && isNonblocking(writing));
  let said = "";
  await until("the guest", () => (said += readAvailable(reading)).includes("ready"));
  writeText(toType, "this\n");
  await until("what was typed", () => (said += readAvailable(reading)).includes("got this"));
  assertEquals(said.split("\0").length - 1, 100_000);
  await machine.ended();
  close(typed, toType, reading, writing);
});

/** What a delegate was told, on the machine's queue. */
class Told {
  networks: { device: NSObject; error: NSObject }[] = [];
  stops: string[] = [];
}

const delegates = defineClass<Told>("MacTestDelegate", {
  "guestDidStopVirtualMachine:": { types: "v@:@", implementation: (told) => told.stops.push("guest") },
  "virtualMachine:didStopWithError:": {
    types: "v@:@@",
    implementation: (told, _, error) => told.stops.push(String(error)),
  },
  "virtualMachine:networkDevice:attachmentWasDisconnectedWithError:": {
    types: "v@:@@@",
    implementation: (told, _machine, device, error) =>
      told.networks.push({ device: device as NSObject, error: error as NSObject }),
  },
});

// Row 15.
Deno.test("mac: a network that breaks is told, the machine runs on, and a new attachment works", async () => {
  using folder = new Folder();
  const fifo = folder.file("break");
  assert((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success);
  using _ = new Variable("VIRTUALIZATION_BREAK_NETWORK", fifo);
  const nat = () => Class.named("VZNATNetworkDeviceAttachment").create();
  const card = Class.named("VZVirtioNetworkDeviceConfiguration").create();
  card.send("setAttachment:", nat());
  const output = folder.file("said");
  // QEMU's network answers at 10.0.2.2. The carrier says whether a cable is plugged in.
  const made = configuration(
    "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; cd /sys/class/net/eth0; " +
      "while sleep 0.2; do echo carrier $(cat carrier); ping -c1 -W1 10.0.2.2 >/dev/null && echo pong; done",
  );
  made.send("setNetworkDevices:", [card]);
  made.send("setSerialPorts:", [filePort(output)]);
  const told = new Told();
  const delegate = delegates.create(told);
  await using machine = new Machine(made);
  await machine.call("setDelegate:", delegate);
  delegates.ref();
  const said = (since = 0) => Deno.readTextFileSync(output).slice(since);

  assertEquals(await machine.start(), []);
  await until("the network", () => said().includes("pong"));
  Deno.writeTextFileSync(fifo, "!");
  await until("the delegate", () => told.networks.length > 0);
  const broken = said().length;
  const [{ device, error }] = told.networks;
  assertEquals(causes(error).map(([domain, code]) => [domain, code]), [[VZ, 7]]);
  assertEquals(await machine.queue.call(device, "attachment"), null);
  await until("the guest to miss its network", () => said(broken).includes("carrier 0"));
  assertEquals(await machine.state(), State.running);
  const without = said().length;
  await machine.queue.call(device, "setAttachment:", nat());
  await until("the network to be back", () => said(without).includes("pong"));
  assertEquals([told.networks.length, told.stops], [1, []]);
  delegates.unref();
});

// Rows 6, 18 and 28.
Deno.test("mac: what raises an exception ends a process that called through FFI", async () => {
  const raised: [what: string, exception: string][] = [
    ["kernel", "NSInvalidArgumentException, reason: “https://localhost/file” is not a file URL"],
    ["image", "NSInvalidArgumentException, reason: “https://localhost/file” is not a file URL"],
    ["file", "NSInvalidArgumentException, reason: “https://localhost/file” is not a file URL"],
    ["directory", "NSInvalidArgumentException, reason: “https://localhost/file” is not a file URL"],
    ["store", "NSInvalidArgumentException, reason: “https://localhost/file” is not a file URL"],
    ["pipe", "NSInvalidArgumentException, reason: The file handle of a network device must be"],
    ["stream", "NSInvalidArgumentException, reason: The file handle of a network device must be"],
    ["index", "NSRangeException"],
    ["closed", "NSFileHandleOperationException"],
    [
      "window",
      "NSInternalInconsistencyException, reason: NSWindow should only be instantiated on the main thread!",
    ],
  ];
  for (const [what, exception] of raised) {
    const { code, stdout, stderr } = await child("linux/programs/exception.ts", what);
    assert(code !== 0 && stdout === "", `${what} raises nothing`);
    assert(stderr.includes(`Uncaught exception ${exception}`), `${what}: ${stderr}`);
  }
  const { code, stdout, stderr } = await child("linux/programs/exception.ts", "nothing");
  assertEquals([code, stdout, stderr], [0, "done\n", ""]);
});

// Row 17.
Deno.test("mac: a network device without an attachment is invalid", () => {
  const made = configuration();
  made.send("setNetworkDevices:", [Class.named("VZVirtioNetworkDeviceConfiguration").create()]);
  assertEquals(refusal(made), [2, `${INVALID} The network device attachment is invalid.`]);
});

// Row 19.
Deno.test("mac: a screen has at most 16384 pixels a side, a device one, a machine many devices", async () => {
  const device = (...sides: number[]) => {
    const made = Class.named("VZVirtioGraphicsDeviceConfiguration").create();
    const scanouts = sides.map((side) =>
      Class.named("VZVirtioGraphicsScanoutConfiguration").create(
        "initWithWidthInPixels:heightInPixels:",
        side,
        16_384,
      )
    );
    made.send("setScanouts:", scanouts);
    return made;
  };
  const made = configuration();
  made.send("setGraphicsDevices:", [device(1), device(16_384)]);
  made.send("validateWithError:");
  made.send("setGraphicsDevices:", [device(16_385)]);
  assertEquals(refusal(made)[0], 2);
  made.send("setGraphicsDevices:", [device(1, 1)]);
  assertEquals(refusal(made), [2, `${INVALID} More than one scanout is configured.`]);

  const running = configuration("read -r forever");
  running.send("setGraphicsDevices:", [device(640), device(800)]);
  await using machine = new Machine(running);
  assertEquals(await machine.start(), []);
  const displays = (fromObjC(await machine.call("graphicsDevices")) as NSObject[]).map(async (device) =>
    (fromObjC(await machine.queue.call(device, "displays")) as NSObject[])[0]
  );
  const [first, second] = await Promise.all(displays);
  const resize = (display: NSObject) =>
    machine.queue.call(display, "reconfigureWithSizeInPixels:error:", [320, 200]);
  assert(await resize(first));
  assertEquals((await assertRejects(() => resize(second), NSError)).code, 10); // and the first one stays as it is
});

/** A new variable store. */
function newStore(path: string): NSObject {
  const initializer = "initCreatingVariableStoreAtURL:options:error:";
  return Class.named("VZEFIVariableStore").create(initializer, fileURL(path), 0);
}

// Row 12.
Deno.test("mac: firmware that finds nothing to boot ends the machine, each time, whatever its processor", async () => {
  for (const arch of ["x86_64", "aarch64"]) {
    using _ = new Variable("VIRTUALIZATION_GUEST_ARCH", arch);
    using folder = new Folder();
    const told = new Told();
    const delegate = delegates.create(told);
    await using machine = efiMachine(newStore(folder.file("variables")), image(folder.disk("empty")));
    await machine.call("setDelegate:", delegate);
    delegates.ref();
    for (const times of [1, 2]) {
      assertEquals(await machine.start(), []);
      await until("the firmware to give up", () => told.stops.length === times);
      assertEquals(await machine.state(), State.stopped);
    }
    assertEquals(told.stops, ["guest", "guest"]);
    delegates.unref();
  }
});

// Row 22.
Deno.test("mac: threads of POSIX's alone do not put Cocoa into its multithreaded mode", async () => {
  const { code, stdout, stderr } = await child("linux/programs/threads.ts");
  assertEquals([code, stdout, stderr], [0, "[false,false,true]\n", ""]);
});

// Row 13.
Deno.test("mac: an ASIF image, which QEMU cannot read, is not taken for a raw one", () => {
  using folder = new Folder();
  const path = folder.disk("disk");
  image(path);
  using file = Deno.openSync(path, { write: true });
  file.writeSync(new TextEncoder().encode("shdw"));
  const error = assertThrows(() => image(path), NSError);
  assertEquals([error.domain, error.code], [VZ, 5]);
});
