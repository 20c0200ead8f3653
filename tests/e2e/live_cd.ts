/** A CD that boots the guest by EFI. */

import { unifiedKernel } from "./unified_kernel.ts";
import { type Folder, GUEST } from "./vzrun.ts";

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, env: { MTOOLS_SKIP_CHECK: "1" } })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** The name of the loader that the firmware here looks for. */
export const LOADER = Deno.build.arch === "aarch64" ? "BOOTAA64.EFI" : "BOOTX64.EFI";

/** The guest as a unified kernel image, which firmware starts. */
export function guestProgram(commandLine: string): Uint8Array {
  const uefi = Deno.build.arch === "aarch64" ? "aa64" : "x64";
  return unifiedKernel(Deno.readFileSync(`/usr/lib/systemd/boot/efi/linux${uefi}.efi.stub`), {
    ".cmdline": new TextEncoder().encode(commandLine),
    ".linux": Deno.readFileSync(`${GUEST}/vmlinuz`),
    ".initrd": Deno.readFileSync(`${GUEST}/initrd`),
  });
}

/** Makes a CD, and a disk as well, with an EFI system partition that holds the guest as a unified kernel image. */
export async function liveCD(folder: Folder, commandLine: string): Promise<string> {
  const image = guestProgram(commandLine);
  const [efi, esp, iso, root] = ["boot.efi", "esp", "livecd.iso", "root"].map((name) => folder.file(name));
  Deno.writeFileSync(efi, image);
  const sectors = Math.ceil(image.length / 512) + 8192;
  await run("mformat", "-C", "-i", esp, "-T", `${sectors}`, "-h", "16", "-s", "63", "::");
  await run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT");
  await run("mcopy", "-i", esp, efi, `::/EFI/BOOT/${LOADER}`);
  Deno.mkdirSync(root);
  Deno.writeTextFileSync(`${root}/word`, "xorriso writes no ISO without a file\n");
  const partition = ["-append_partition", "2", "0xef", esp, "-appended_part_as_gpt"];
  const bootable = ["-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];
  await run("xorriso", "-as", "mkisofs", "-o", iso, ...partition, ...bootable, root);
  return iso;
}
