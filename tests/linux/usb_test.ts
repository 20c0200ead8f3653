// A USB controller of linux/: which devices can come and go, when, and with which error they cannot.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Class, completion, fileURL, fromObjC, NSError, type NSObject } from "../../src/objc/mod.ts";
import { guestFiles, within } from "./guest.ts";
import { causes, configuration, image, Machine } from "./raw.ts";
import { Shell } from "./shell.ts";

const MiB = 1024 * 1024;
const GRAPHICAL = guestFiles("graphical"); // whose kernel knows USB

/** An image that is gone at the end of the block. */
class Image implements Disposable {
  readonly path = Deno.makeTempFileSync();

  constructor(size = MiB) {
    Deno.truncateSync(this.path, size);
  }

  /** Whether nobody has it locked. */
  get isFree(): boolean {
    using file = Deno.openSync(this.path);
    return file.tryLockSync(true);
  }

  configuration(readOnly = false): NSObject {
    return Class.named("VZUSBMassStorageDeviceConfiguration")
      .create("initWithAttachment:", image(this.path, readOnly));
  }

  /** A disk that can be attached. */
  device(readOnly = false): NSObject {
    return Class.named("VZUSBMassStorageDevice").create(
      "initWithConfiguration:",
      this.configuration(readOnly),
    );
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path);
  }
}

function controller(...devices: NSObject[]): NSObject {
  const made = Class.named("VZXHCIControllerConfiguration").create();
  made.send("setUsbDevices:", devices);
  return made;
}

/** Sends a controller a message with a completion handler, and gives its error and that one's causes; none is success. */
async function complete(machine: Machine, controller: NSObject, selector: string, device: NSObject | string) {
  const { block, called } = completion("v@?@");
  await machine.queue.call(controller, selector, device, block);
  const [error] = await within(selector, called);
  return causes(error as NSObject | null);
}

const attach = (machine: Machine, to: NSObject, device: NSObject | string) =>
  complete(machine, to, "attachDevice:completionHandler:", device);
const detach = (machine: Machine, from: NSObject, device: NSObject | string) =>
  complete(machine, from, "detachDevice:completionHandler:", device);

async function controllersOf(machine: Machine): Promise<NSObject[]> {
  return fromObjC(await machine.call("usbControllers")) as NSObject[];
}

async function devicesOf(machine: Machine, controller: NSObject): Promise<NSObject[]> {
  return fromObjC(await machine.queue.call(controller, "usbDevices")) as NSObject[];
}

/** A machine with these controllers, whose guest panics. */
function machineWith(...controllers: NSObject[]): Machine {
  const made = configuration();
  made.send("setUsbControllers:", controllers);
  return new Machine(made);
}

const ATTACHED = "The device is attached to a USB controller.";
const NOT_ATTACHED = "The device is not attached to the USB controller.";
const NOT_RUNNING = "Devices can be attached and detached while the virtual machine runs or is paused.";

Deno.test("linux: USB controllers that no machine could have are refused", () => {
  const made = configuration();
  for (
    const [controllers, reason] of [
      [["controller"], "cannot be one of “usbControllers”"],
      [[controller("disk" as never)], "cannot be one of “usbDevices”"],
    ] as const
  ) {
    made.send("setUsbControllers:", controllers as never);
    const error = assertThrows(() => made.send("validateWithError:"), NSError);
    assertEquals(error.code, 2);
    assert(error.message.includes(reason), error.message);
  }
  made.send("setUsbControllers:", [controller(), controller()]);
  made.send("validateWithError:");
});

Deno.test("linux: a device is attached to one controller, once, while the machine runs or is paused", async () => {
  using stick = new Image();
  await using machine = machineWith(controller(), controller());
  const [first, second] = await controllersOf(machine);
  assertEquals([first.className, second.className], ["VZXHCIController", "VZXHCIController"]);
  const device = stick.device();
  assertEquals(await attach(machine, first, device), [["VZErrorDomain", 3, NOT_RUNNING]]);
  assertEquals(await machine.start(), []);

  assertEquals(await attach(machine, first, device), []);
  assertEquals((await devicesOf(machine, first)).map((one) => one.className), ["VZUSBMassStorageDevice"]);
  const its = await machine.queue.call(device, "usbController") as NSObject;
  assert(its.send("isEqual:", first));
  for (const to of [first, second]) {
    assertEquals(await attach(machine, to, device), [["VZErrorDomain", 30002, ATTACHED]]);
  }
  assertEquals(await detach(machine, second, device), [["VZErrorDomain", 30004, NOT_ATTACHED]]);
  assertEquals(await machine.complete("pauseWithCompletionHandler:"), []);
  assertEquals(await detach(machine, first, device), []);
  assertEquals(await detach(machine, first, device), [["VZErrorDomain", 30004, NOT_ATTACHED]]);
  assertEquals(await machine.queue.call(device, "usbController"), null);
  assert(stick.isFree);
  assertEquals(await attach(machine, second, device), []);
  assert(!stick.isFree);
  assertEquals(await devicesOf(machine, first), []);

  assertEquals(await machine.complete("stopWithCompletionHandler:"), []);
  assertEquals([await devicesOf(machine, second), stick.isFree], [[], true]);
  assertEquals(await machine.queue.call(device, "usbController"), null);
  assertEquals(await detach(machine, second, device), [["VZErrorDomain", 30004, NOT_ATTACHED]]);
});

