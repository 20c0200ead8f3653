import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Description, MachineError, VirtualMachine } from "vzrun";
import { endOfCommand, LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { commandOf, ended } from "../objc/child.ts";
import { Folder, Output, ROOT, SOONER, within } from "./vzrun.ts";

const MiB = 2 ** 20;
const GUEST = `${ROOT}/build/guest/graphical`; // whose kernel knows USB

/** A guest whose console runs commands, in a machine of the library's. */
class Guest implements AsyncDisposable {
  readonly #output: Output;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #read = 0;

  private constructor(readonly machine: VirtualMachine) {
    this.#output = new Output(machine.console.readable);
    this.#writer = machine.console.writable.getWriter();
  }

  static async boot(some: Partial<Description> = {}): Promise<Guest> {
    const machine = await VirtualMachine.create({
      boot: {
        kind: "linux",
        kernel: `${GUEST}/vmlinuz`,
        initrd: `${GUEST}/initrd`,
        commandLine: `console=hvc0 quiet ${SOONER} run="${LOOP}"`,
      },
      memory: 256 * MiB,
      processors: 1,
      network: [],
      ...some,
    });
    const guest = new Guest(machine);
    await machine.start();
    await guest.#output.until("ready\r\n");
    guest.#read = guest.#output.text.length;
    // As udev does for a disk; and a disk is not waited for.
    await guest.tell("modprobe sd_mod; echo 0 >/sys/module/usb_storage/parameters/delay_use");
    return guest;
  }

  /** What commands write. */
  readonly tell = async (commands: string): Promise<string> => {
    await this.#writer.write(new TextEncoder().encode(`${commands}\n`));
    const end = endOfCommand(this.#read);
    await this.#output.until(end);
    const [all, out] = end.exec(this.#output.text)!;
    this.#read = all.length;
    return out.replaceAll("\r\n", "\n").trim();
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    await this.#output.ended;
  }
}

/** Waits until a disk is there: its node comes a moment before it can be opened. */
const THERE = "until dd if=/dev/sda of=/dev/null count=1 2>/dev/null; do usleep 10000; done";
/** Waits until it is not. */
const GONE = "while [ -b /dev/sda ]; do usleep 10000; done";

/** How many of this process's open files are of a path. */
function openFiles(path: string): number {
  const links = [...Deno.readDirSync("/proc/self/fd")].map(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`);
    } catch {
      return undefined; // that of the list itself
    }
  });
  return links.filter((link) => link === path).length;
}

function randomFile(path: string, size = MiB): string {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
  Deno.writeFileSync(path, bytes);
  return path;
}

async function sha256(path: string): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", Deno.readFileSync(path))).toHex();
}

/** Whether nobody has the file locked. */
function isFree(path: string): boolean {
  using file = Deno.openSync(path);
  return file.tryLockSync(true);
}

async function refused(promise: Promise<unknown>, field: string | undefined, words: RegExp): Promise<void> {
  const error = await assertRejects(() => promise, MachineError);
  assertMatch(error.message, words);
  assertEquals(error.field, field, error.message);
}

let booting: Promise<Guest> | undefined;
/** The one that the next tests share, which are run in this order. */
const guest = () => booting ??= Guest.boot({ usb: true });
Deno.test.afterAll(async () => {
  await (await booting)?.[Symbol.asyncDispose]();
});

Deno.test("plug: a disk comes and goes 20 times while it is read, and is right each time", async () => {
  using folder = new Folder();
  const stick = randomFile(folder.file("stick"), 4 * MiB);
  const sum = await sha256(stick);
  const { machine, tell } = await guest();
  for (let i = 0; i < 20; i++) {
    await using attached = await within("attaching", machine.attach({ file: stick }));
    assertEquals(machine.attached, [attached]);
    assertEquals(await tell(`${THERE}; sha256sum </dev/sda`), `${sum}  -`, `round ${i}`);
    // Reads past the cache until that fails, and then tells so.
    await tell(
      "(while dd if=/dev/sda of=/dev/null bs=64k iflag=direct 2>/dev/null; do :; done; echo >/tmp/failed) " +
        ">/dev/null 2>&1 & until grep -q [^0] /sys/block/sda/inflight; do :; done",
    );
    assert(!isFree(stick));
    await within("detaching", attached.detach());
    assert(isFree(stick), "it is still locked");
    assertEquals(await tell(`${GONE}; until [ -f /tmp/failed ]; do usleep 10000; done; rm /tmp/failed`), "");
  }
  assertEquals([await machine.state(), machine.attached], ["running", []]);
  assertEquals(openFiles(stick), 0);
});

Deno.test("plug: what the guest writes is in the file, unless the disk is read-only or a snapshot", async () => {
  using folder = new Folder();
  const file = randomFile(folder.file("stick"));
  const before = await sha256(file);
  const { machine, tell } = await guest();
  const write = `${THERE}; printf written | dd of=/dev/sda conv=fsync 2>/dev/null; echo $?`;
  const start = () => new TextDecoder().decode(Deno.readFileSync(file).subarray(0, 7));
  {
    await using _disk = await machine.attach({ file, readOnly: true });
    assertEquals(await tell(`${THERE}; cat /sys/block/sda/ro`), "1");
    assertEquals(await tell(write), "1");
  }
  await tell(GONE);
  {
    await using disk = await machine.attach({ file, snapshot: true });
    assertEquals(await tell(write), "0");
    assert(Deno.statSync(disk.disk.file).isFile && disk.disk.file !== file);
    assertEquals(
      await tell("dd if=/dev/sda bs=7 count=1 iflag=direct 2>/dev/null || head -c7 /dev/sda"),
      "written",
    );
  }
  await tell(GONE);
  assertEquals(await sha256(file), before);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["stick"]); // the clone is gone
  {
    await using _disk = await machine.attach({ file });
    assertEquals(await tell(write), "0");
  }
  await tell(GONE);
  assertEquals(start(), "written");
});

Deno.test("plug: a qcow2 image is read into a raw one, and a missing one with a size is made", async () => {
  using folder = new Folder();
  const raw = randomFile(folder.file("raw"));
  const [image, made] = [folder.file("image.qcow2"), folder.file("made")];
  const convert = new Deno.Command("qemu-img", { args: ["convert", "-O", "qcow2", raw, image] });
  assert((await convert.output()).success);
  const { machine, tell } = await guest();
  {
    await using disk = await machine.attach({ file: image });
    assertEquals(disk.disk.file, `${image}.raw`);
    assertEquals(disk.disk.source, { file: image, format: "qcow2" });
    assertEquals(await tell(`${THERE}; sha256sum </dev/sda`), `${await sha256(raw)}  -`);
  }
  await tell(GONE);
  {
    await using _disk = await machine.attach({ file: made, size: 2 * MiB });
    assertEquals(await tell(`${THERE}; cat /sys/block/sda/size`), "4096");
  }
  await tell(GONE);
  assertEquals(Deno.statSync(made).size, 2 * MiB);
});

Deno.test("plug: a disk that cannot be is refused, by its name, and nothing is left behind", async () => {
  using folder = new Folder();
  const [stick, missing] = [randomFile(folder.file("stick")), folder.file("missing")];
  const { machine } = await guest();
  const attach = (disk: Parameters<typeof machine.attach>[0]) => machine.attach(disk);
  await refused(attach({ file: missing }), "disk.file", /'.*missing': no such file/);
  await refused(attach({ file: stick, interface: "virtio" }), "disk.interface", /is on USB$/);
  await refused(attach({ file: stick, serial: "S" }), "disk.serial", /serial goes with interface: "virtio"/);
  await refused(attach({ file: stick, size: 3 * MiB }), "disk.size", /has 1 MiB, not 3 MiB/);
  await refused(attach({ file: stick, read: true } as never), "disk.read", /there is no such field/);
  await refused(attach({} as never), "disk.file", /it is missing/);
  {
    using _lock = Deno.openSync(stick, { write: true });
    _lock.lockSync(true);
    await refused(attach({ file: stick }), "disk.file", /'.*stick' is in use: another machine or program/);
  }
  const disk = await attach({ file: stick });
  await refused(attach({ file: stick }), "disk.file", /'.*stick' is given twice, as a disk and as a disk/);
  await disk.detach();
  await refused(disk.detach(), undefined, /'.*stick' was detached before/);
  const first = attach({ file: stick });
  await refused(attach({ file: stick }), "disk.file", /'.*stick' is given twice/); // both at once
  await (await first).detach();
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["stick"]);
});

Deno.test("plug: disks come and go while the machine is paused", async () => {
  using folder = new Folder();
  const stick = randomFile(folder.file("stick"));
  const { machine, tell } = await guest();
  await machine.pause();
  const disk = await machine.attach({ file: stick });
  await disk.detach();
  assert(isFree(stick), "it is still locked");
  const again = await machine.attach({ file: stick });
  await machine.resume();
  assertEquals(await tell(`${THERE}; sha256sum </dev/sda`), `${await sha256(stick)}  -`);
  await again.detach();
  await tell(GONE);
});

Deno.test("plug: the guest gives memory back when it is asked to, and gets it again", async () => {
  const { machine, tell } = await guest();
  const total = async () => Number(/\d+/.exec(await tell("grep MemTotal /proc/meminfo"))![0]);
  const before = await total();
  assertEquals(await machine.memoryTarget(), 256 * MiB);
  await machine.setMemoryTarget(160 * MiB);
  assertEquals(await machine.memoryTarget(), 160 * MiB);
  const less = before - 96 * 1024;
  await tell(`until [ $(awk '/MemTotal/ {print $2}' /proc/meminfo) -le ${less} ]; do usleep 10000; done`);
  assertEquals(await total(), less);
  await machine.setMemoryTarget(256 * MiB);
  await tell(`until [ $(awk '/MemTotal/ {print $2}' /proc/meminfo) -ge ${before} ]; do usleep 10000; done`);
  assertEquals(await total(), before);
  await refused(
    machine.setMemoryTarget(257 * MiB),
    "memory",
    /257 MiB is more memory than the machine has \(256 MiB\)/,
  );
  await refused(machine.setMemoryTarget(3 * MiB), "memory", /3 MiB is too little memory: .* at least 4 MiB/);
  await refused(
    machine.setMemoryTarget(128 * MiB + 1),
    "memory",
    /134217729 bytes is no whole number of MiB/,
  );
  await refused(machine.setMemoryTarget(NaN), "memory", /NaN bytes/);
  assertEquals(await machine.memoryTarget(), 256 * MiB);
});

Deno.test("plug: at its end a machine gives back the disks that came, and takes no more", async () => {
  using folder = new Folder();
  const file = randomFile(folder.file("stick"));
  await using guest = await Guest.boot({
    disks: [{ file: randomFile(folder.file("own")), interface: "usb" }],
  });
  const { machine } = guest;
  await refused(machine.attach({ file: folder.file("own") }), "disk.file", /'.*own' is given twice/);
  const disk = await machine.attach({ file, snapshot: true }); // a disk on USB is enough for a controller
  assert(Deno.statSync(disk.disk.file).isFile);
  await machine.stop();
  assertEquals(await machine.stopped, { kind: "stop" });
  await assertRejects(() => Deno.stat(disk.disk.file), Deno.errors.NotFound);
  await refused(disk.detach(), undefined, /the machine has ended/);
  await refused(machine.attach({ file }), undefined, /the machine has ended/);
  assertEquals([machine.attached, openFiles(file), isFree(file)], [[], 0, true]);
  await disk[Symbol.asyncDispose]();
});

/** The QEMUs of this process. */
function qemus(): number[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
  return pids.filter((pid) => {
    try {
      const [, name, parent] = /\((.*)\) \S (\d+)/s.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))!;
      return Number(parent) === Deno.pid && name.startsWith("qemu");
    } catch {
      return false; // it has ended
    }
  });
}

Deno.test("plug: a machine that fails gives back the disks that came, and those that were on their way", async () => {
  using folder = new Folder();
  const file = randomFile(folder.file("stick"));
  const boot = { kind: "linux", kernel: `${GUEST}/vmlinuz` } as const; // without an initrd it panics
  await using machine = await VirtualMachine.create({ boot, usb: true, memory: 256 * MiB, network: [] });
  const others = qemus();
  await machine.start();
  await machine.attach({ file, snapshot: true });
  const coming = machine.attach({ file, snapshot: true }).catch((error) => error);
  for (const pid of qemus()) if (!others.includes(pid)) Deno.kill(pid, "SIGKILL");
  assertEquals((await within("the end", machine.stopped)).kind, "error");
  const came = await within("its answer", coming);
  assert(came instanceof MachineError || "disk" in came);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["stick"]);
  assertEquals([machine.attached, openFiles(file), isFree(file)], [[], 0, true]);
});

Deno.test("plug: before macOS 15 no disk comes, and one that is there from the start does without", async () => {
  using folder = new Folder();
  const command = commandOf(
    "machine/programs/attach.ts",
    randomFile(folder.file("stick")),
    `${GUEST}/vmlinuz`,
  );
  const as = async (macOS: string) => (await ended(command, { VIRTUALIZATION_MACOS: macOS }));
  const [old, now] = await Promise.all([as("14.6"), as("15.0")]);
  const needs = "MachineError: usb: A USB disk that comes and goes needs macOS 15 (this is 14.6)";
  assertEquals([old.stderr, old.stdout], ["", `${needs}; the machine is running\n`]);
  assertEquals([now.stderr, now.stdout], ["", "attached; the machine is running\n"]);
});

Deno.test("plug: a machine that does not run, or has no USB controller, says so", async () => {
  using folder = new Folder();
  const file = randomFile(folder.file("stick"));
  const boot = { kind: "linux", kernel: `${GUEST}/vmlinuz` } as const; // without an initrd it panics
  await using machine = await VirtualMachine.create({ boot, memory: 256 * MiB, network: [] });
  await refused(
    machine.attach({ file }),
    undefined,
    /^the machine is stopped: disks come and go while it runs$/,
  );
  await refused(
    machine.setMemoryTarget(128 * MiB),
    "memory",
    /the machine is stopped: a guest gives memory back/,
  );
  await machine.start();
  await refused(
    machine.attach({ file }),
    "usb",
    /no USB controller for a disk \(a machine has one with usb: true\)$/,
  );
});
