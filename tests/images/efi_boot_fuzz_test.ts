import { assert, assertGreater, assertLess } from "@std/assert";
import { crc32 } from "node:zlib";
import { DiskReader } from "../../src/images/disk_reader.ts";
import { findBoot } from "../../src/images/efi_boot.ts";
import type { ImageFile } from "../../src/images/image_file.ts";
import { RawLayer } from "../../src/images/layer.ts";
import { equalBytes } from "./bytes.ts";
import { fat, FOR_BIOS, FOR_EFI, gptDisk, iso, ISOLINUX, NAMES, program, setMBR } from "./efi_layouts.ts";
import { randomNumbers } from "./qemu_img.ts";

/** How many damaged images of each kind; more by hand: `FUZZ=1000000 deno task test tests/images/efi_boot_fuzz_test.ts`. */
const IMAGES = Number(Deno.env.get("FUZZ") ?? 10_000);

/** A stretch that is damaged: where, and how long. */
type Place = [at: number, length: number];

interface Kind {
  make(): Uint8Array;
  places: Place[];
  /** Makes the sums right again, so that what is damaged is believed. */
  mend?(disk: Uint8Array): void;
}

const X64 = program(NAMES.x86_64.machine);
const FILES = {
  "EFI/BOOT/BOOTX64.EFI": X64,
  "EFI/debian/a long name of a loader.efi": X64,
  "EFI/debian/grubx64.efi": program(0xaa64),
};
const SECTOR = 512;
const MiB = 1024 * 1024;

/** Where what counts of a small FAT12 is: its first sector, its tables, its root folder, its first clusters. */
const PLACES_OF_FAT: Place[] = [[11, 40], [11, 40], [SECTOR, 64], [SECTOR, 64], [0x2600, 256], [
  0x4200,
  4096,
]];

const KINDS: Record<string, Kind> = {
  GPT: {
    make: () => gptDisk([{ type: "system", content: fat(FILES, 1440 * 1024) }]),
    places: [[446, 66], [SECTOR, 96], [SECTOR, 96], [2 * SECTOR, 256], [2 * SECTOR, 256]],
    mend(disk) {
      const view = new DataView(disk.buffer);
      view.setUint32(SECTOR + 88, crc32(disk.subarray(2 * SECTOR, 2 * SECTOR + 128 * 128)), true);
      view.setUint32(SECTOR + 16, 0, true);
      view.setUint32(SECTOR + 16, crc32(disk.subarray(SECTOR, SECTOR + 92)), true);
    },
  },
  MBR: {
    make() {
      const content = fat(FILES, 1440 * 1024);
      const disk = new Uint8Array(2 * MiB + content.length);
      setMBR(disk, [{ type: 0x83, first: 8, count: 8 }, { type: 0x05, first: 16, count: 8000 }]);
      setMBR(disk, [{ type: 0x83, first: 1, count: 8 }, { type: 0x05, first: 16, count: 99 }], 16);
      setMBR(disk, [{ type: 0xef, first: 2016, count: content.length / SECTOR }], 32);
      disk.set(content, 2048 * SECTOR);
      return disk;
    },
    places: [[446, 66], [16 * SECTOR + 446, 66], [32 * SECTOR + 446, 66]],
  },
  FAT12: { make: () => fat(FILES, 1440 * 1024), places: PLACES_OF_FAT },
  FAT32: {
    make: () => fat(FILES, 40 * MiB, "-F"),
    places: [[11, 60], [11, 60], [32 * SECTOR, 64], [32 * SECTOR, 64], [0, 2 * MiB]],
  },
  "El Torito": {
    make: () =>
      iso(
        { ...ISOLINUX, "boot/efi.img": fat(FILES, 1440 * 1024) },
        ...FOR_BIOS,
        "-eltorito-alt-boot",
        ...FOR_EFI,
      ),
    places: [[16 * 2048, 2048], [17 * 2048, 128], [17 * 2048 + 0x47, 4], [0, 120 * 1024]],
  },
};

/** An image in memory. */
function layerOf(bytes: Uint8Array, size: number): RawLayer {
  const readWhole = (at: number, into: Uint8Array) => {
    assert(at + into.length <= size);
    into.set(bytes.subarray(at, at + into.length));
  };
  return new RawLayer({ path: "image", size, readWhole } as unknown as ImageFile);
}

/** Damages a disk in one to four places. Returns what undoes it. */
function damage(disk: Uint8Array, { places, mend }: Kind, random: () => number): () => void {
  const kept: [at: number, bytes: Uint8Array][] = [];
  const keep = (at: number, length: number) => kept.unshift([at, disk.slice(at, at + length)]);
  for (let times = 1 + random() % 4; times > 0; times--) {
    const [start, length] = places[random() % places.length];
    const at = Math.min(start + random() % length, disk.length - 8);
    keep(at, 8);
    const how = random() % 5;
    if (how === 0) disk[at] = random();
    else if (how === 1) disk[at] ^= 1 << (random() % 8);
    else if (how === 2) disk.fill([0, 0xff][random() % 2], at, at + 1 + random() % 8);
    else if (how === 3) disk.copyWithin(at, start, start + 8);
    else new DataView(disk.buffer).setUint32(at, random() % 4096, true);
  }
  if (mend && random() % 4 !== 0) {
    keep(SECTOR, SECTOR);
    mend(disk);
  }
  return () => kept.forEach(([at, bytes]) => disk.set(bytes, at));
}

for (const [name, kind] of Object.entries(KINDS)) {
  Deno.test(`EFI: damaged images (${name}) are never read without end, and never fail`, () => {
    const random = randomNumbers(17);
    const disk = kind.make();
    const sound = disk.slice();
    const found = { boots: 0, maybe: 0, nothing: 0 };
    let slowest = 0;
    for (let i = 0; i < IMAGES; i++) {
      const undo = damage(disk, kind, random);
      const size = random() % 20 === 0 ? SECTOR * (1 + random() % (disk.length / SECTOR)) : disk.length;
      const reader = new DiskReader(layerOf(disk, size));
      const began = performance.now();
      found[findBoot(reader, i % 8 === 0 ? "aarch64" : "x86_64").kind]++;
      slowest = Math.max(slowest, performance.now() - began);
      assertLess(reader.bytesRead, 4.1 * MiB);
      undo();
    }
    assert(equalBytes(sound, disk), "what was damaged is whole again");
    assertLess(slowest, 2000);
    for (const kind of ["boots", "maybe", "nothing"] as const) assertGreater(found[kind], 0, kind);
  });
}