Deno.test("linux: a device that cannot be attached says why, and can be when nothing is in the way", async () => {
  using stick = new Image();
  await using machine = machineWith(controller());
  const [usb] = await controllersOf(machine);
  assertEquals(await machine.start(), []);
  const [one, other] = [stick.device(), stick.device()];
  const inUse = [
    ["VZErrorDomain", 30003, "The device could not be initialized."],
    ["VZErrorDomain", 2, "The storage device attachment is invalid."],
  ] as const;
  {
    using file = Deno.openSync(stick.path);
    file.lockSync(false);
    assertEquals(await attach(machine, usb, one), inUse.map((error) => [...error]));
  }
  assertEquals(await attach(machine, usb, one), []);
  assertEquals(await attach(machine, usb, other), inUse.map((error) => [...error]));
  const [[domain, code, reason]] = await attach(machine, usb, "stick");
  assertEquals([domain, code], ["VZErrorDomain", 30003]);
  assert(reason.endsWith("cannot be attached on Linux."), reason);
  assertEquals(await detach(machine, usb, "stick"), [["VZErrorDomain", 30004, NOT_ATTACHED]]);
  // Two at once, and out while it is on its way in.
  assertEquals(await detach(machine, usb, one), []);
  const both = await Promise.all([
    attach(machine, usb, one),
    attach(machine, usb, one),
    detach(machine, usb, one),
  ]);
  assertEquals(both.map(([error]) => error?.[1]), [undefined, 30002, 30004]);
});

Deno.test("linux: more devices than a controller has ports come and go, read by all of them", async () => {
  using stick = new Image();
  await using machine = machineWith(controller());
  const [usb] = await controllersOf(machine);
  assertEquals(await machine.start(), []);
  for (let i = 0; i < 20; i++) {
    assertEquals(await attach(machine, usb, stick.device(true)), [], `device ${i}`);
  }
  const [[, code]] = await attach(machine, usb, stick.device());
  assertEquals(code, 30003); // to write it is another matter
  const there = await devicesOf(machine, usb);
  assertEquals(there.length, 20);
  for (const device of there) assertEquals(await detach(machine, usb, device), []);
  assertEquals(await attach(machine, usb, stick.device()), []);
});

Deno.test("linux: a machine that is killed while devices come and go answers for each of them", async () => {
  using stick = new Image();
  await using machine = machineWith(controller());
  const [usb] = await controllersOf(machine);
  assertEquals(await machine.start(), []);
  const [going, coming] = [stick.device(true), stick.device(true)];
  assertEquals(await attach(machine, usb, going), []);
  const answers = [detach(machine, usb, going), attach(machine, usb, coming)];
  assertEquals(await machine.complete("stopWithCompletionHandler:"), []);
  for (const answer of await Promise.all(answers)) {
    assert(answer.length === 0 || [1, 30003].includes(answer[0][1]), JSON.stringify(answer));
  }
  assertEquals([await devicesOf(machine, usb), stick.isFree], [[], true]);
});

Deno.test("linux: a guest has a controller's devices from its start, in their order, and loses those that go", async () => {
  using first = new Image(MiB);
  using second = new Image(2 * MiB);
  using disk = new Image(3 * MiB);
  await using shell = new Shell([], (configuration) => {
    const loader = configuration.send("bootLoader") as NSObject;
    loader.send("setKernelURL:", fileURL(GRAPHICAL.kernel));
    loader.send("setInitialRamdiskURL:", fileURL(GRAPHICAL.initrd));
    configuration.send("setUsbControllers:", [controller(first.configuration(), second.configuration(true))]);
    configuration.send("setStorageDevices:", [disk.configuration()]);
  });
  const { machine } = shell;
  const [usb] = await controllersOf(machine);
  assertEquals(await devicesOf(machine, usb), []);
  await shell.boot();
  const sectors = (count: number) =>
    shell.tell(
      `modprobe sd_mod; echo 0 >/sys/module/usb_storage/parameters/delay_use; until [ $(ls /sys/block | grep -c ^sd) = ${count} ]; do usleep 10000; done; ` +
        "cat /sys/block/sd*/size | sort -n",
    );
  assertEquals(await sectors(3), "2048\n4096\n6144");
  assertEquals(await shell.tell("ls /sys/bus/pci/drivers/xhci_hcd | grep -c ^0000"), "1"); // one for all
  const [, its] = await devicesOf(machine, usb);
  assertEquals(await detach(machine, usb, its), []);
  assertEquals([first.isFree, second.isFree], [false, true]);
  assertEquals(await sectors(2), "2048\n6144");
  assertEquals(await attach(machine, usb, its), []);
  assertEquals(await sectors(3), "2048\n4096\n6144");
  await shell.stop();
  assertEquals([first.isFree, second.isFree, disk.isFree], [true, true, true]);
  // And once more, from the beginning.
  await shell.start();
  assertEquals((await devicesOf(machine, usb)).length, 2);
});
