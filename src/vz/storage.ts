import { fileURL } from "../objc/mod.ts";
import type { ClassName } from "./selectors.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** VZDiskImageCachingMode: who keeps what was read. */
export const VZDiskImageCachingMode = { automatic: 0, uncached: 1, cached: 2 } as const;

/** VZDiskImageSynchronizationMode: what a guest's flush does. */
export const VZDiskImageSynchronizationMode = { full: 1, fsync: 2, none: 3 } as const;

/** How an image is opened. */
export interface DiskImageOptions {
  readOnly: boolean;
  cachingMode: keyof typeof VZDiskImageCachingMode;
  synchronizationMode: keyof typeof VZDiskImageSynchronizationMode;
}

/** What a disk's bytes are in. */
export abstract class VZStorageDeviceAttachment<C extends ClassName = ClassName> extends VZObject<C> {}

/** A raw disk image. macOS 11; the caching modes, which no disk goes without here, 12. */
export class VZDiskImageStorageDeviceAttachment
  extends VZStorageDeviceAttachment<"VZDiskImageStorageDeviceAttachment"> {
  static override readonly api = new VZClass("VZDiskImageStorageDeviceAttachment", "A disk image", {
    "initWithURL:readOnly:cachingMode:synchronizationMode:error:": "A disk that is safe for Linux",
  });

  /** @throws {NSError} When the image cannot be opened, or is another machine's. */
  static create(path: string, options: DiskImageOptions): VZDiskImageStorageDeviceAttachment {
    using url = fileURL(path);
    const initializer = "initWithURL:readOnly:cachingMode:synchronizationMode:error:";
    const caching = VZDiskImageCachingMode[options.cachingMode];
    const synchronization = VZDiskImageSynchronizationMode[options.synchronizationMode];
    return new this(this.api.create(initializer, url, options.readOnly, caching, synchronization));
  }
}

/** A disk of the guest's. */
export abstract class VZStorageDeviceConfiguration<C extends ClassName = ClassName> extends VZObject<C> {}

/** /dev/vda and so on. macOS 11. */
export class VZVirtioBlockDeviceConfiguration
  extends VZStorageDeviceConfiguration<"VZVirtioBlockDeviceConfiguration"> {
  static override readonly api = new VZClass("VZVirtioBlockDeviceConfiguration", "The virtio disk", {
    "setBlockDeviceIdentifier:": "A disk's serial=",
    "validateBlockDeviceIdentifier:error:": "A disk's serial=",
  });

  /** @param identifier What the guest finds in /dev/disk/by-id: at most 20 ASCII characters. */
  static create(
    attachment: VZStorageDeviceAttachment,
    identifier?: string,
  ): VZVirtioBlockDeviceConfiguration {
    const device = new this(this.api.create("initWithAttachment:", attachment));
    if (identifier === undefined) return device;
    this.api.send("validateBlockDeviceIdentifier:error:", identifier);
    device.send("setBlockDeviceIdentifier:", identifier);
    return device;
  }
}

/** A disk on USB, which firmware boots from. macOS 13. */
export class VZUSBMassStorageDeviceConfiguration
  extends VZStorageDeviceConfiguration<"VZUSBMassStorageDeviceConfiguration"> {
  static override readonly api = new VZClass("VZUSBMassStorageDeviceConfiguration", "A USB disk");

  static create(attachment: VZStorageDeviceAttachment): VZUSBMassStorageDeviceConfiguration {
    return new this(this.api.create("initWithAttachment:", attachment));
  }
}

/** /dev/nvme0n1 and so on. macOS 14. */
export class VZNVMExpressControllerDeviceConfiguration
  extends VZStorageDeviceConfiguration<"VZNVMExpressControllerDeviceConfiguration"> {
  static override readonly api = new VZClass("VZNVMExpressControllerDeviceConfiguration", "NVMe");

  static create(attachment: VZStorageDeviceAttachment): VZNVMExpressControllerDeviceConfiguration {
    return new this(this.api.create("initWithAttachment:", attachment));
  }
}
