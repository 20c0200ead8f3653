// A folder of the host's as a disk: what the guest's own driver finds on it is what is in the folder.

import { randomBytes } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { GuestShell } from "./guest_shell.ts";
import { VirtualMachine } from "vzrun";
import { Folder, guest, Output, ROOT, SOONER, vzrun } from "./vzrun.ts";

/** What a shell says of all files below the current folder: digests, sizes and times to 2 s. */
const LIST = `find -L . -type f | LC_ALL=C sort | while read -r f; do md5sum "$f"; ` +
  `set -- $(stat -L -c '%s %Y' "$f"); echo $1 $(($2 / 2)); done`;

function makeTree(path: string): void {
  Deno.mkdirSync(`${path}/Sub folder/😀 ünï`, { recursive: true });
  Deno.writeTextFileSync(`${path}/README.TXT`, "one\n");
  Deno.writeTextFileSync(`${path}/a long name of a file.json`, "{}\n");
  Deno.writeTextFileSync(`${path}/Sub folder/lower.c`, "");
  Deno.writeFileSync(`${path}/Sub folder/😀 ünï/日本.bin`, randomBytes(3_000_001));
  for (let i = 0; i < 300; i++) Deno.writeTextFileSync(`${path}/Sub folder/many of them ${i}`, `${i}`);
  const past = new Date(Date.UTC(1999, 11, 31, 23, 59, 59));
  Deno.utimeSync(`${path}/README.TXT`, past, past);
  Deno.symlinkSync("README.TXT", `${path}/link`);
}

function transient(): string[] {
  const folder = Deno.makeTempDirSync().replace(/\/[^/]*$/, "");
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) =>
    /^vzrun-(fat|seed)-/.test(name)
  );
}

Deno.test("the kernel's driver reads every file of the folder, on virtio and NVMe, and cannot write", async () => {
  using folder = new Folder();
  const path = folder.file("tree");
  makeTree(path);
  Deno.writeTextFileSync(folder.file("user-data"), "#cloud-config\n");
  const shell = { args: ["-c", LIST], cwd: path };
  const wanted = new TextDecoder().decode((await new Deno.Command("/bin/sh", shell).output()).stdout);
  const files = ["-drive", `file=fat:MY_FILES:${path},serial=S1`];
  const others = ["-drive", `file=fat:ro:${path}/Sub folder/😀 ünï,if=nvme`];
  const seed = ["-cloud-init", folder.file("user-data"), "-name", "web 1", "-snapshot"];
  await using booted = await GuestShell.boot([...seed, ...files, ...others]); // the seed is the last in any case
  const tell = async (commands: string) => (await booted.tell(commands)).out.replaceAll("\r", "");
  await tell("modprobe -a vfat nls_cp437 nls_ascii nvme; until [ -e /dev/nvme0n1 ]; do usleep 20000; done");
  const mount = (device: string) =>
    `umount /mnt 2>/dev/null; mount -t vfat -o ro /dev/${device} /mnt; cd /mnt`;
  const found = await tell(`${mount("vda")}; ${LIST}`);
  assert(found === wanted, `${found.slice(0, 1000)}\n… and not\n${wanted.slice(0, 1000)}`);
  assertEquals(await tell("cat /sys/block/vda/ro /sys/block/vda/serial"), "1\nS1");
  assertMatch(await tell("mount -o rw,remount /mnt || echo never"), /never\n$/);
  assertEquals(await tell(`cd /; ${mount("nvme0n1")}; find . -type f`), "./日本.bin\n");
  assertMatch(
    await tell(`cd /; ${mount("vdb")}; ls -1; cat *`),
    /^meta-data\nuser-data\ninstance-id: vzrun-[0-9a-f]{20}\nlocal-hostname: "web-1"\n#cloud-config\n$/,
  );
  assertEquals(await booted.end(), { code: 0, err: "" });
  assertEquals(transient(), []);
});

