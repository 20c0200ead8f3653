import { type Api, make, VZObject } from "./vz_object.ts";

/** A screen of a virtio graphics device. macOS 13. */
export class VZVirtioGraphicsScanoutConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioGraphicsScanoutConfiguration",
    what: "A guest's screen",
    macOS: "13.0",
  };

  /** @param width In pixels, as `height`: the mode that the guest starts with. */
  static create(width: number, height: number): VZVirtioGraphicsScanoutConfiguration {
    return new VZVirtioGraphicsScanoutConfiguration(
      make(VZVirtioGraphicsScanoutConfiguration.api, "initWithWidthInPixels:heightInPixels:", width, height),
    );
  }
}

/** A graphics card. macOS 13. */
export class VZVirtioGraphicsDeviceConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioGraphicsDeviceConfiguration",
    what: "A graphics device",
    macOS: "13.0",
  };

  /** @param scanouts The framework takes one. */
  static create(scanouts: VZVirtioGraphicsScanoutConfiguration[]): VZVirtioGraphicsDeviceConfiguration {
    const device = new VZVirtioGraphicsDeviceConfiguration(make(VZVirtioGraphicsDeviceConfiguration.api));
    device.send("setScanouts:", scanouts);
    return device;
  }
}
