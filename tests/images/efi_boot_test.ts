import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { decompress } from "../../src/images/decompress_cluster.ts";
import { DiskReader } from "../../src/images/disk_reader.ts";
import { findBoot, type Finding, type Processor } from "../../src/images/efi_boot.ts";
import { hasBootEntries } from "../../src/images/efi_variables.ts";
import { ImageFile } from "../../src/images/image_file.ts";
import { type Layer, RawLayer } from "../../src/images/layer.ts";
import { openQcow2 } from "../../src/images/open_qcow2.ts";
import {
  ext4,
  fat,
  FOR_BIOS,
  FOR_EFI,
  gptDisk,
  iso,
  ISOLINUX,
  LAYOUTS,
  mbrDisk,
  NAMES,
  program,
  run,
  setMBR,
  withCode,
} from "./efi_layouts.ts";

const folder = Deno.makeTempDirSync();
Deno.test.afterAll(() => Deno.removeSync(folder, { recursive: true }));

const MiB = 1024 * 1024;
const PROCESSORS = ["x86_64", "aarch64"] as const;
const INSTALLER = "/usr/lib/debian-installer/images";

/** What is found, and how many bytes were read for it. */
function look(layer: Layer, processor: Processor): { found: Finding; bytesRead: number } {
  using open = layer;
  const disk = new DiskReader(open, decompress);
  const found = findBoot(disk, processor);
  return { found, bytesRead: disk.bytesRead };
}

function fileOf(disk: Uint8Array): string {
  const path = `${folder}/disk`;
  Deno.writeFileSync(path, disk);
  return path;
}

function find(disk: Uint8Array, processor: Processor = "x86_64"): Finding {
  const { found, bytesRead } = look(new RawLayer(new ImageFile(fileOf(disk))), processor);
  assertLess(bytesRead, MiB);
  return found;
}

function why(disk: Uint8Array, processor?: Processor): string {
  const found = find(disk, processor);
  return found.kind === "boots" ? found.loader.path : `${found.kind}: ${found.why}`;
}

for (const [name, make] of Object.entries(LAYOUTS)) {
  Deno.test(`EFI: ${name} boots the computers that it is for, and others are told which`, () => {
    for (const its of PROCESSORS) {
      const disk = make(its);
      for (const processor of PROCESSORS) {
        const found = find(disk, processor);
        if (its === processor) {
          assertMatch(
            found.kind === "boots" ? found.loader.path : JSON.stringify(found),
            /^\\efi\\boot\\boot(x|aa)64\.efi$/i,
          );
        } else {
          assert(found.kind === "nothing");
          assertMatch(
            found.why,
            new RegExp(`^it boots ${its} computers, and this is an ${processor} one: take the `),
          );
        }
      }
    }
  });
}

Deno.test("EFI: a qcow2 image is looked at before it is converted, compressed or not", () => {
  const raw = fileOf(LAYOUTS["Debian's cloud image"]("aarch64"));
  for (const options of [["-c"], []]) {
    const image = `${folder}/qcow2`;
    run("qemu-img", "convert", ...options, "-O", "qcow2", raw, image);
    const { found, bytesRead } = look(openQcow2(image), "aarch64");
    assertEquals(found.kind, "boots");
    assertLess(bytesRead, MiB);
  }
});

Deno.test({
  name: "EFI: the loaders of Debian's own installers are told apart",
  ignore: (() => {
    try {
      return [...Deno.readDirSync(INSTALLER)].length === 0;
    } catch {
      return true;
    }
  })(),
  fn() {
    const [{ name: release }] = Deno.readDirSync(INSTALLER);
    const grub = (arch: string, suffix: string) =>
      Deno.readFileSync(`${INSTALLER}/${release}/${arch}/text/debian-installer/${arch}/grub${suffix}.efi`);
    const files = { x86_64: grub("amd64", "x64"), aarch64: grub("arm64", "aa64") };
    const cd = (its: Processor) =>
      iso({ "boot/efi.img": fat({ [`EFI/BOOT/${NAMES[its].BOOT}`]: files[its] }) }, ...FOR_EFI);
    assertEquals(why(cd("x86_64"), "x86_64"), "\\EFI\\BOOT\\BOOTX64.EFI");
    assertEquals(why(cd("aarch64"), "aarch64"), "\\EFI\\BOOT\\BOOTAA64.EFI");
    assertMatch(why(cd("x86_64"), "aarch64"), /^nothing: it boots x86_64 computers, .*: take the arm64 /);
    assertMatch(why(cd("aarch64"), "x86_64"), /^nothing: it boots aarch64 computers, .*: take the amd64 /);
  },
});

