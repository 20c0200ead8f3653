// Where Apple's framework is less kind than a programmer without a Mac would think, linux/ is too. Each test quotes its
// row of the list of these behaviours.

// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Class, fileURL, NSError, type NSObject } from "../../src/objc/mod.ts";
import { close, isNonblocking, pipe, rawPty, readAvailable, socketPair, unread } from "./descriptors.ts";
import {
  configuration,
  descriptorPort,
  disks,
  filePort,
  image,
  linuxBootLoader,
  Machine,
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

/** A machine that boots by EFI from nothing. */
function efiMachine(store: NSObject): Machine {
  const loader = Class.named("VZEFIBootLoader").create();
  loader.send("setVariableStore:", store);
  const made = configuration();
  made.send("setBootLoader:", loader);
  return new Machine(made);
}

// Row 8.
Deno.test("mac: a variable store is one running machine's", async () => {
  using folder = new Folder();
  const path = folder.file("variables");
  const store = Class.named("VZEFIVariableStore").create(
    "initCreatingVariableStoreAtURL:options:error:",
    fileURL(path),
    0,
  );
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
  assertEquals(await machine.start(), [
    [VZ, 2, "The boot loader is invalid."],
    [VZ, 2, "Failed to open the kernel file."],
    [POSIX, 2, "No such file or directory"],
  ]);
  assertEquals(await machine.state(), State.error);
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
  for (const [kind, [ours, theirs]] of Object.entries(consoles)) {
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
  }
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