Deno.test("the library has them too: a folder on USB, one that is attached later, and a text for cloud-init", async () => {
  using folder = new Folder();
  for (const name of ["first", "second"]) {
    Deno.mkdirSync(folder.file(name));
    Deno.writeTextFileSync(folder.file(`${name}/of the ${name} folder`), "");
  }
  const graphical = `${ROOT}/build/guest/graphical`; // whose kernel knows USB
  const look = (device: string) =>
    `until mount -t vfat -o ro /dev/${device} /mnt 2>/dev/null; do usleep 50000; done; ls -1 /mnt; umount /mnt`;
  const run = `modprobe -a sd_mod vfat nls_cp437 nls_ascii; ${look("vda")}; ${look("sda")}; ${look("sdb")}`;
  await using machine = await VirtualMachine.create({
    boot: {
      kind: "linux",
      kernel: `${graphical}/vmlinuz`,
      initrd: `${graphical}/initrd`,
      commandLine: `console=hvc0 quiet usb-storage.delay_use=0 ${SOONER} run="${run}"`,
    },
    memory: 256 * 2 ** 20,
    disks: [{ file: folder.file("first"), format: "fat", interface: "usb" }],
    cloudInit: { userData: { text: "#cloud-config\n" }, networkConfig: { text: "version: 2\n" } },
    network: [],
    usb: true,
  });
  assertEquals(machine.machine.disks.map(({ source, readOnly, label }) => ({ source, readOnly, label })), [
    { source: { file: folder.file("first"), format: "fat" }, readOnly: true, label: undefined },
    { source: undefined, readOnly: true, label: "cidata" },
  ]);
  const console = new Output(machine.console.readable);
  await machine.start();
  await console.until("of the first folder\r\n");
  const attached = await machine.attach({ file: folder.file("second"), format: "fat" });
  assertEquals(Deno.statSync(attached.disk.file).mode! & 0o777, 0o600);
  await console.ended;
  const names = ["meta-data", "network-config", "user-data", "of the first folder", "of the second folder"];
  assertEquals(console.text, names.map((name) => `${name}\r\n`).join(""));
  await machine.stopped;
  await assertRejects(() => Deno.stat(attached.disk.file), Deno.errors.NotFound);
});