const X64 = program(NAMES.x86_64.machine);
const ESP = fat({ "EFI/BOOT/BOOTX64.EFI": X64 });

/** A disk that is broken by something that is written over it. */
function broken(disk: Uint8Array, ...at: number[]): Uint8Array {
  const copy = disk.slice();
  for (const offset of at) copy[offset] ^= 1;
  return copy;
}

const gpt = (content: Uint8Array) => gptDisk([{ type: "system", content }]);
const noise = () => {
  const bytes = new Uint8Array(MiB);
  for (let i = 0; i < bytes.length; i += 65_536) crypto.getRandomValues(bytes.subarray(i, i + 65_536));
  bytes[0] = bytes[510] = 0;
  return bytes;
};

/** A FAT12 whose folder `EFI` has no last entry, and a chain of clusters that bites its tail. */
function endless(): Uint8Array {
  const disk = fat({ "EFI/other/file": X64 }, 1440 * 1024);
  const view = new DataView(disk.buffer);
  const short = (at: number) => view.getUint16(at, true);
  const table = short(14) * 512;
  const root = table + disk[16] * short(22) * 512;
  const data = root + short(17) * 32;
  const clusterSize = disk[13] * 512;
  const cluster = short(root + 26 + (disk[root + 11] === 0x0f ? 32 : 0));
  disk.fill(0xe5, data + (cluster - 2) * clusterSize, data + (cluster - 1) * clusterSize); // deleted
  const at = table + cluster + (cluster >> 1);
  const pair = cluster % 2 === 0 ? short(at) & 0xf000 | cluster : short(at) & 0xf | cluster << 4;
  view.setUint16(at, pair, true);
  return disk;
}

const FINDINGS: [what: string, make: () => Uint8Array, found: RegExp][] = [
  ["a blank disk", () => new Uint8Array(MiB), /^nothing: it is blank$/],
  ["the smallest disk", () => new Uint8Array(512), /^nothing: it is blank$/],
  [
    "a Linux file system",
    () => ext4(),
    /^nothing: it has an ext2, ext3 or ext4 file system and no partitions/,
  ],
  [
    "partitions of Linux only",
    () => gptDisk([{ type: "linux", content: ext4() }]),
    /^nothing: it has no partition with/,
  ],
  ["an MBR with Linux only", () => mbrDisk(0x83, ext4()), /^nothing: it has no partition with/],
  [
    "an MBR with Linux and GRUB",
    () => withCode(mbrDisk(0x83, ext4(), true)),
    /^nothing: it boots by BIOS only/,
  ],
  [
    "a GPT with GRUB",
    () => gptDisk([{ type: "biosBoot", content: noise() }, { type: "linux", content: ext4() }]),
    /^nothing: it boots by BIOS only/,
  ],
  ["a CD for BIOS", () => iso(ISOLINUX, ...FOR_BIOS), /^nothing: it boots by BIOS only/],
  ["a CD with data", () => iso({}), /^nothing: it is an ISO image that boots nothing/],
  [
    "a CD whose loader firmware cannot read",
    () => iso({ "EFI/BOOT/BOOTX64.EFI": X64 }),
    /^nothing: it is an ISO image that/,
  ],
  [
    "an empty system partition",
    () => gpt(fat({})),
    /^nothing: it has a FAT file system for EFI, and no boot loader there/,
  ],
  [
    "a system partition never formatted",
    () => gpt(new Uint8Array(MiB)),
    /^nothing: it has no partition with a boot loader/,
  ],
  [
    "a data stick",
    () => fat({ "a/b": X64 }),
    /^nothing: it has a FAT file system for EFI, and no boot loader there/,
  ],
  [
    "an image of another kind",
    () => gpt(fat({ "EFI/BOOT/BOOTIA32.EFI": program(0x14c) })),
    /^nothing: it boots ia32 computers/,
  ],
  [
    "a loader for another under this one's name",
    () => gpt(fat({ "EFI/BOOT/BOOTX64.EFI": program(0xaa64) })),
    /^nothing: it boots aarch64/,
  ],
  [
    "two loaders",
    () => gpt(fat({ "EFI/BOOT/BOOTAA64.EFI": program(0xaa64), "EFI/BOOT/BOOTX64.EFI": X64 })),
    /^\\EFI\\BOOT\\BOOTX64.EFI$/,
  ],
  [
    "loaders that are found by boot entries",
    () => gpt(fat({ "EFI/debian/shimx64.efi": X64, "EFI/debian/grubx64.efi": X64 })),
    /^maybe: only a boot entry in a variable store finds its \\EFI\\debian\\shimx64\.efi and \\EFI\\debian\\grubx64\.efi$/,
  ],
  [
    "a unified kernel image",
    () => gpt(fat({ "EFI/Linux/a long name of it.efi": X64 })),
    /^maybe: only .* \\EFI\\Linux\\a long name of it\.efi$/,
  ],
  [
    "a loader that is no program",
    () => gpt(fat({ "EFI/BOOT/BOOTX64.EFI": new Uint8Array(4096) })),
    /^maybe: its \\EFI\\BOOT\\BOOTX64.EFI is no program/,
  ],
  ["noise, as an encrypted disk has it", noise, /^maybe: what it holds is not known here/],
  ["noise in the system partition", () => gpt(noise()), /^maybe: what it has for EFI has no FAT file system/],
  [
    "noise in a CD's image",
    () => iso({ "boot/efi.img": noise() }, ...FOR_EFI),
    /^maybe: what it has for EFI has no FAT/,
  ],
  ["a first GPT that is damaged", () => broken(gpt(ESP), 512 + 60), /^\\EFI\\BOOT\\BOOTX64.EFI$/],
  [
    "two damaged GPTs",
    () => broken(gpt(ESP), 512 + 60, gpt(ESP).length - 512 + 60),
    /^maybe: it is damaged: its GPT/,
  ],
  [
    "a GPT with sectors of 4096 bytes",
    () => gptDisk([{ type: "system", content: ESP }], 4096),
    /^maybe: its GPT is for sectors of 4096/,
  ],
  ["a GPT that is cut off", () => gpt(ESP).subarray(0, MiB), /^maybe: .*it ends too early/],
  ["a partition beyond the end", () => mbrDisk(0xef, ESP).subarray(0, MiB), /^maybe: .*it ends too early/],
  [
    "a folder without an end",
    endless,
    /^maybe: what it has for EFI: it is damaged: a (folder|chain of clusters) has no end/,
  ],
  ["extended partitions in a ring", () => {
    const disk = new Uint8Array(MiB);
    setMBR(disk, [{ type: 0x05, first: 8, count: 1024 }]);
    setMBR(disk, [{ type: 0x83, first: 8, count: 8 }, { type: 0x05, first: 16, count: 8 }], 8);
    setMBR(disk, [{ type: 0x83, first: 8, count: 8 }, { type: 0x05, first: 16, count: 8 }], 24);
    return disk;
  }, /^nothing: it has no partition with/],
];

