/** What is said of disks that may not boot, compared with what the firmware then does. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { VZEFIVariableStore } from "../../src/vz/mod.ts";
import { fat, FOR_BIOS, gptDisk, iso, ISOLINUX, LAYOUTS, program, run } from "../images/efi_layouts.ts";
import { guestProgram, LOADER } from "./live_cd.ts";
import { Folder, SOONER, vzrun } from "./vzrun.ts";

const [OWN, OTHER] = Deno.build.arch === "aarch64"
  ? ["aarch64", "x86_64"] as const
  : ["x86_64", "aarch64"] as const;
const SMALL = ["-m", "256", "-smp", "1"];
const MiB = 1024 * 1024;

/** A disk whose system partition has the guest at a path. */
function guestDisk(path: string): Uint8Array {
  const guest = guestProgram(`console=hvc0 quiet ${SOONER} run="echo up"`);
  return gptDisk([{
    type: "system",
    content: fat({ [path]: guest }, Math.ceil(guest.length / MiB + 8) * MiB),
  }]);
}

/** A load option for a file on a disk's first partition. Source: the UEFI specification 2.10, 3.1.3 and 10.3.5. */
function loadOption(disk: Uint8Array, file: string): number[] {
  const ucs2 = (text: string) => Array.from(`${text}\0`).flatMap((char) => [char.charCodeAt(0), 0]);
  const entry = disk.subarray(1024, 1024 + 128);
  const sizeOf = (bytes: number[]) => [bytes.length + 4 & 0xff, bytes.length + 4 >> 8];
  const size = new DataView(entry.buffer, entry.byteOffset).getBigUint64(40, true) + 1n -
    new DataView(entry.buffer, entry.byteOffset).getBigUint64(32, true);
  const place = new Uint8Array(4 + 16);
  new DataView(place.buffer).setUint32(0, 1, true);
  place.set(entry.subarray(32, 40), 4);
  new DataView(place.buffer).setBigUint64(12, size, true);
  const partition = [...place, ...entry.subarray(16, 32), 2, 2]; // by GPT, with a GUID
  const path = ucs2(file);
  const nodes = [4, 1, ...sizeOf(partition), ...partition, 4, 4, ...sizeOf(path), ...path, 0x7f, 0xff, 4, 0];
  return [1, 0, 0, 0, nodes.length, 0, ...ucs2("of its own"), ...nodes];
}

/** Adds a boot entry, the first in the order, to a store as linux/ makes it. Source: EDK2's VariableFormat.h. */
function addBootEntry(path: string, option: number[]): void {
  const store = Deno.readFileSync(path);
  const view = new DataView(store.buffer);
  const GLOBAL = Uint8Array.fromHex("61dfe48bca93d211aa0d00e098032b8c");
  let at = 0x48 + 28;
  const aligned = (length: number) => length + 3 & ~3;
  for (
    ;
    view.getUint16(at, true) === 0x55aa;
    at += aligned(60 + view.getUint32(at + 36, true) + view.getUint32(at + 40, true))
  ) {
    const name = new TextDecoder("utf-16le").decode(
      store.subarray(at + 60, at + 60 + view.getUint32(at + 36, true)),
    );
    if (name === "BootOrder\0") store[at + 2] = 0x3c; // deleted: another one follows
  }
  const add = (name: string, value: number[]) => {
    const text = Array.from(`${name}\0`).flatMap((char) => [char.charCodeAt(0), 0]);
    const variable = new Uint8Array(aligned(60 + text.length + value.length)).fill(0xff);
    variable.fill(0, 0, 60);
    const header = new DataView(variable.buffer);
    header.setUint16(0, 0x55aa, true);
    header.setUint8(2, 0x3f);
    header.setUint32(4, 7, true);
    header.setUint32(36, text.length, true);
    header.setUint32(40, value.length, true);
    variable.set(GLOBAL, 44);
    variable.set([...text, ...value], 60);
    store.set(variable, at);
    at += variable.length;
  };
  add("Boot0042", option);
  add("BootOrder", [0x42, 0, 0xff, 0x7f]);
  Deno.writeFileSync(path, store);
}

Deno.test("efi: what is said to boot does, from a GPT in a qcow2 image", async () => {
  using folder = new Folder();
  const how = { cwd: folder.path };
  Deno.writeFileSync(folder.file("raw"), guestDisk(`EFI/BOOT/${LOADER}`));
  run("qemu-img", "convert", "-c", "-O", "qcow2", folder.file("raw"), folder.file("disk"));
  const args = ["-efi", "-drive", "file=disk,if=nvme,readonly=on", ...SMALL];
  const said = `vzrun: EFI boots \\EFI\\BOOT\\${LOADER} of disk 'disk'\n`;
  const dry = await vzrun(["-dry-run", ...args], how, 20);
  assertEquals([dry.code, dry.err, JSON.parse(dry.out).boot], [0, said, { kind: "efi" }]);
  assertEquals([...Deno.readDirSync(folder.path)].length, 2);
  assertEquals(await vzrun(args, how), { code: 0, out: "up\r\n", err: "" });
});

