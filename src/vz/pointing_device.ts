import { type Api, make, VZObject } from "./vz_object.ts";

/** A pointer that is where the host's is in the machine's view, so that the view need not catch it. macOS 12. */
export class VZUSBScreenCoordinatePointingDeviceConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZUSBScreenCoordinatePointingDeviceConfiguration",
    what: "A USB pointing device",
    macOS: "12.0",
  };

  static create(): VZUSBScreenCoordinatePointingDeviceConfiguration {
    return new VZUSBScreenCoordinatePointingDeviceConfiguration(
      make(VZUSBScreenCoordinatePointingDeviceConfiguration.api),
    );
  }
}