for (const [what, make, found] of FINDINGS) {
  Deno.test(`EFI: ${what}: what is found is said, and what is not sure is not refused`, () => {
    assertMatch(why(make()), found);
  });
}

/** A store as EDK2 writes it, with one variable. */
function store(name: string, option: number[], state = 0x3f, header = 60): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4096).fill(0xff);
  bytes.set(new TextEncoder().encode("_FVH"), 0x28);
  const view = new DataView(bytes.buffer);
  const text = Array.from(`${name}\0`).flatMap((char) => [char.charCodeAt(0), 0]);
  view.setUint16(100, 0x55aa, true);
  view.setUint8(102, state);
  view.setUint32(100 + (header === 60 ? 36 : 8), text.length, true);
  bytes.set([...text, ...option], 100 + header);
  return bytes;
}

/** A load option with the nodes of a path. */
function option(...path: number[][]): number[] {
  return [1, 0, 0, 0, 99, 0, 0x41, 0, 0, 0, ...path.flat(), 0x7f, 0xff, 4, 0];
}

Deno.test("EFI: an installed system's boot entries are told from the firmware's own", () => {
  const [disk, file, ofFirmware] = [[4, 1, 6, 0, 1, 2], [4, 4, 6, 0, 0, 0], [4, 6, 4, 0]];
  assert(hasBootEntries(store("Boot0003", option(disk, file))));
  assert(hasBootEntries(store("Boot000A", option(file), 0x3f, 32)));
  assert(!hasBootEntries(store("Boot0003", option(disk))), "a device");
  assert(!hasBootEntries(store("Boot0003", option(ofFirmware))), "a part of the firmware");
  assert(!hasBootEntries(store("Boot0003", option(disk, file), 0x3c)), "one that was deleted");
  assert(!hasBootEntries(store("BootOrder", option(disk, file))), "another variable");
  assert(!hasBootEntries(store("Boot0003", [1, 0, 0, 0])), "one that is cut off");
  assert(!hasBootEntries(new Uint8Array()), "a file that is empty");
  assert(hasBootEntries(new Uint8Array(100)), "a store of another kind may have some");
});
