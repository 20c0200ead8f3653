import { VZClass, VZObject } from "./vz_object.ts";

/** A keyboard, typed on in the machine's view. macOS 12. */
export class VZUSBKeyboardConfiguration extends VZObject<"VZUSBKeyboardConfiguration"> {
  static override readonly api = new VZClass("VZUSBKeyboardConfiguration", "A USB keyboard");

  static create(): VZUSBKeyboardConfiguration {
    return new this(this.api.create("init"));
  }
}
