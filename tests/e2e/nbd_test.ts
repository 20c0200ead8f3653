// Disks that servers have: a real guest reads and writes what qemu-nbd exports, also when that goes and comes back.

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MachineError, VirtualMachine } from "vzrun";
import { GuestShell } from "./guest_shell.ts";
import { SavedGuest, small } from "./saved_guest.ts";
import { Folder, guest, Output, vzrun, within } from "./vzrun.ts";

/** An image of random bytes, which servers export. */
class Image extends Folder {
  readonly image = this.file("image");
  readonly socket = this.file("a socket");

  constructor(megabytes = 4) {
    super();
    using file = Deno.openSync(this.image, { write: true, create: true });
    for (let i = 0; i < megabytes * 16; i++) file.writeSync(crypto.getRandomValues(new Uint8Array(65536)));
  }

  /** As the guest finds it there. */
  get url(): string {
    return `nbd+unix:///disk?socket=${encodeURIComponent(this.socket).replaceAll("%2F", "/")}`;
  }

  async sha256(): Promise<string> {
    const digest = await crypto.subtle.digest("SHA-256", Deno.readFileSync(this.image));
    return new Uint8Array(digest).toHex();
  }
}

/** A qemu-nbd, killed at the end of the block. */
class Server implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(args: string[]) {
    this.#process = new Deno.Command("qemu-nbd", {
      args: ["--persistent", "--format=raw", "--export-name=disk", ...args],
      stdout: "null",
      stderr: "piped",
    }).spawn();
  }

  /** One that listens at an image's socket. */
  static async at({ image, socket }: Image, ...more: string[]): Promise<Server> {
    await Deno.remove(socket).catch(() => {});
    return await Server.#listening(
      [`--socket=${socket}`, ...more, image],
      () => Deno.connect({ transport: "unix", path: socket }),
    );
  }

  /** One that listens at a port of the loopback's. */
  static async on(port: number, { image }: Image): Promise<Server> {
    return await Server.#listening(
      ["--bind=127.0.0.1", `--port=${port}`, image],
      () => Deno.connect({ port }),
    );
  }

  static async #listening(args: string[], connect: () => Promise<Deno.Conn>): Promise<Server> {
    const server = new Server(["--shared=4", ...args]);
    const listens = async () => {
      for (;;) {
        try {
          return (await connect()).close();
        } catch {
          await new Promise((done) => setTimeout(done, 20));
        }
      }
    };
    await within("a server that listens", listens(), 20);
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
    await new Output(this.#process.stderr).ended;
  }
}

