import { fileURL } from "../objc/mod.ts";
import type { ClassName } from "./selectors.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** How a machine starts. */
export abstract class VZBootLoader<C extends ClassName = ClassName> extends VZObject<C> {}

/** Boots a Linux kernel directly, without firmware. macOS 11. */
export class VZLinuxBootLoader extends VZBootLoader<"VZLinuxBootLoader"> {
  static override readonly api = new VZClass("VZLinuxBootLoader", "Booting a Linux kernel");

  /** @param kernel Path of an uncompressed arm64 `Image`; of a `bzImage` on Intel. */
  static create(kernel: string): VZLinuxBootLoader {
    using url = fileURL(kernel);
    return new this(this.api.create("initWithKernelURL:", url));
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
