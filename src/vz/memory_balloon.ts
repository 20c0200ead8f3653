import { type Api, make, VZObject } from "./vz_object.ts";

/** Lets the host take memory back from the guest. macOS 11. */
export class VZVirtioTraditionalMemoryBalloonDeviceConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioTraditionalMemoryBalloonDeviceConfiguration",
    what: "The memory balloon",
    macOS: "11.0",
  };

  static create(): VZVirtioTraditionalMemoryBalloonDeviceConfiguration {
    return new VZVirtioTraditionalMemoryBalloonDeviceConfiguration(
      make(VZVirtioTraditionalMemoryBalloonDeviceConfiguration.api),
    );
  }
}
