/** Disks and CDs as distributions lay them out, made for either processor. */

import { crc32 } from "node:zlib";
import type { Processor } from "../../src/images/efi_boot.ts";

/** What distributions call a processor's files. */
export const NAMES = {
  x86_64: { machine: 0x8664, suffix: "x64", BOOT: "BOOTX64.EFI" },
  aarch64: { machine: 0xaa64, suffix: "aa64", BOOT: "BOOTAA64.EFI" },
} as const;

const MiB = 1024 * 1024;
const SECTOR = 512;
const encode = (text: string) => new TextEncoder().encode(text);

export function run(program: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args, env: { MTOOLS_SKIP_CHECK: "1" } })
    .outputSync();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** The head of a program for EFI, of a machine type. */
export function program(machine: number): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  bytes.set(encode("MZ"));
  view.setUint32(0x3c, 0x80, true);
  bytes.set(encode("PE"), 0x80);
  view.setUint16(0x84, machine, true);
  return bytes;
}

/**
 * A FAT file system with files, by their paths with slashes.
 *
 * @param options mformat's: `-F` for FAT32.
 */
export function fat(files: Record<string, Uint8Array>, size = 4 * MiB, ...options: string[]): Uint8Array {
  const folder = Deno.makeTempDirSync();
  try {
    const image = `${folder}/image`;
    const geometry = ["-T", `${size / SECTOR}`, "-h", "16", "-s", "63"];
    run("mformat", "-C", "-i", image, ...geometry, ...options, "::");
    const made = new Set<string>();
    Object.entries(files).forEach(([path, bytes], i) => {
      const folders = path.split("/").slice(0, -1);
      folders.forEach((_, i) => {
        const above = folders.slice(0, i + 1).join("/");
        if (!made.has(above)) run("mmd", "-i", image, `::/${above}`);
        made.add(above);
      });
      Deno.writeFileSync(`${folder}/${i}`, bytes);
      run("mcopy", "-i", image, `${folder}/${i}`, `::/${path}`);
    });
    return Deno.readFileSync(image);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** Types of partitions as they are in a GPT. */
export const TYPES = {
  system: "28732ac11ff8d211ba4b00a0c93ec93b",
  linux: "af3dc60f838472478e793d69d8477de4",
  biosBoot: "4861682149646f6e744e656564454649",
} as const;

export interface Part {
  type: keyof typeof TYPES;
  content: Uint8Array;
}

/** A disk with a GPT. Source: the UEFI specification 2.10, 5.3. */
export function gptDisk(parts: Part[], sector = SECTOR): Uint8Array {
  const size = parts.reduce((size, { content }) => size + content.length, 0) + 2 * MiB;
  const disk = new Uint8Array(size);
  const last = size / sector - 1;
  const entries = new Uint8Array(128 * 128);
  const view = new DataView(entries.buffer);
  let at = MiB;
  parts.forEach(({ type, content }, i) => {
    entries.set(Uint8Array.fromHex(TYPES[type]), i * 128);
    crypto.getRandomValues(entries.subarray(i * 128 + 16, i * 128 + 32));
    view.setBigUint64(i * 128 + 32, BigInt(at / sector), true);
    view.setBigUint64(i * 128 + 40, BigInt((at + content.length) / sector - 1), true);
    disk.set(content, at);
    at += content.length;
  });
  const table = entries.length / sector;
  const header = (own: number, other: number, entriesAt: number) => {
    const bytes = new Uint8Array(sector);
    const view = new DataView(bytes.buffer);
    bytes.set(encode("EFI PART"));
    view.setUint32(8, 0x10000, true);
    view.setUint32(12, 92, true);
    [own, other, 2 + table, last - table - 1].forEach((lba, i) =>
      view.setBigUint64(24 + 8 * i, BigInt(lba), true)
    );
    view.setBigUint64(72, BigInt(entriesAt), true);
    [128, 128, crc32(entries)].forEach((value, i) => view.setUint32(80 + 4 * i, value, true));
    view.setUint32(16, crc32(bytes.subarray(0, 92)), true);
    return bytes;
  };
  disk.set(header(1, last, 2), sector);
  disk.set(entries, 2 * sector);
  disk.set(entries, (last - table) * sector);
  disk.set(header(last, 1, last - table), last * sector);
  setMBR(disk, [{ type: 0xee, first: 1, count: size / SECTOR - 1 }]);
  return disk;
}

export interface MBREntry {
  type: number;
  first: number;
  count: number;
  active?: boolean;
}

/** Writes the table of an MBR, or of an extended partition, into a sector. */
export function setMBR(disk: Uint8Array, entries: MBREntry[], sector = 0): void {
  const view = new DataView(disk.buffer, disk.byteOffset + sector * SECTOR, SECTOR);
  entries.forEach(({ type, first, count, active }, i) => {
    const at = 446 + 16 * i;
    view.setUint8(at, active ? 0x80 : 0);
    view.setUint8(at + 4, type);
    view.setUint32(at + 8, first, true);
    view.setUint32(at + 12, count, true);
  });
  view.setUint16(510, 0x55aa);
}

/** A disk with one partition in an MBR. */
export function mbrDisk(type: number, content: Uint8Array, active = false): Uint8Array {
  const disk = new Uint8Array(MiB + content.length);
  setMBR(disk, [{ type, first: MiB / SECTOR, count: content.length / SECTOR, active }]);
  disk.set(content, MiB);
  return disk;
}

/** What a BIOS starts, as far as anybody here looks. */
export function withCode(disk: Uint8Array, text = "GRUB"): Uint8Array {
  disk.set(encode(`\xeb\x63${text}`), 100);
  return disk;
}

/** The head of an ext4 file system. */
export function ext4(size = MiB): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set([0x53, 0xef], 1080);
  return bytes;
}

/** An ISO image. Options are those of mkisofs(1); files are by their paths in it. */
export function iso(files: Record<string, Uint8Array>, ...options: string[]): Uint8Array {
  const folder = Deno.makeTempDirSync();
  try {
    const root = `${folder}/root`;
    for (const [path, bytes] of Object.entries({ "word": encode("word\n"), ...files })) {
      Deno.mkdirSync(`${root}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      Deno.writeFileSync(`${root}/${path}`, bytes);
    }
    run("xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", `${folder}/iso`, ...options, root);
    return Deno.readFileSync(`${folder}/iso`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** As Debian, Ubuntu and Alpine have it: isolinux for a BIOS, and an image with a loader for EFI. */
export const FOR_BIOS = ["-b", "isolinux.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"];
export const FOR_EFI = ["-e", "boot/efi.img", "-no-emul-boot"];
export const ISOLINUX = { "isolinux.bin": new Uint8Array(4096).fill(0x90) };

/** The loaders of an installed system: those that firmware looks for, and the distribution's own. */
function loaders(processor: Processor, own: string): Record<string, Uint8Array> {
  const { machine, suffix, BOOT } = NAMES[processor];
  const bytes = program(machine);
  return {
    [`EFI/BOOT/${BOOT}`]: bytes,
    [`EFI/BOOT/fb${suffix}.efi`]: bytes,
    [`EFI/${own}/shim${suffix}.efi`]: bytes,
    [`EFI/${own}/grub${suffix}.efi`]: bytes,
    [`EFI/${own}/grub.cfg`]: encode("configfile"),
  };
}

/** What the common distributions give to be downloaded, by name. */
export const LAYOUTS: Record<string, (processor: Processor) => Uint8Array> = {
  "Debian's cloud image": (processor) =>
    gptDisk([
      { type: "linux", content: ext4() },
      ...processor === "x86_64" ? [{ type: "biosBoot" as const, content: new Uint8Array(MiB).fill(1) }] : [],
      { type: "system", content: fat(loaders(processor, "debian"), 16 * MiB) },
    ]),
  "Ubuntu's cloud image, on FAT32": (processor) =>
    withCode(gptDisk([
      { type: "biosBoot", content: new Uint8Array(MiB).fill(1) },
      { type: "system", content: fat(loaders(processor, "ubuntu"), 40 * MiB, "-F") },
      { type: "linux", content: ext4() },
    ])),
  "Alpine's cloud image, with systemd-boot's long names": (processor) =>
    gptDisk([{
      type: "system",
      content: fat({
        [`EFI/systemd/systemd-boot${NAMES[processor].suffix}.efi`]: program(NAMES[processor].machine),
        [`EFI/Linux/alpine-linux-virt.efi`]: program(NAMES[processor].machine),
        [`EFI/boot/${NAMES[processor].BOOT.toLowerCase()}`]: program(NAMES[processor].machine),
      }),
    }]),
  "a board's image with an MBR": (processor) =>
    mbrDisk(0x0c, fat(loaders(processor, "board"), 40 * MiB, "-F")),
  "a logical partition": (processor) => {
    const content = fat(loaders(processor, "fedora"));
    const disk = new Uint8Array(2 * MiB + content.length);
    setMBR(disk, [
      { type: 0x83, first: 1024, count: 8 },
      { type: 0x05, first: 2048, count: 2048 + content.length / SECTOR },
    ]);
    setMBR(disk, [{ type: 0x83, first: 8, count: 8 }, { type: 0x05, first: 32, count: 4096 }], 2048);
    setMBR(disk, [{ type: 0xef, first: 64, count: content.length / SECTOR }], 2048 + 32);
    disk.set(content, (2048 + 32 + 64) * SECTOR);
    return disk;
  },
  "a stick without partitions": (processor) => fat(loaders(processor, "stick"), 8 * MiB),
  "Debian's CD, for BIOS too": (processor) =>
    iso(
      { ...ISOLINUX, "boot/efi.img": fat(loaders(processor, "debian")) },
      ...FOR_BIOS,
      "-eltorito-alt-boot",
      ...FOR_EFI,
    ),
  "Alpine's CD, for EFI alone, with a small FAT12": (processor) =>
    iso({
      "boot/efi.img": fat(
        { [`EFI/BOOT/${NAMES[processor].BOOT}`]: program(NAMES[processor].machine) },
        1440 * 1024,
      ),
    }, ...FOR_EFI),
  "Debian's CD that is a disk as well": (processor) =>
    withCode(iso(
      { ...ISOLINUX, "boot/efi.img": fat(loaders(processor, "debian")) },
      ...FOR_BIOS,
      "-eltorito-alt-boot",
      ...FOR_EFI,
      "-isohybrid-gpt-basdat",
    )),
  "Ubuntu's CD, with a partition behind it": (processor) => {
    const image = Deno.makeTempFileSync();
    try {
      Deno.writeFileSync(image, fat(loaders(processor, "ubuntu")));
      return iso(
        ISOLINUX,
        ...["-append_partition", "2", "0xef", image, "-appended_part_as_gpt"],
        ...FOR_BIOS,
        ...["-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"],
      );
    } finally {
      Deno.removeSync(image);
    }
  },
};
