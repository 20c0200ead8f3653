import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { guestOfThisFile } from "./guest_shell.ts";
import { eventually, Folder, guest, stateOf, Vzrun, vzrun } from "./vzrun.ts";

/** A folder of disk images, each beginning with its own name. */
class Disks extends Folder {
  readonly how = { cwd: this.path };

  constructor(...names: string[]) {
    super();
    for (const name of names) {
      const image = new Uint8Array(4096);
      image.set(new TextEncoder().encode(name));
      Deno.writeFileSync(this.file(name), image);
    }
  }

  /** The first bytes of an image, as text. */
  head(name: string, length: number): string {
    return new TextDecoder().decode(Deno.readFileSync(this.file(name)).subarray(0, length));
  }
}

/** The host's own mke2fs, run by the guest: busybox has none. */
const MKFS = "modprobe -q virtiofs; mount -t virtiofs host /mnt; mount -t devtmpfs dev /mnt/dev; " +
  "chroot /mnt /sbin/mke2fs -q -t ext4 /dev/vda; umount /mnt/dev; umount /mnt; mount -t ext4 /dev/vda /mnt";
const HOST = ["-share", "host", "/,ro"];

const disks = new Disks(..."abcdefghijn", "full", "written", "read");
Deno.test.afterAll(() => disks[Symbol.dispose]());

/** The guest that has them all: vda to vdk, an NVMe one, vdl, vdm, and a CD. */
const inGuest = guestOfThisFile(() => {
  Deno.truncateSync(disks.file("full"), 64e6);
  const iso = new Uint8Array(64 * 1024);
  iso.set(new TextEncoder().encode("CD001"), 16 * 2048 + 1);
  Deno.writeFileSync(disks.file("iso"), iso, { mode: 0o444 });
  const args = ["-d", "a", "-d", "b", "-c", "c", "-hdd", "d", "-drive", "file=e,serial=an id,cache=none"];
  args.push("-hda", "f", "-drive", "file=n,if=nvme,cache=unsafe", "-disk", "g");
  args.push("-drive", "file=h,cache=writethrough", "-d", "i", "-drive", "file=j,readonly=on");
  args.push("-d", "full", "-d", "written", "-c", "read", "-cd", "iso");
  // A limit on the size of files stands in for a disk that is full.
  const through = ["sh", "-c", 'trap "" XFSZ; ulimit -f 2048; exec "$@"', "sh"];
  return { args, how: { ...disks.how, through } };
});

Deno.test("disk: the guest finds them in the order in which they are given, and -c cannot be written", async () => {
  const commands =
    "for x in a b c d e f g h i j; do head -c 1 /dev/vd$x; done; head -c 1 /dev/nvme0n1; echo; " +
    "cat /sys/block/vde/serial; echo; " +
    "for x in vda vdc vdj nvme0n1; do printf X 2>/dev/null | dd of=/dev/$x 2>/dev/null && echo wrote $x; done; sync";
  assertEquals(await inGuest(commands), {
    status: 0,
    out: "abcdefghijn\r\nan id\r\nwrote vda\r\nwrote nvme0n1\r\n",
  });
  assertEquals(["a", "c", "j", "n"].map((name) => disks.head(name, 1)), ["X", "c", "j", "X"]);
});

Deno.test("disk: what a guest writes to a disk that size= has made is there at the next boot", async () => {
  using disks = new Disks();
  const args = ["-drive", "file=new,size=1G"];
  const noise = "head -c 3000000 /dev/urandom >/mnt/noise; sha256sum </mnt/noise; sync";
  const first = await vzrun([...guest(`${MKFS}; ${noise}`), ...HOST, ...args], disks.how);
  assertMatch(first.out, /^[0-9a-f]{64} {2}-\r\n$/);
  assertEquals([first.code, first.err], [0, ""]);
  const { size, blocks } = Deno.statSync(disks.file("new"));
  assertEquals(size, 2 ** 30);
  assertLess(blocks! * 512, 100e6);
  const second = guest("mount -t ext4 /dev/vda /mnt; sha256sum </mnt/noise");
  assertEquals(await vzrun([...second, ...args], disks.how), first);
});

Deno.test("disk: all that a guest has synced survives kill -9", async () => {
  using disks = new Disks();
  const args = ["-drive", "file=new,size=64M"];
  const writing = "i=0; while i=$((i+1)); do echo line$i >/mnt/$i; sync; echo synced $i; done";
  await using run = new Vzrun([...guest(`${MKFS}; ${writing}`), ...HOST, ...args], disks.how);
  await run.out.until("synced 40\r\n");
  const { qemu } = run;
  run.signal("SIGKILL");
  await run.end(5);
  await eventually("the end of QEMU", () => stateOf(qemu) === undefined, 5);
  const last = Number(/synced (\d+)\r\n(?:[^\n]*)$/.exec(run.out.text)![1]);
  assert(last >= 40);
  const reading = `i=0; while i=$((i+1)); [ $i -le ${last} ]; do ` +
    "read line </mnt/$i; [ x$line = xline$i ] || echo lost $i; done; echo looked at $((i-1))";
  const check = guest(`mount -t ext4 /dev/vda /mnt; ${reading}`);
  assertEquals(await vzrun([...check, ...args], disks.how), {
    code: 0,
    out: `looked at ${last}\r\n`,
    err: "",
  });
});

Deno.test("disk: one that another vzrun writes is refused by name; readers share one", async () => {
  assertEquals(await inGuest("head -c 4 /dev/vdl; head -c 4 /dev/vdm"), {
    status: 0,
    out: "writread",
  });
  for (const other of [["-d", "written"], ["-c", "written"], ["-d", "read"]]) {
    const { code, out, err } = await vzrun([...guest("echo up"), ...other], disks.how, 20);
    assertEquals([code, out], [2, ""], err);
    assertMatch(err, new RegExp(`^vzrun: [^\n]*\\b${other[1]}\\b[^\n]*\n$`));
  }
  const reader = await vzrun([...guest("head -c 4 /dev/vda"), "-c", "read"], disks.how);
  assertEquals(reader, { code: 0, out: "read", err: "" });
});

Deno.test("disk: a CD beside a kernel is only attached", async () => {
  assertEquals(await inGuest("echo up"), { status: 0, out: "up\r\n" });
});

Deno.test("disk: a full host's disk is told to nobody but the guest", async () => {
  const commands = "dd if=/dev/zero of=/dev/vdk bs=1M count=3 conv=fsync 2>/dev/null || echo full; echo up";
  assertEquals(await inGuest(commands), { status: 0, out: "full\r\nup\r\n" });
});
