/** Disks, in the words that qemu has for them. */

import { DISK_FORMATS } from "../../images/disk_format.ts";
import type { CacheMode, Disk, DiskFormat } from "../../machine/disk.ts";
import { type Answers, type Notes, partsOf, readKeys } from "./answers.ts";
import { UsageError } from "./usage_error.ts";
import { oneOf, onOff, parseCount, parseSize } from "./values.ts";

/** A disk as the command line has it. */
export type DiskSettings = Partial<Disk> & Pick<Disk, "file"> & {
  /** Its place among the disks, from 0, as qemu's `index=`. */
  index?: number;
  /** The place that `-hda` … `-hdd` have in qemu. */
  slot?: number;
  /** When the firmware is to try it, as qemu's `bootindex=`. */
  bootIndex?: number;
};

const CACHES = ["writeback", "none", "writethrough", "unsafe"] as const;

/** A disk that nothing else is said of than its file and some parts. */
export function disk(file: string, parts: Partial<DiskSettings> = {}): DiskSettings {
  return { file, interface: "virtio", readOnly: false, cache: "writeback", ...parts };
}

/** A disk by qemu's words for where it is: a file, or `fat:DIR`, a folder. */
export function diskAt(text: string, parts: Partial<DiskSettings> = {}): DiskSettings {
  return text.startsWith("fat:") ? folder(text.slice("fat:".length), parts) : disk(text, parts);
}

/** Words that qemu has between `fat:` and the folder, and why they cannot be. */
const FAT_WORDS: Answers = {
  ro: { so: "it is never written" },
  "32": { so: "it is FAT32" },
  rw: { cannot: "a folder as a disk is never written: fat:DIR, or -share TAG DIR" },
  floppy: { cannot: "there are no floppies: fat:DIR" },
  "12": { cannot: "a folder becomes FAT32: fat:DIR" },
  "16": { cannot: "a folder becomes FAT32: fat:DIR" },
};

/** `[ro:][LABEL:]DIR`. */
function folder(text: string, parts: Partial<DiskSettings>): DiskSettings {
  let label: string | undefined;
  for (let word; (word = /^([^/:]*):/.exec(text)?.[1]) !== undefined && label === undefined;) {
    const known = Object.hasOwn(FAT_WORDS, word) ? FAT_WORDS[word] : undefined;
    if (known?.cannot !== undefined) throw new UsageError(`fat:${word}: ${known.cannot}`);
    if (!known) label = word;
    text = text.slice(word.length + 1);
  }
  if (parts.format !== undefined && parts.format !== "raw") {
    throw new UsageError(`format=${parts.format}: fat: is a folder, and no image`);
  }
  const own = { format: "fat", ...label !== undefined && { label } } as const;
  return disk(text, { readOnly: true, ...parts, ...own });
}

/** A CD: what it is inserted in is a USB one. */
export function cd(file: string): DiskSettings {
  return disk(file, { interface: "usb", readOnly: true, media: "cdrom", format: "raw" });
}

const VIRTIO = "disks are on virtio, usb or nvme: if=virtio";
/** Why there is no firmware to bring. */
export const FIRMWARE = "the firmware is Apple's own: -efi, and -efi-vars FILE for its variables";

export const IF_VALUES: Answers = {
  virtio: { does: "a virtio disk" },
  usb: { does: "ours: a USB disk" },
  nvme: { does: "ours: an NVMe disk" },
  none: { does: "the disk of the -device with drive=ID" },
  ide: { cannot: VIRTIO },
  scsi: { cannot: VIRTIO },
  sd: { cannot: VIRTIO },
  mtd: { cannot: VIRTIO },
  xen: { cannot: VIRTIO },
  floppy: { cannot: "there are no floppies: mtools makes an image a disk's" },
  pflash: { cannot: FIRMWARE },
};

const SCHEDULING = "how the host reads and writes is the framework's to choose";

const UNTHROTTLED = "disks are not throttled";

