import { VZClass, VZObject } from "./vz_object.ts";

/** Lets the host take memory back from the guest. macOS 11. */
export class VZVirtioTraditionalMemoryBalloonDeviceConfiguration
  extends VZObject<"VZVirtioTraditionalMemoryBalloonDeviceConfiguration"> {
  static override readonly api = new VZClass(
    "VZVirtioTraditionalMemoryBalloonDeviceConfiguration",
    "The memory balloon",
  );

  static create(): VZVirtioTraditionalMemoryBalloonDeviceConfiguration {
    return new this(this.api.create("init"));
  }
}
