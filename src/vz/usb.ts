import { elements, type NSObject, same } from "../objc/mod.ts";
import { QueueObject } from "./queue_object.ts";
import type { VZUSBMassStorageDeviceConfiguration } from "./storage.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** A USB controller of the machine's own, to which devices can be attached while it runs. macOS 15. */
export class VZXHCIControllerConfiguration extends VZObject<"VZXHCIControllerConfiguration"> {
  static override readonly api = new VZClass("VZXHCIControllerConfiguration", "A USB controller");

  static create(): VZXHCIControllerConfiguration {
    return new this(this.api.create("init"));
  }
}

/** A USB disk that can be attached to a running machine. macOS 15. */
export class VZUSBMassStorageDevice extends VZObject<"VZUSBMassStorageDevice"> {
  static override readonly api = new VZClass("VZUSBMassStorageDevice", "A USB disk that comes and goes");

  static create(configuration: VZUSBMassStorageDeviceConfiguration): VZUSBMassStorageDevice {
    return new this(this.api.create("initWithConfiguration:", configuration));
  }
}

/** A USB controller of a running machine. macOS 15. */
export class VZUSBController extends QueueObject<"VZUSBController"> {
  static override readonly api = new VZClass("VZUSBController", "A USB controller", {
    "setDelegate:": "A device of the host's",
  });

  /**
   * Attaches a device.
   *
   * @throws {NSError} When it is attached already, or cannot be; when the machine does not run.
   */
  attach(device: VZUSBMassStorageDevice): Promise<void> {
    return this.complete("attachDevice:completionHandler:", device);
  }

  /**
   * Detaches a device, without a word to the guest.
   *
   * @throws {NSError} When it is not attached; when the machine does not run.
   */
  detach(device: VZUSBMassStorageDevice): Promise<void> {
    return this.complete("detachDevice:completionHandler:", device);
  }

  /** Whether a device is attached to it. */
  async has(device: VZUSBMassStorageDevice): Promise<boolean> {
    return elements(await this.call("usbDevices") as NSObject).some((one) => same(one, device));
  }
}