Deno.test("what cannot be a disk is one line, and nothing is left behind", async () => {
  using folder = new Folder();
  const file = (name: string, text: string | Uint8Array) => {
    if (typeof text === "string") Deno.writeTextFileSync(folder.file(name), text);
    else Deno.writeFileSync(folder.file(name), text);
    return folder.file(name);
  };
  Deno.mkdirSync(folder.file("tree/sub"), { recursive: true });
  const tree = folder.file("tree");
  Deno.mkdirSync(folder.file("colon"));
  Deno.writeTextFileSync(folder.file("colon/a:b"), "");
  Deno.mkdirSync(folder.file("seed"));
  file("seed/meta-data", "instance-id: x\n");
  const data = file("user-data", "#cloud-config\n");
  const privateKey = file("id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n");
  let told = 0;
  const seed = (text: string | Uint8Array) => ["-cloud-init", file(`told${told++}`, text)];
  const cases: [args: string[], says: RegExp][] = [
    [["-drive", `file=fat:rw:${tree}`], /fat:rw: a folder as a disk is never written/],
    [["-drive", `file=fat:floppy:${tree}`], /fat:floppy: there are no floppies/],
    [["-drive", `file=fat:16:${tree}`], /fat:16: a folder becomes FAT32/],
    [["-drive", `file=fat:${tree},readonly=off`], /readonly=off is given/],
    [["-drive", `file=fat:${tree},size=1G`], /leave size= out/],
    [["-drive", `file=fat:${tree},format=qcow2`], /fat: is a folder, and no image/],
    [["-drive", `file=fat:${tree},media=cdrom`], /a folder becomes a disk, and no CD/],
    [["-drive", `file=fat:LABEL_OF_MANY:${tree}`], /at most 11 letters/],
    [["-drive", `file=fat:${tree},if=nvme,serial=x`], /serial= goes with if=virtio/],
    [["-hda", `fat:${data}`], /it is not a folder/],
    [["-hda", `fat:${folder.file("none")}`], /no such folder/],
    [["-hda", `fat:${folder.file("colon")}`], /colon\/a:b': no name on FAT has a ':'/],
    [["-cloud-init", folder.file("none")], /cannot open user-data '.*none': no such file/],
    [["-cloud-init", folder.file("seed")], /there is no user-data in this folder/],
    [["-cloud-init", folder.file("seed/meta-data")], /there is no user-data among these/],
    [["-cloud-init", `${data},${file("b-user-data", "#!/bin/sh\n")}`], /are both taken for user-data/],
    [["-cloud-init", data, "-ssh-key", privateKey], /ssh_authorized_keys/],
    [seed(""), /is empty/],
    [seed("users: [default]\n"), /first line is 'users: \[default\]'/],
    [seed("# cloud-config\nusers: []\n"), /'# cloud-config', not '#cloud-config'/],
    [seed("\ufeff#cloud-config\n"), /byte order mark/],
    [seed(new Uint8Array([0x23, 0x21, 0x0a, 0xff])), /not UTF-8/],
    [seed("Content-Type: text/cloud-config\n\n#cloud-config\n"), /MIME-Version: 1\.0/],
    [seed("#cloud-config\nusers:\n\t- default\n"), /line 3 is indented with a tab/],
    [seed("#cloud-config\na: [1, 2\nb: }\n"), /it is not YAML: .*line 3/],
    [seed("#cloud-config\n- a\n"), /no mapping/],
    [seed(new Uint8Array([0x1f, 0x8b, 8, 0])), /not sound gzip/],
    [
      ["-cloud-init", `${data},${file("network-config", "version: 2\n\tethernets: {}\n")}`],
      /network-config '.*': line 2/,
    ],
    [["-ssh-key", privateKey], /it is a private key, which stays where it is/],
    [["-ssh-key", file("putty", "PuTTY-User-Key-File-3: ssh-ed25519\n")], /private key/],
    [["-ssh-key", file("ssh2", "---- BEGIN SSH2 PUBLIC KEY ----\n")], /ssh-keygen -i/],
    [["-ssh-key", file("junk", "hello\n")], /line 1 is no public key/],
    [
      ["-ssh-key", file("wrong", "ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAABAQ me\n")],
      /line 1 is no public key/,
    ],
    [["-ssh-key", file("comment", "# none\n\n")], /no key in it/],
    [["-ssh-key", folder.file("none")], /cannot open key '.*none': no such file/],
  ];
  for (const [args, says] of cases) {
    const { code, out, err } = await vzrun([...guest("true"), ...args, "-dry-run"]);
    assertEquals({ code, out }, { code: 2, out: "" }, `${args}: ${err}`);
    assertMatch(err, says);
    assertEquals(err.trimEnd().split("\n").length, 1, err);
    assert(!err.includes("secret"));
  }
  assertEquals(transient(), []);
});

Deno.test("a dry run says what would be made, and makes nothing", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.file("tree"));
  Deno.writeTextFileSync(folder.file("user-data"), "#!/bin/sh\n");
  const args = ["-hda", `fat:L:${folder.file("tree")}`, "-cloud-init", folder.path, "-dry-run"];
  const { code, out, err } = await vzrun([...guest("true"), ...args], { env: { TMPDIR: "/nowhere" } });
  assertEquals({ code, err }, { code: 0, err: "" });
  const { disks: [{ file, format, label, readOnly }], cloudInit } = JSON.parse(out);
  assertEquals({ file, format, label, readOnly }, {
    file: folder.file("tree"),
    format: "fat",
    label: "L",
    readOnly: true,
  });
  assertEquals(cloudInit, { userData: { file: folder.file("user-data") } });
});

Deno.test("what is no file in a folder is left out, with a line", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.file("tree"));
  Deno.symlinkSync("nowhere", folder.file("tree/dangling"));
  const { code, err } = await vzrun([...guest("true"), "-hda", `fat:${folder.file("tree")}`, "-dry-run"]);
  assertEquals(code, 0);
  assertStringIncludes(err, `'${folder.file("tree/dangling")}' is no file, and not on the disk of folder '`);
});
