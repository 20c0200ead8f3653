import { type Api, make, VZObject } from "./vz_object.ts";

/** A screen of a virtio graphics device. macOS 13. */
export class VirtioGraphicsScanout extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioGraphicsScanoutConfiguration",
    what: "A guest's screen",
    macOS: "13.0",
  };

  /** @param width In pixels, as `height`: the mode that the guest starts with. */
  static create(width: number, height: number): VirtioGraphicsScanout {
    return new VirtioGraphicsScanout(
      make(VirtioGraphicsScanout.api, "initWithWidthInPixels:heightInPixels:", width, height),
    );
  }
}

/** A graphics card. macOS 13. */
export class VirtioGraphicsDevice extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioGraphicsDeviceConfiguration",
    what: "A graphics device",
    macOS: "13.0",
  };

  /** @param scanouts The framework takes one. */
  static create(scanouts: VirtioGraphicsScanout[]): VirtioGraphicsDevice {
    const device = new VirtioGraphicsDevice(make(VirtioGraphicsDevice.api));
    device.send("setScanouts:", scanouts);
    return device;
  }
}
