import { fileURL } from "../objc/mod.ts";
import { type Api, make, VZObject } from "./vz_object.ts";

/** How a machine starts. */
export abstract class VZBootLoader extends VZObject {}

/** Boots a Linux kernel directly, without firmware. macOS 11. */
export class VZLinuxBootLoader extends VZBootLoader {
  static override readonly api: Api = {
    class: "VZLinuxBootLoader",
    what: "Booting a Linux kernel",
    macOS: "11.0",
  };

  /** @param kernel Path of an uncompressed arm64 `Image`; of a `bzImage` on Intel. */
  static create(kernel: string): VZLinuxBootLoader {
    using url = fileURL(kernel);
    return new VZLinuxBootLoader(make(VZLinuxBootLoader.api, "initWithKernelURL:", url));
  }

  /** Kernel command line. */
  set commandLine(value: string) {
    this.send("setCommandLine:", value);
  }

  /** Path of the initial RAM disk. */
  set initialRamdisk(path: string) {
    using url = fileURL(path);
    this.send("setInitialRamdiskURL:", url);
  }
}
