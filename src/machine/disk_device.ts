/** The devices that disks become. */

import {
  type DiskImageOptions,
  VZDiskImageStorageDeviceAttachment,
  VZNVMExpressControllerDeviceConfiguration,
  type VZStorageDeviceAttachment,
  type VZStorageDeviceConfiguration,
  VZUSBMassStorageDeviceConfiguration,
  VZVirtioBlockDeviceConfiguration,
} from "../vz/mod.ts";
import type { CacheMode, Disk } from "./disk.ts";
import { refusable } from "./error.ts";

/**
 * Apple's modes for qemu's words. Never `automatic`: with it Linux guests have lost ext4 and btrfs file systems,
 * which `cached` has cured for UTM (pull 5919), Lima (pull 2026) and Tart (pull 675). `fsync` is what a flush
 * means elsewhere; `full` waits for the disk's own cache (F_FULLFSYNC) as well.
 */
const MODES: Record<CacheMode, Omit<DiskImageOptions, "readOnly">> = {
  writeback: { cachingMode: "cached", synchronizationMode: "fsync" },
  none: { cachingMode: "uncached", synchronizationMode: "fsync" },
  writethrough: { cachingMode: "cached", synchronizationMode: "full" },
  unsafe: { cachingMode: "cached", synchronizationMode: "none" },
};

/** Makes what the framework reads and writes of a disk. */
type Attach = (disk: Disk, field: string) => VZStorageDeviceAttachment;

const attachImage: Attach = ({ file, readOnly, cache }) =>
  VZDiskImageStorageDeviceAttachment.create(file, { readOnly, ...MODES[cache] });

/**
 * The device for a disk whose image is there.
 *
 * @param attach Of a disk that is no image.
 * @throws {MachineError} When the image or the serial is refused; it names the file.
 * @throws {UnavailableError} When macOS is too old for it.
 */
export function configureDisk(
  disk: Disk,
  field: string,
  attach: Attach = attachImage,
): VZStorageDeviceConfiguration {
  if (disk.interface === "usb") return configureUSBDisk(disk, field, attach);
  return configureOn(disk, field, attach, (attachment) => {
    if (disk.interface === "virtio") return VZVirtioBlockDeviceConfiguration.create(attachment, disk.serial);
    return VZNVMExpressControllerDeviceConfiguration.create(attachment);
  });
}

/** As {@linkcode configureDisk}, of one that is on USB. */
export function configureUSBDisk(
  disk: Disk,
  field: string,
  attach: Attach = attachImage,
): VZUSBMassStorageDeviceConfiguration {
  const make = (attachment: VZStorageDeviceAttachment) =>
    VZUSBMassStorageDeviceConfiguration.create(attachment);
  return configureOn(disk, field, attach, make);
}

function configureOn<T>(
  disk: Disk,
  field: string,
  attach: Attach,
  make: (attachment: VZStorageDeviceAttachment) => T,
): T {
  return refusable(`${field}.file`, `cannot use disk '${disk.file}'`, () => {
    using attachment = attach(disk, field);
    return make(attachment);
  });
}