export const DRIVE_KEYS = {
  file: {
    does: "the image; fat:DIR, a folder; a device; nbd://HOST/NAME or nbd+unix:///NAME?socket=PATH",
  },
  if: { does: "the controller" },
  media: { does: "cdrom is a read-only USB disk that can be booted; disk is a disk" },
  readonly: { does: "the guest cannot write" },
  format: { does: "raw, qcow2, vmdk, vpc, vhdx; ours: gzip, xz, zstd, bzip2 of a raw one; asif" },
  size: { does: "ours: makes the image" },
  cache: { does: "writeback, none, writethrough, unsafe" },
  serial: { does: "the serial number of a virtio disk" },
  timeout: { does: "ours: after how many seconds an NBD server is connected to anew" },
  snapshot: { does: "writes go to a clone" },
  index: { does: "its place among the disks" },
  id: { does: "its name for a -device with drive=" },
  "node-name": { so: "a node is named by its id" },
  driver: {
    so: "the format says it",
    values: ["raw", "qcow2", "vmdk", "vpc", "vhdx"],
    cannot: "format=raw, or qcow2",
  },
  "auto-read-only": { so: "an image is opened as it is needed" },
  "read-only": { cannot: "readonly=on" },
  "cache.direct": { cannot: "cache=none" },
  "cache.writeback": { cannot: "cache=writeback, or writethrough" },
  "file.driver": { so: "an image is a file", values: ["file"], cannot: "an image is a file" },
  "l2-cache-size": { cannot: "a qcow2 image is made raw once" },
  aio: { so: "disks have threads of their own", values: ["threads"], cannot: SCHEDULING },
  discard: {
    so: "what is discarded keeps its room",
    values: ["ignore", "off"],
    cannot: "images do not get smaller",
  },
  "detect-zeroes": { so: "zeros are written", values: ["off"], cannot: "zeros are written as they are" },
  "copy-on-read": { so: "nothing is copied", values: ["off"], cannot: "nothing is copied when it is read" },
  werror: { cannot: "what becomes of errors is the framework's: the guest sees them" },
  rerror: { cannot: "what becomes of errors is the framework's: the guest sees them" },
  bus: { cannot: "disks are in the order in which they are given: index=N" },
  unit: { cannot: "disks are in the order in which they are given: index=N" },
  "throttling.iops-total": { cannot: UNTHROTTLED },
  "throttling.bps-total": { cannot: UNTHROTTLED },
  "throttling.iops-read": { cannot: UNTHROTTLED },
  "throttling.iops-write": { cannot: UNTHROTTLED },
  "throttling.bps-read": { cannot: UNTHROTTLED },
  "throttling.bps-write": { cannot: UNTHROTTLED },
  iops: { cannot: UNTHROTTLED },
  iops_rd: { cannot: UNTHROTTLED },
  iops_wr: { cannot: UNTHROTTLED },
  bps: { cannot: UNTHROTTLED },
  bps_rd: { cannot: UNTHROTTLED },
  bps_wr: { cannot: UNTHROTTLED },
  cyls: { cannot: "a disk has no geometry" },
  heads: { cannot: "a disk has no geometry" },
  secs: { cannot: "a disk has no geometry" },
  "file.locking": { so: "images are locked", values: ["on", "auto"], cannot: "images are always locked" },
} satisfies Answers;

/** The URL of what stood behind `nbd:`: `unix:PATH:exportname=NAME`, `HOST:PORT`. */
function newSpelling(old: string): string {
  const [, where, name = ""] = /^(.*?)(?::exportname=(.*))?$/s.exec(old)!;
  return where.startsWith("unix:")
    ? `nbd+unix:///${name}?socket=${where.slice("unix:".length)}`
    : `nbd://${where}/${name}`;
}

/** `-drive`'s; with `if=none` its name. */
export function parseDrive(text: string, notes: Notes): { disk: DiskSettings; id?: string; apart: boolean } {
  const parts = partsOf(text);
  const bus = parts.find(([key]) => key === "if")?.[1] ?? "virtio";
  const known = Object.hasOwn(IF_VALUES, bus) ? IF_VALUES[bus] : undefined;
  if (known?.cannot !== undefined) throw new UsageError(`if=${bus}: ${known.cannot}`);
  const given = readKeys(parts, DRIVE_KEYS, notes, ["readonly", "snapshot"]);
  oneOf(Object.keys(IF_VALUES).filter((name) => IF_VALUES[name].does), bus, "if");
  if (given.file === undefined) throw new UsageError("file=FILE is missing");
  const isCD = oneOf(["disk", "cdrom"], given.media ?? "disk", "media") === "cdrom";
  const apart = bus === "none";
  if (apart && given.id === undefined) {
    throw new UsageError("if=none needs id=ID, and a -device with drive=ID");
  }
  const [protocol] = /^(ssh|https?|ftps?|rbd|iscsi|nfs|gluster|json|nvme|vvfat)(?=:)/.exec(given.file) ?? [];
  if (protocol === "vvfat") throw new UsageError("a folder as a disk is file=fat:DIR");
  const [, old] = /^nbd:(?!\/\/)(.*)$/s.exec(given.file) ?? [];
  if (old !== undefined) throw new UsageError(`'${given.file}' is an old spelling: file=${newSpelling(old)}`);
  if (protocol !== undefined) {
    throw new UsageError(
      `a disk is a file, a device or an NBD server's, and nothing that ${protocol}: leads to`,
    );
  }
  const settings: Partial<DiskSettings> = {
    ...!apart && given.if !== undefined && { interface: bus as Disk["interface"] },
    ...given.readonly !== undefined && { readOnly: onOff(given.readonly, "readonly") },
    ...given.cache !== undefined && { cache: oneOf<CacheMode>(CACHES, given.cache, "cache") },
    ...given.serial !== undefined && { serial: given.serial },
    ...given.size !== undefined && { size: parseSize(given.size) },
    ...given.format !== undefined && { format: oneOf<DiskFormat>(DISK_FORMATS, given.format, "format") },
    ...given.snapshot !== undefined && { snapshot: onOff(given.snapshot, "snapshot") },
    ...given.timeout !== undefined && { timeout: parseCount(given.timeout) },
    ...given.index !== undefined && { index: parseCount(given.index) },
  };
  if (!isCD) return { disk: diskAt(given.file, settings), id: given.id, apart };
  if (given.file.startsWith("fat:")) throw new UsageError("media=cdrom: a folder becomes a disk, and no CD");
  // if=virtio is qemu's default nowhere: a CD is where it can be booted.
  return { disk: { ...cd(given.file), ...settings, readOnly: true }, id: given.id, apart };
}
