import { assertEquals, assertGreater, assertMatch, assertStringIncludes } from "@std/assert";
import { liveCD } from "./live_cd.ts";
import { ENVIRONMENT, Folder, GUEST, ROOT, SOONER, within } from "./vzrun.ts";

/** A folder with all the files that other programs' documentation names, and a shell in it that knows vzrun. */
class Documented extends Folder {
  constructor() {
    super();
    Deno.symlinkSync(`${GUEST}/vmlinuz`, this.file("vmlinuz"));
    Deno.symlinkSync(`${GUEST}/vmlinuz`, this.file("Image"));
    Deno.symlinkSync(`${GUEST}/initrd`, this.file("initrd.gz"));
    for (const name of ["foo", "bar", "blah", "disk.img"]) {
      Deno.writeFileSync(this.file(name), new TextEncoder().encode(name.padEnd(4096)));
    }
    const qcow2 = ["create", "-q", "-f", "qcow2", this.file("disk.qcow2"), "1M"];
    new Deno.Command("qemu-img", { args: qcow2 }).outputSync();
    Deno.writeFileSync(
      this.file("cd.iso"),
      new TextEncoder().encode(" ".repeat(0x8001) + "CD001".padEnd(0x7fff)),
    );
    Deno.mkdirSync(this.file("src"));
    Deno.writeTextFileSync(this.file("src/word"), "from the host\n");
    Deno.mkdirSync(this.file("bin"));
    const program =
      `exec '${Deno.execPath()}' run -q -P --config '${ROOT}/deno.json' '${ROOT}/main.ts' "$@"\n`;
    Deno.writeTextFileSync(this.file("bin/vzrun"), `#!/bin/sh\n${program}`, { mode: 0o755 });
  }

  /** Runs a line as it stands in a shell whose home is this folder; it must not end in an error. */
  async shell(line: string): Promise<string> {
    const { code, out, err } = await this.tried(line);
    assertEquals([code, err.replace(/^vzrun: hvc\d+ is .*\n/, "")], [0, ""], line);
    return out;
  }

  async tried(line: string): Promise<{ code: number; out: string; err: string }> {
    const env = { ...ENVIRONMENT.env, HOME: this.path, PATH: `${this.file("bin")}:${Deno.env.get("PATH")}` };
    const command = new Deno.Command("sh", {
      args: ["-c", line],
      cwd: this.path,
      clearEnv: true,
      env,
      stdin: "null",
    });
    const { code, stdout, stderr } = await within(line, command.output(), 120);
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  }
}

/** The command lines of README's table, `…` standing for a kernel, its initial RAM disk and its command line. */
function linesOfReadme(): string[] {
  const kernel = `-kernel vmlinuz -initrd initrd.gz -m 256 -append 'console=hvc0 quiet ${SOONER}'`;
  const readme = Deno.readTextFileSync(`${ROOT}/README.md`);
  const table = /## Coming from another program([^]*?)\n## /.exec(readme)![1];
  return [...table.matchAll(/`(vzrun [^`]*)`/g)].map(([, line]) =>
    line.replaceAll("\\|", "|").replace("…", kernel)
  );
}

Deno.test("peers: each command line of README's table for those who come from another program boots a guest", async () => {
  using files = new Documented();
  await liveCD(files, `console=hvc0 quiet ${SOONER}`);
  const lines = linesOfReadme();
  assertGreater(lines.length, 12);
  for (const line of lines) {
    if (/en0/.test(line)) {
      // Here is no such interface, nor may everyone make a bridge: the interfaces are named.
      const { code, err } = await files.tried(line);
      assertEquals(code, 2, line);
      assertMatch(err, /^vzrun: no interface 'en0' to bridge to: there are [^\n]*\n$/);
      continue;
    }
    if (/-display/.test(line)) {
      const { code, err } = await files.tried(line);
      assertEquals([code, err], [2, "vzrun: -display window: there is no screen to open it on\n"], line);
      continue;
    }
    const out = await files.shell(line);
    if (/pty|-t 1|unix:/.test(line)) assertEquals(out, "", line);
    else assertStringIncludes(out, "Hello from the guest.", line);
  }
});

Deno.test("peers: smolvm's folder is mounted in the guest as its documentation says", async () => {
  using files = new Documented();
  const append =
    `console=hvc0 quiet ${SOONER} run="modprobe virtiofs; mount -t virtiofs src /mnt; cat /mnt/word"`;
  const line = `vzrun -kernel vmlinuz -initramfs initrd.gz -append '${append}' -share src ~/src`;
  assertEquals(await files.shell(line), "from the host\r\n");
});

Deno.test("peers: vftool's line boots from the first partition of its disk", async () => {
  using files = new Documented();
  Deno.mkdirSync(files.file("tree"));
  Deno.writeTextFileSync(files.file("tree/init"), "echo root is on a disk\n");
  const start = 2048;
  const args = ["-q", "-t", "ext4", "-d", files.file("tree"), "-E", `offset=${start * 512}`];
  const made = await new Deno.Command("/sbin/mke2fs", { args: [...args, files.file("disk.img"), "16M"] })
    .output();
  assertEquals(made.code, 0, new TextDecoder().decode(made.stderr));
  const table = new DataView(new ArrayBuffer(66)); // of an MBR: four partitions, and its mark
  table.setUint8(4, 0x83);
  table.setUint32(8, start, true);
  table.setUint32(12, 16 * 2048, true);
  table.setUint16(64, 0x55aa);
  using disk = Deno.openSync(files.file("disk.img"), { write: true });
  disk.seekSync(446, Deno.SeekMode.Start);
  disk.writeSync(new Uint8Array(table.buffer));
  // What an initial RAM disk does with root=, which Debian's kernel cannot mount without its modules.
  const run = "mount -o ro /dev/vda1 /mnt; sh /mnt/init; nproc";
  const append = `console=hvc0 root=/dev/vda1 quiet ${SOONER} run="${run}"`;
  const line = `vzrun -k Image -i initrd.gz -d disk.img -p 2 -m 4096 -a '${append}' -t 0`;
  assertEquals(await files.shell(line), "root is on a disk\r\n2\r\n");
});

Deno.test("peers: vftool's -d foo -d bar -c blah are vda, vdb and vdc", async () => {
  using files = new Documented();
  const run = `head -qc 4 /dev/vda /dev/vdb /dev/vdc; cat /sys/block/vd?/ro`;
  const line =
    `vzrun -k Image -i initrd.gz -a 'console=hvc0 quiet ${SOONER} run="${run}"' -d foo -d bar -c blah -t 0`;
  assertEquals(await files.shell(line), "foo bar blah0\r\n0\r\n1\r\n");
});
