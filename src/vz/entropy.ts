import { type Api, make, VZObject } from "./vz_object.ts";

/** Random numbers for the guest. macOS 11. */
export class VZVirtioEntropyDeviceConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZVirtioEntropyDeviceConfiguration",
    what: "The entropy device",
    macOS: "11.0",
  };

  static create(): VZVirtioEntropyDeviceConfiguration {
    return new VZVirtioEntropyDeviceConfiguration(make(VZVirtioEntropyDeviceConfiguration.api));
  }
}
