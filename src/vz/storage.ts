import { fileURL } from "../objc/mod.ts";
import { type Api, make, requireMacOS, vzClass, VZObject } from "./vz_object.ts";

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

/** A raw disk image. macOS 11; the caching modes, which no disk goes without here, 12. */
export class VZDiskImageStorageDeviceAttachment extends VZObject {
  static override readonly api: Api = {
    class: "VZDiskImageStorageDeviceAttachment",
    what: "A disk image",
    macOS: "11.0",
    newer: {
      "initWithURL:readOnly:cachingMode:synchronizationMode:error:": [
        "A disk that is safe for Linux",
        "12.0",
      ],
    },
  };

  /** @throws {NSError} When the image cannot be opened, or is another machine's. */
  static create(path: string, options: DiskImageOptions): VZDiskImageStorageDeviceAttachment {
    using url = fileURL(path);
    const initializer = "initWithURL:readOnly:cachingMode:synchronizationMode:error:";
    const api = VZDiskImageStorageDeviceAttachment.api;
    const caching = VZDiskImageCachingMode[options.cachingMode];
    const synchronization = VZDiskImageSynchronizationMode[options.synchronizationMode];
    return new VZDiskImageStorageDeviceAttachment(
      make(api, initializer, url, options.readOnly, caching, synchronization),
    );
  }
}

/** A disk of the guest's. */
export abstract class VZStorageDeviceConfiguration extends VZObject {}

/** /dev/vda and so on. macOS 11. */
export class VZVirtioBlockDeviceConfiguration extends VZStorageDeviceConfiguration {
  static override readonly api: Api = {
    class: "VZVirtioBlockDeviceConfiguration",
    what: "The virtio disk",
    macOS: "11.0",
    newer: {
      "setBlockDeviceIdentifier:": ["A disk's serial=", "12.3"],
      "validateBlockDeviceIdentifier:error:": ["A disk's serial=", "12.3"],
    },
  };

  /** @param identifier What the guest finds in /dev/disk/by-id: at most 20 ASCII characters. */
  static create(
    attachment: VZDiskImageStorageDeviceAttachment,
    identifier?: string,
  ): VZVirtioBlockDeviceConfiguration {
    const api = VZVirtioBlockDeviceConfiguration.api;
    const device = new VZVirtioBlockDeviceConfiguration(make(api, "initWithAttachment:", attachment));
    if (identifier === undefined) return device;
    requireMacOS(...api.newer!["setBlockDeviceIdentifier:"]);
    vzClass(api).send("validateBlockDeviceIdentifier:error:", identifier);
    device.send("setBlockDeviceIdentifier:", identifier);
    return device;
  }
}

/** A disk on USB, which firmware boots from. macOS 13. */
export class VZUSBMassStorageDeviceConfiguration extends VZStorageDeviceConfiguration {
  static override readonly api: Api = {
    class: "VZUSBMassStorageDeviceConfiguration",
    what: "A USB disk",
    macOS: "13.0",
  };

  static create(attachment: VZDiskImageStorageDeviceAttachment): VZUSBMassStorageDeviceConfiguration {
    return new VZUSBMassStorageDeviceConfiguration(
      make(VZUSBMassStorageDeviceConfiguration.api, "initWithAttachment:", attachment),
    );
  }
}

/** /dev/nvme0n1 and so on. macOS 14. */
export class VZNVMExpressControllerDeviceConfiguration extends VZStorageDeviceConfiguration {
  static override readonly api: Api = {
    class: "VZNVMExpressControllerDeviceConfiguration",
    what: "NVMe",
    macOS: "14.0",
  };

  static create(attachment: VZDiskImageStorageDeviceAttachment): VZNVMExpressControllerDeviceConfiguration {
    return new VZNVMExpressControllerDeviceConfiguration(
      make(VZNVMExpressControllerDeviceConfiguration.api, "initWithAttachment:", attachment),
    );
  }
}
