/** A cloud image as a distribution's: a qcow2 disk with GPT, an EFI system partition and a file system with cloud-init. */

import { planVolume } from "../../src/images/fat_volume.ts";
import { writeVolume } from "../../src/images/fat_writer.ts";
import { unifiedKernel } from "./unified_kernel.ts";
import { type Folder, GUEST, ROOT, SOONER } from "./vzrun.ts";

const MiB = 2 ** 20;

/** The root partition, which guest/cloud makes. */
const SYSTEM = `${ROOT}/build/guest/cloud/root`;

async function run(program: string, args: string[], input = ""): Promise<void> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "null", stderr: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stderr } = await child.output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

/** What the initial RAM disk does before the image's own first program. */
const START = [
  "modprobe -a vfat nls_cp437 nls_ascii",
  "ifconfig eth0 up",
  "udhcpc -i eth0 -q -n >/dev/null 2>&1",
  "mount /dev/vda2 /mnt",
  "exec chroot /mnt /sbin/init",
].join("; ");

/** Makes the image, with an EFI system partition that src/images has written. */
export async function makeCloudImage(folder: Folder, path: string): Promise<void> {
  const [uefi, boot] = Deno.build.arch === "aarch64" ? ["aa64", "BOOTAA64"] : ["x64", "BOOTX64"];
  const kernel = unifiedKernel(Deno.readFileSync(`/usr/lib/systemd/boot/efi/linux${uefi}.efi.stub`), {
    ".cmdline": new TextEncoder().encode(`console=hvc0 quiet ${SOONER} run="${START}"`),
    ".linux": Deno.readFileSync(`${GUEST}/vmlinuz`),
    ".initrd": Deno.readFileSync(`${GUEST}/initrd`),
  });
  const modified = new Date(0);
  const loader = { name: `${boot}.EFI`, modified, size: kernel.length, read: () => [kernel] };
  const folderOf = (name: string, ...entries: Parameters<typeof planVolume>[0]["entries"]) => ({
    name,
    modified,
    entries,
  });
  const plan = planVolume(folderOf("", folderOf("EFI", folderOf("BOOT", loader))), "ESP");
  const [esp, raw] = [folder.file("esp"), folder.file("raw")];
  using volume = Deno.openSync(esp, { write: true, createNew: true });
  await writeVolume(plan, volume);

  const sectors = (bytes: number) => Math.ceil(bytes / MiB) * MiB / 512;
  const [espSize, systemSize] = [plan.size, Deno.statSync(SYSTEM).size].map(sectors);
  const first = sectors(MiB);
  Deno.writeFileSync(raw, new Uint8Array());
  Deno.truncateSync(raw, (first + espSize + systemSize + first) * 512);
  const table = [
    "label: gpt",
    `start=${first}, size=${espSize}, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B`,
    `start=${first + espSize}, size=${systemSize}, type=L`,
  ];
  await run("/sbin/sfdisk", ["-q", raw], table.join("\n"));
  for (const [file, sector] of [[esp, first], [SYSTEM, first + espSize]] as const) {
    const place = [`bs=${MiB}`, `seek=${sector * 512 / MiB}`, "conv=notrunc,sparse"];
    await run("dd", [`if=${file}`, `of=${raw}`, ...place]);
  }
  await run("qemu-img", ["convert", "-O", "qcow2", raw, path]);
  Deno.removeSync(raw);
}
