import { elements, type NSObject } from "../objc/mod.ts";
import { QueueObject } from "./queue_object.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** A screen of a virtio graphics device. macOS 13. */
export class VZVirtioGraphicsScanoutConfiguration extends VZObject<"VZVirtioGraphicsScanoutConfiguration"> {
  static override readonly api = new VZClass("VZVirtioGraphicsScanoutConfiguration", "A guest's screen");

  /** @param width In pixels, as `height`: the mode that the guest starts with. */
  static create(width: number, height: number): VZVirtioGraphicsScanoutConfiguration {
    return new this(this.api.create("initWithWidthInPixels:heightInPixels:", width, height));
  }
}

/** A graphics card. macOS 13. */
export class VZVirtioGraphicsDeviceConfiguration extends VZObject<"VZVirtioGraphicsDeviceConfiguration"> {
  static override readonly api = new VZClass("VZVirtioGraphicsDeviceConfiguration", "A graphics device");

  /** @param scanouts The framework takes one. */
  static create(scanouts: VZVirtioGraphicsScanoutConfiguration[]): VZVirtioGraphicsDeviceConfiguration {
    const device = new this(this.api.create("init"));
    device.send("setScanouts:", scanouts);
    return device;
  }
}

/** A graphics card of a running machine. macOS 14. */
export class VZGraphicsDevice extends QueueObject<"VZGraphicsDevice"> {
  static override readonly api = new VZClass("VZGraphicsDevice", "A running machine's graphics device");

  /** Its screens. */
  async displays(): Promise<VZGraphicsDisplay[]> {
    const displays = await this.call("displays") as NSObject;
    return elements(displays).map((display) => new VZGraphicsDisplay(this.queue, display));
  }
}

/** A screen of a running machine. macOS 14. */
export class VZGraphicsDisplay extends QueueObject<"VZGraphicsDisplay"> {
  static override readonly api = new VZClass("VZGraphicsDisplay", "A running machine's screen");

  /** Whether this macOS has it. */
  static get isAvailable(): boolean {
    return this.api.isAvailable;
  }

  /**
   * Gives it another size.
   *
   * @throws {NSError} When the machine does not run.
   */
  async reconfigure(width: number, height: number): Promise<void> {
    await this.call("reconfigureWithSizeInPixels:error:", [width, height]);
  }
}