/** A port that nobody has now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

const NOISE =
  "head -c 1000000 /dev/urandom >/tmp/noise; dd if=/tmp/noise of=/dev/vda bs=64k conv=fsync 2>/dev/null";

Deno.test("nbd: a guest reads and writes disks of servers at a socket and a port", async () => {
  using one = new Image();
  using other = new Image();
  const port = freePort();
  await using _one = await Server.at(one);
  await using _other = await Server.on(port, other);
  const before = await one.sha256();
  const args = ["-drive", `file=${one.url},serial=of a server`];
  args.push("-drive", `file=nbd://127.0.0.1:${port}/disk,if=nvme,cache=unsafe`);
  await using shell = await GuestShell.boot(args);
  const sums = "sha256sum </dev/vda; sha256sum </dev/nvme0n1; cat /sys/block/vda/serial";
  assertEquals(await shell.tell(sums), {
    status: 0,
    out: `${before}  -\r\n${await other.sha256()}  -\r\nof a server`,
  });
  const { status, out } = await shell.tell(
    `${NOISE}; sync; echo 3 >/proc/sys/vm/drop_caches; sha256sum </dev/vda`,
  );
  assertEquals([status, out], [0, `${await one.sha256()}  -\r\n`]);
  assert(await one.sha256() !== before);
  assertEquals(await shell.end(), { code: 0, err: "" });
});

Deno.test("nbd: what is only to be read is not written; a server that says so is to be believed", async () => {
  using image = new Image(1);
  await using _server = await Server.at(image, "--read-only");
  const write =
    "cat /sys/block/vda/ro; printf X | dd of=/dev/vda 2>/dev/null && echo wrote; sha256sum </dev/vda";
  const { code, out, err } = await vzrun([...guest(write), "-drive", `file=${image.url},readonly=on`]);
  assertEquals([code, out, err], [0, `1\r\n${await image.sha256()}  -\r\n`, ""]);
  const written = await vzrun([...guest(write), "-drive", `file=${image.url}`]);
  assertEquals([written.code, written.out], [2, ""]);
  assertMatch(written.err, /^vzrun: cannot use disk 'nbd[^\n]* only lets the disk be read[^\n]*\n$/);
});

Deno.test("nbd: a server that is killed and comes back is found again, and the guest's operations wait", async () => {
  using image = new Image(1);
  const first = await Server.at(image);
  await using shell = await GuestShell.boot(["-drive", `file=${image.url}`]);
  await shell.tell("dd if=/dev/vda of=/dev/null bs=4k count=1 2>/dev/null");
  await first[Symbol.asyncDispose]();
  const waiting = shell.tell(`${NOISE}; echo $?`);
  await using _second = await Server.at(image);
  assertEquals(await waiting, { status: 0, out: "0\r\n" });
  const { out } = await shell.tell("echo 3 >/proc/sys/vm/drop_caches; sha256sum </dev/vda");
  assertEquals(out, `${await image.sha256()}  -\r\n`);
  const { code, err } = await shell.end();
  assertEquals([code, err], [0, `vzrun: disk '${image.url}' is connected again\n`]);
});

Deno.test("nbd: a server that stays away gives the guest errors, which is said; then it may come back", async () => {
  using image = new Image(1);
  const first = await Server.at(image);
  await using shell = await GuestShell.boot(["-drive", `file=${image.url},timeout=1`]);
  await first[Symbol.asyncDispose]();
  const { status } = await shell.tell("dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null");
  assertEquals(status, 1);
  await shell.run.err.until(/has lost its server, and the guest gets errors: [^\n]*\n/);
  await using _second = await Server.at(image);
  const again =
    "until dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct 2>/dev/null; do sleep 0.1; done";
  assertEquals((await shell.tell(again)).status, 0);
  const { code, err } = await shell.end();
  assertEquals(code, 0);
  assertMatch(
    err,
    /^vzrun: disk '[^\n]*' has lost its server[^\n]*\nvzrun: disk '[^\n]*' is connected again\n$/,
  );
});

Deno.test("nbd: a server that is not there, or has no such disk, fails the start in a line that names it", async () => {
  using image = new Image(1);
  for (const url of [image.url, `nbd://127.0.0.1:${freePort()}/disk`]) {
    const { code, out, err } = await vzrun([...guest("echo up"), "-drive", `file=${url}`]);
    assertEquals([code, out], [2, ""]);
    assertMatch(err, /^vzrun: [^\n]*\n$/);
    assert(err.includes(url), err);
  }
  await using _server = await Server.at(image);
  const url = image.url.replace("///disk", "///other");
  const { code, err } = await vzrun([...guest("echo up"), "-drive", `file=${url}`]);
  assertEquals(code, 2);
  assertMatch(err, /^vzrun: [^\n]*other[^\n]*\n$/);
});

Deno.test("nbd: what is wrong with a server's disk is a line and exit code 2, before anything starts", async () => {
  using image = new Image(1);
  const wrong: [drive: string, words: RegExp][] = [
    ["file=nbd://", /expected nbd:\/\/HOST\[:PORT\]\/NAME or nbd\+unix/],
    ["file=nbd:///disk", /expected nbd:/],
    ["file=nbd://host:99999/disk", /expected nbd:/],
    ["file=nbd://host/disk?socket=/s", /expected nbd:/],
    ["file=nbd+unix:///disk", /expected nbd:/],
    ["file=nbd+unix://host/disk?socket=/s", /expected nbd:/],
    ["file=nbd+vsock://2/disk", /expected nbd:/],
    [`file=nbd+unix:///disk?socket=/${"s".repeat(110)}`, /at most 103 bytes/],
    ["file=nbds://host/disk", /TLS/],
    ["file=nbd:host:10809", /file=nbd:\/\/host:10809\/$/],
    ["file=nbd:unix:/s:exportname=disk", /file=nbd\+unix:\/\/\/disk\?socket=\/s$/],
    ["file=nbd://host/disk,format=qcow2", /format=qcow2.*qemu-nbd -f qcow2/],
    ["file=nbd://host/disk,size=1G", /size= only makes images/],
    ["file=nbd://host/disk,snapshot=on", /snapshot=on/],
    ["file=nbd://host/disk,timeout=0", /timeout=0/],
    ["file=nbd://host/disk,timeout=soon", /whole number/],
    ["file=nbd://host/disk,if=nvme,serial=x", /serial= goes with if=virtio/],
    [`file=${image.image},timeout=5`, /timeout= goes with a server's disk/],
  ];
  for (const [drive, words] of wrong) {
    const { code, out, err } = await vzrun([...guest("echo up"), "-drive", drive]);
    assertEquals([code, out], [2, ""], drive);
    assertMatch(err, /^vzrun: [^\n]*\n$/);
    assertMatch(err.trimEnd(), words);
  }
  const env = { VIRTUALIZATION_MACOS: "13.0" };
  const old = await vzrun([...guest("echo up"), "-drive", "file=nbd://host/disk"], { env });
  const tooOld = "vzrun: disk 'nbd://host/disk': a server's disk needs macOS 14 (this is 13.0)\n";
  assertEquals(old, { code: 2, out: "", err: tooOld });
  const twice = ["-drive", "file=nbd://host/disk", "-drive", "file=nbd://host/disk"];
  const { code, err } = await vzrun([...guest("echo up"), ...twice]);
  assertEquals(code, 2);
  assertMatch(err, /given twice/);
});

Deno.test("nbd: a machine with a server's disk is not saved, and none that was saved goes on with one", async () => {
  using image = new Image(1);
  await using _server = await Server.at(image);
  const disks = [{ file: image.url }];
  await using guest = await SavedGuest.boot(small(undefined, { disks }));
  await guest.out.until("ready\r\n");
  const saved = image.file("saved");
  await assertRejects(
    () => guest.save(saved),
    MachineError,
    "a machine with a server's disk cannot be saved",
  );
  assertEquals(await guest.machine.state(), "paused");
  await guest.machine.resume();
  assertEquals((await guest.tell("sha256sum </dev/vda")).trim(), `${await image.sha256()}  -`);
  await using other = await SavedGuest.boot(
    small(undefined, { disks: [{ file: image.file("disk"), size: 2 ** 20 }] }),
  );
  await other.out.until("ready\r\n");
  await other.save(saved);
  await assertRejects(() => VirtualMachine.restore(saved, { disks }), MachineError, "disks[0].file");
});

Deno.test("nbd: a machine whose server is away is ended at once all the same", async () => {
  using image = new Image(1);
  const server = await Server.at(image);
  await using shell = await GuestShell.boot(["-drive", `file=${image.url}`]);
  await server[Symbol.asyncDispose]();
  await shell.run.type("echo reading; dd if=/dev/vda of=/dev/null iflag=direct bs=4k count=1\n");
  await shell.run.out.until("reading\r\n");
  shell.run.signal("SIGTERM");
  await shell.run.err.until("SIGTERM");
  shell.run.signal("SIGTERM");
  await shell.run.end(10);
});

Deno.test("nbd: -dry-run has the URL as it was given, and asks no server", async () => {
  const args = ["-drive", "file=nbd://host/disk,timeout=20,readonly=on,serial=x", "-dry-run"];
  const { code, out, err } = await vzrun([...guest("echo up"), ...args]);
  assertEquals([code, err], [0, ""]);
  const spaced = await vzrun([...guest("echo up"), "-drive", "file=nbd://host/a name", "-dry-run"]);
  assertEquals([spaced.code, JSON.parse(spaced.out).disks[0].file], [0, "nbd://host/a name"]);
  assertEquals(JSON.parse(out).disks, [{
    file: "nbd://host/disk",
    interface: "virtio",
    readOnly: true,
    cache: "writeback",
    snapshot: false,
    serial: "x",
    timeout: 20,
  }]);
});
