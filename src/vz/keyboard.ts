import { type Api, make, VZObject } from "./vz_object.ts";

/** A keyboard, typed on in the machine's view. macOS 12. */
export class VZUSBKeyboardConfiguration extends VZObject {
  static override readonly api: Api = {
    class: "VZUSBKeyboardConfiguration",
    what: "A USB keyboard",
    macOS: "12.0",
  };

  static create(): VZUSBKeyboardConfiguration {
    return new VZUSBKeyboardConfiguration(make(VZUSBKeyboardConfiguration.api));
  }
}
