import { VZClass, VZObject } from "./vz_object.ts";

/** Random numbers for the guest. macOS 11. */
export class VZVirtioEntropyDeviceConfiguration extends VZObject<"VZVirtioEntropyDeviceConfiguration"> {
  static override readonly api = new VZClass("VZVirtioEntropyDeviceConfiguration", "The entropy device");

  static create(): VZVirtioEntropyDeviceConfiguration {
    return new this(this.api.create("init"));
  }
}