Deno.test("efi: a blank disk boots nothing by itself, and is no obstacle beside a CD that does", async () => {
  using folder = new Folder();
  const how = { cwd: folder.path };
  Deno.writeFileSync(folder.file("cd"), guestDisk(`EFI/BOOT/${LOADER}`));
  const disk = ["-drive", "file=new,size=1G"];
  const alone = await vzrun(["-efi", ...disk, ...SMALL], how, 20);
  const remedy = "(a CD to install from goes beside it)";
  assertEquals(alone, { code: 2, out: "", err: `vzrun: cannot boot disk 'new': it is new ${remedy}\n` });
  const both = await vzrun([...disk, "-hdb", "cd", "-efi", ...SMALL], how);
  assertEquals(both, { code: 0, out: "up\r\n", err: "" });
});

Deno.test("efi: what cannot boot is said in one line before anything starts, and nothing is left of it", async () => {
  using folder = new Folder();
  const how = { cwd: folder.path };
  Deno.writeFileSync(folder.file("blank"), new Uint8Array(MiB));
  Deno.writeFileSync(folder.file("foreign.iso"), LAYOUTS["Debian's CD, for BIOS too"](OTHER));
  Deno.writeFileSync(folder.file("bios.iso"), iso(ISOLINUX, ...FOR_BIOS));
  Deno.writeFileSync(folder.file("raw"), LAYOUTS["Ubuntu's cloud image, on FAT32"](OTHER));
  run("qemu-img", "convert", "-O", "qcow2", folder.file("raw"), folder.file("cloud.qcow2"));
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  const foreign = `it boots ${OTHER} computers, and this is an ${OWN} one: take the `;
  const mistakes: [args: string[], said: string][] = [
    [["-efi", "-hda", "blank"], "cannot boot disk 'blank': it is blank (a CD"],
    [["-cd", "foreign.iso"], `cannot boot CD 'foreign.iso': ${foreign}`],
    [["foreign.iso"], `cannot boot CD 'foreign.iso': ${foreign}`],
    [["-efi", "-drive", "file=foreign.iso,if=usb"], `cannot boot disk 'foreign.iso': ${foreign}`],
    [["-cd", "bios.iso", "-hda", "blank"], "there is nothing to boot: "],
    [["-efi", "-hda", "cloud.qcow2", "-pidfile", "pid"], `cannot boot disk 'cloud.qcow2': ${foreign}`],
    [["-efi-vars", "vars", "-hda", "cloud.qcow2"], `cannot boot disk 'cloud.qcow2': ${foreign}`],
  ];
  for (const [args, said] of mistakes) {
    for (const mode of [["-dry-run"], []]) {
      const { code, out, err } = await vzrun([...args, ...mode, ...SMALL], how, 20);
      assertEquals([code, out], [2, ""], err);
      assertMatch(err, /^vzrun: [^\n]+\n$/);
      assert(err.startsWith(`vzrun: ${said}`), err);
    }
  }
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name).sort(), names);
});

Deno.test("efi: a loader that only a boot entry of the variable store names is booted, and said to be unsure", async () => {
  using folder = new Folder();
  const how = { cwd: folder.path };
  const disk = guestDisk("guest.efi");
  Deno.writeFileSync(folder.file("disk"), disk);
  const args = ["-efi-vars", "vars", "-hda", "disk", ...SMALL];
  VZEFIVariableStore.create(folder.file("vars"));
  const without = await vzrun(args, how, 20);
  const why = "disk 'disk': it has a FAT file system for EFI, and no boot loader there";
  assertEquals(without.code, 2);
  addBootEntry(folder.file("vars"), loadOption(disk, "\\guest.efi"));
  const unsure = `vzrun: there may be nothing to boot but what a boot entry in 'vars' names: ${why}\n`;
  assertEquals(await vzrun(args, how), { code: 0, out: "up\r\n", err: unsure });
});

Deno.test("efi: a machine with a kernel has no need of a loader on its disk", async () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("disk"), fat({ "EFI/BOOT/BOOTIA32.EFI": program(0x14c) }));
  const { code, err } = await vzrun(
    ["-dry-run", "-kernel", `${Deno.cwd()}/build/guest/${Deno.build.arch}/vmlinuz`, "-hda", "disk"],
    { cwd: folder.path },
    20,
  );
  assertEquals([code, err], [0, ""]);
});
