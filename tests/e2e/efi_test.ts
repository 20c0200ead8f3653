// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";
import { eventually, Folder, GUEST, stateOf, Vzrun } from "./vzrun.ts";
import { unifiedKernel } from "./unified_kernel.ts";

const VARIABLE = "/sys/firmware/efi/efivars/Vzrun-5c29b6f0-3f25-4a4b-9a3b-6f1f6f0d9c11";

/** What the guest does: says the variable that it finds, or makes it when there is none. */
const COMMANDS = "modprobe -q efivarfs; mount -t efivarfs efivarfs /sys/firmware/efi/efivars; " +
  `if [ -e ${VARIABLE} ]; then echo kept $(tail -c 5 ${VARIABLE}); ` +
  `else printf '\\007\\000\\000\\000hello' >${VARIABLE} && echo made; fi; read again; [ x$again = x ] || reboot -f`;

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, env: { MTOOLS_SKIP_CHECK: "1" } })
    .output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A CD, and a disk as well, with an EFI system partition that holds the guest as a unified kernel image. */
async function makeISO(folder: Folder): Promise<string> {
  const [uefi, boot] = Deno.build.arch === "aarch64" ? ["aa64", "BOOTAA64"] : ["x64", "BOOTX64"];
  const image = unifiedKernel(Deno.readFileSync(`/usr/lib/systemd/boot/efi/linux${uefi}.efi.stub`), {
    ".cmdline": new TextEncoder().encode(`console=hvc0 quiet run="${COMMANDS}"`),
    ".linux": Deno.readFileSync(`${GUEST}/vmlinuz`),
    ".initrd": Deno.readFileSync(`${GUEST}/initrd`),
  });
  Deno.writeFileSync(folder.file("boot.efi"), image);
  const [esp, iso] = [folder.file("esp"), folder.file("iso")];
  const sectors = Math.ceil(image.length / 512) + 8192;
  await run("mformat", "-C", "-i", esp, "-T", `${sectors}`, "-h", "16", "-s", "63", "::");
  await run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT");
  await run("mcopy", "-i", esp, folder.file("boot.efi"), `::/EFI/BOOT/${boot}.EFI`);
  Deno.mkdirSync(folder.file("root"));
  Deno.writeTextFileSync(folder.file("root/word"), "xorriso writes no ISO without a file\n");
  const partition = ["-append_partition", "2", "0xef", esp, "-appended_part_as_gpt"];
  const bootable = ["-e", "--interval:appended_partition_2:all::", "-no-emul-boot"];
  await run("xorriso", "-as", "mkisofs", "-o", iso, ...partition, ...bootable, folder.file("root"));
  return iso;
}

Deno.test("efi: a unified kernel image boots from a CD and from a disk, and variables are kept with -efi-vars", async () => {
  using folder = new Folder();
  const iso = await makeISO(folder);
  const machine = ["-m", "256", "-smp", "1"];
  const TMPDIR = folder.file("tmp");
  Deno.mkdirSync(TMPDIR);
  const how = { cwd: folder.path, env: { TMPDIR }, typing: true };
  const boot = async (...args: string[]) => {
    await using run = new Vzrun([...args, ...machine], how);
    await run.out.until(/made|kept/);
    await run.type("\n");
    return { code: await run.end(), out: run.out.text, err: run.err.text };
  };
  const said = (word: string) => ({ code: 0, out: `${word}\r\n\r\n`, err: "" });

  assertEquals(await boot("-cd", iso, "-efi-vars", "vars"), said("made"));
  assertEquals(await boot("-efi-vars", "vars", "-hda", iso), said("kept hello"));
  assertEquals(await boot("-efi", "-c", iso), said("made"));
  assertEquals([...Deno.readDirSync(TMPDIR)], []);

  // A variable that goes with the machine is there as long as it is; what a killed run leaves the next one removes.
  await using killed = new Vzrun(["-cdrom", iso, ...machine], how);
  await killed.out.until("made\r\n");
  await killed.type("again\n");
  await killed.out.until("kept hello\r\n");
  const { qemu } = killed;
  killed.signal("SIGKILL");
  await killed.end(5);
  await eventually("the end of QEMU", () => stateOf(qemu) === undefined, 5);
  assertEquals(await boot("-efi", "-hda", iso), said("made"));
  assertEquals([...Deno.readDirSync(TMPDIR)], []);
});

Deno.test("efi: a disk that holds nothing to boot can be ended", async () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("disk"), new Uint8Array(1e6 - 1e6 % 512));
  await using run = new Vzrun(["-efi", "-hda", folder.file("disk"), "-m", "256", "-smp", "1", "-verbose"]);
  await run.err.until("the machine is running");
  run.signal("SIGTERM");
  await run.err.until("asked the guest to power off");
  run.signal("SIGTERM");
  assertEquals(await run.end(5), 143);
});
