/** What an ISO image boots: El Torito's catalogue. Source: the El Torito Bootable CD-ROM Format Specification, 1.0. */

import type { DiskReader } from "./disk_reader.ts";
import { isISO, ISO_HEAD } from "./iso.ts";
import { has } from "./magic.ts";

const SECTOR = 2048;
const FIRST_DESCRIPTOR = 16;
/** More volume descriptors than any image has. */
const MOST_DESCRIPTORS = 64;

/** An image in an ISO image, which is booted from. */
export interface BootEntry {
  /** `other`: of a PowerPC or a Mac. */
  platform: "bios" | "efi" | "other";
  /** Where it begins, in bytes. */
  start: number;
}

/** Whether a disk is an ISO image. */
export function isISODisk(disk: DiskReader): boolean {
  const { offset, length } = ISO_HEAD;
  return disk.size >= offset + length && isISO(disk.at(offset, length));
}

/**
 * The images that an ISO image boots, in their order; none when it has no catalogue.
 *
 * @throws {ImageError} When it ends before one of its descriptors or its catalogue does.
 */
export function readElTorito(disk: DiskReader): BootEntry[] {
  for (let i = 0; i < MOST_DESCRIPTORS; i++) {
    const descriptor = disk.at((FIRST_DESCRIPTOR + i) * SECTOR, SECTOR);
    if (!has(descriptor, 1, "CD001") || descriptor[0] === 255) break;
    if (descriptor[0] === 0 && has(descriptor, 7, "EL TORITO SPECIFICATION")) {
      return readCatalogue(disk.at(new DataView(descriptor.buffer).getUint32(0x47, true) * SECTOR, SECTOR));
    }
  }
  return [];
}

/** One sector of it, with 64 entries, is all that firmware reads. */
function readCatalogue(catalogue: Uint8Array<ArrayBuffer>): BootEntry[] {
  if (catalogue[0] !== 1 || catalogue[30] !== 0x55 || catalogue[31] !== 0xaa) return [];
  const view = new DataView(catalogue.buffer);
  const entries: BootEntry[] = [];
  let platform = platformOf(catalogue[1]);
  for (let at = 32; at < SECTOR; at += 32) {
    const kind = catalogue[at];
    if (kind === 0x90 || kind === 0x91) platform = platformOf(catalogue[at + 1]); // a section's header
    else if (kind === 0x88) entries.push({ platform, start: view.getUint32(at + 8, true) * SECTOR });
  }
  return entries.filter(({ start }) => start > 0);
}

function platformOf(id: number): BootEntry["platform"] {
  return id === 0 ? "bios" : id === 0xef ? "efi" : "other";
}
