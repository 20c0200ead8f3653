import { VZClass, VZObject } from "./vz_object.ts";

/** A pointer that is where the host's is in the machine's view, so that the view need not catch it. macOS 12. */
export class VZUSBScreenCoordinatePointingDeviceConfiguration
  extends VZObject<"VZUSBScreenCoordinatePointingDeviceConfiguration"> {
  static override readonly api = new VZClass(
    "VZUSBScreenCoordinatePointingDeviceConfiguration",
    "A USB pointing device",
  );

  static create(): VZUSBScreenCoordinatePointingDeviceConfiguration {
    return new this(this.api.create("init"));
  }
}
