import { fileURL, NSError } from "../objc/mod.ts";
import { MachineError } from "../machine/error.ts";
import type { Cache, Disk } from "../machine/machine.ts";
import { type Api, make, requireMacOS, vzClass, VZObject } from "./vz_object.ts";

/** VZDiskImageCachingMode: who keeps what was read. */
const CACHING = { automatic: 0, uncached: 1, cached: 2 } as const;

/** VZDiskImageSynchronizationMode: what a guest's flush does. */
const SYNCHRONIZATION = { full: 1, fsync: 2, none: 3 } as const;

/**
 * Apple's modes for qemu's words. Never `automatic`: with it Linux guests have lost ext4 and btrfs file systems,
 * which `cached` has cured for UTM (pull 5919), Lima (pull 2026) and Tart (pull 675). `fsync` is what a flush
 * means elsewhere; `full` waits for the disk's own cache (F_FULLFSYNC) as well.
 */
const MODES: Record<Cache, [caching: number, synchronization: number]> = {
  writeback: [CACHING.cached, SYNCHRONIZATION.fsync],
  none: [CACHING.uncached, SYNCHRONIZATION.fsync],
  writethrough: [CACHING.cached, SYNCHRONIZATION.full],
  unsafe: [CACHING.cached, SYNCHRONIZATION.none],
};

/** A raw disk image. macOS 11; the caching modes, which no disk goes without here, 12. */
export class DiskImageAttachment extends VZObject {
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
  static create(disk: Disk): DiskImageAttachment {
    using url = fileURL(disk.file);
    const initializer = "initWithURL:readOnly:cachingMode:synchronizationMode:error:";
    const api = DiskImageAttachment.api;
    return new DiskImageAttachment(make(api, initializer, url, disk.readOnly, ...MODES[disk.cache]));
  }
}

/** A disk of the guest's. */
export abstract class StorageDevice extends VZObject {}

/** /dev/vda and so on. macOS 11. */
export class VirtioBlockDevice extends StorageDevice {
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
  static create(attachment: DiskImageAttachment, identifier?: string): VirtioBlockDevice {
    const api = VirtioBlockDevice.api;
    const device = new VirtioBlockDevice(make(api, "initWithAttachment:", attachment));
    if (identifier === undefined) return device;
    requireMacOS(...api.newer!["setBlockDeviceIdentifier:"]);
    vzClass(api).send("validateBlockDeviceIdentifier:error:", identifier);
    device.send("setBlockDeviceIdentifier:", identifier);
    return device;
  }
}

/** A disk on USB, which firmware boots from. macOS 13. */
export class USBMassStorageDevice extends StorageDevice {
  static override readonly api: Api = {
    class: "VZUSBMassStorageDeviceConfiguration",
    what: "A USB disk",
    macOS: "13.0",
  };

  static create(attachment: DiskImageAttachment): USBMassStorageDevice {
    return new USBMassStorageDevice(make(USBMassStorageDevice.api, "initWithAttachment:", attachment));
  }
}

/** /dev/nvme0n1 and so on. macOS 14. */
export class NVMExpressDevice extends StorageDevice {
  static override readonly api: Api = {
    class: "VZNVMExpressControllerDeviceConfiguration",
    what: "NVMe",
    macOS: "14.0",
  };

  static create(attachment: DiskImageAttachment): NVMExpressDevice {
    return new NVMExpressDevice(make(NVMExpressDevice.api, "initWithAttachment:", attachment));
  }
}

/**
 * The device for a disk.
 *
 * @throws {MachineError} When the image or the serial is refused; it names the file.
 * @throws {UnavailableError} When macOS is too old for it.
 */
export function storageDevice(disk: Disk): StorageDevice {
  try {
    const attachment = DiskImageAttachment.create(disk);
    if (disk.interface === "virtio") return VirtioBlockDevice.create(attachment, disk.serial);
    if (disk.serial !== undefined) throw new MachineError("serial= goes with if=virtio");
    return disk.interface === "usb"
      ? USBMassStorageDevice.create(attachment)
      : NVMExpressDevice.create(attachment);
  } catch (error) {
    if (!(error instanceof NSError)) throw error;
    throw new MachineError(`cannot use disk '${disk.file}': ${error.reason ?? error.message}`);
  }
}
