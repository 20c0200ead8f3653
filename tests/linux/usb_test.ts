// A USB controller of linux/: disks that come and go while a guest runs and reads them, and what is refused, with which
// error.

import { assert, assertEquals } from "@std/assert";
import { type Argument, Class, completion, fileURL, fromObjC, type NSObject } from "../../src/objc/mod.ts";
import { guestFiles } from "./guest.ts";
import { causes, image } from "./raw.ts";
import { Shell } from "./shell.ts";

const MiB = 1024 * 1024;
const GRAPHICAL = guestFiles("graphical"); // whose kernel knows USB

/** A disk that can be attached. */
function disk(path: string, readOnly = false): NSObject {
  return Class.named("VZUSBMassStorageDevice").create(
    "initWithConfiguration:",
    configurationOf(path, readOnly),
  );
}

function configurationOf(path: string, readOnly = false): NSObject {
  return Class.named("VZUSBMassStorageDeviceConfiguration")
    .create("initWithAttachment:", image(path, readOnly));
}

function controller(...devices: NSObject[]): NSObject {
  const made = Class.named("VZXHCIControllerConfiguration").create();
  made.send("setUsbDevices:", devices);
  return made;
}

/** A guest that knows USB, on a machine with these controllers. */
class USBGuest extends Shell {
  constructor(...controllers: NSObject[]) {
    super([], (configuration) => {
      const loader = configuration.send("bootLoader") as NSObject;
      loader.send("setKernelURL:", fileURL(GRAPHICAL.kernel));
      loader.send("setInitialRamdiskURL:", fileURL(GRAPHICAL.initrd));
      configuration.send("setUsbControllers:", controllers);
    });
  }

  async controllers(): Promise<NSObject[]> {
    return fromObjC(await this.machine.call("usbControllers")) as NSObject[];
  }

  /** Sends a controller a message with a completion handler, and gives its error; none is success. */
  async complete(
    controller: NSObject,
    selector: string,
    device: Argument,
  ): Promise<ReturnType<typeof causes>> {
    const { block, called } = completion("v@?@");
    await this.machine.queue.call(controller, selector, device, block);
    const [error] = await called;
    return causes(error as NSObject | null);
  }
}

Deno.test("linux: experiment", async () => {
  const path = Deno.makeTempFileSync();
  const bytes = new Uint8Array(8 * MiB);
  crypto.getRandomValues(bytes.subarray(0, 65536));
  Deno.writeFileSync(path, bytes);
  await using shell = new USBGuest(controller());
  await shell.boot();
  const [usb] = await shell.controllers();
  const stick = disk(path);
  console.error(await shell.complete(usb, "attachDevice:completionHandler:", stick));
  console.error(
    await shell.tell(
      "modprobe sd_mod; sleep 3; free; lsmod; cat /sys/bus/pci/devices/*/class; cat /proc/partitions; dmesg | tail -30",
    ),
  );
  console.error(await shell.complete(usb, "detachDevice:completionHandler:", stick));
  console.error(await shell.tell("while [ -b /dev/sda ]; do usleep 10000; done; cat /proc/partitions"));
});
