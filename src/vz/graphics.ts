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
