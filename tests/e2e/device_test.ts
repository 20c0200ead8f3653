// Devices of the host's as disks, where root can make one: a loop device. And guests of guests.

import { assertEquals, assertMatch } from "@std/assert";
import { GuestShell } from "./guest_shell.ts";
import { Folder, guest, vzrun } from "./vzrun.ts";

async function losetup(...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("losetup", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** A loop device of an image, gone at the end of the block. */
class Loop extends Folder implements AsyncDisposable {
  readonly image = this.file("image");
  device = "";

  static async make(bytes: Uint8Array): Promise<Loop | undefined> {
    const loop = new Loop();
    Deno.writeFileSync(loop.image, bytes);
    const device = await losetup("--find", "--show", loop.image);
    if (device !== undefined) loop.device = device;
    else loop[Symbol.dispose]();
    return device === undefined ? undefined : loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await losetup("--detach", this.device);
    this[Symbol.dispose]();
  }
}

const words = (text: string) => {
  const bytes = new Uint8Array(2 ** 20);
  bytes.set(new TextEncoder().encode(text));
  return bytes;
};

const probe = await Loop.make(words("probe"));
await probe?.[Symbol.asyncDispose]();
const canLoop = probe !== undefined;
if (!canLoop) {
  console.warn("no loop device can be made here, so devices as disks are not tested: that needs root");
}

Deno.test({
  name: "device: a guest reads and writes a device of the host's, and its size is the device's",
  ignore: !canLoop,
  async fn() {
    await using loop = (await Loop.make(words("written on a device")))!;
    await using reading = (await Loop.make(words("only to be read")))!;
    const args = [
      "-drive",
      `file=${loop.device},serial=loop`,
      "-drive",
      `file=${reading.device},readonly=on`,
    ];
    await using shell = await GuestShell.boot(args);
    const look = "head -c 10 /dev/vda; head -c 7 /dev/vdb; cat /sys/block/vda/size /sys/block/vdb/ro";
    assertEquals(await shell.tell(look), { status: 0, out: "written ononly to2048\r\n1\r\n" });
    const write =
      "printf X | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null; printf X | dd of=/dev/vdb 2>/dev/null";
    assertEquals((await shell.tell(write)).status, 1);
    const other = await vzrun([...guest("echo up"), "-d", loop.device], {}, 20);
    assertEquals([other.code, other.out], [2, ""]);
    assertMatch(other.err, new RegExp(`^vzrun: disk '${loop.device}' is in use[^\\n]*\\n$`));
    assertEquals(await shell.end(), { code: 0, err: "" });
    const head = (path: string) => new TextDecoder().decode(Deno.readFileSync(path).subarray(0, 7));
    assertEquals([head(loop.device), head(reading.device)], ["Xritten", "only to"]);
  },
});

Deno.test({
  name: "device: what cannot be of a device is refused by name, before anything starts",
  ignore: !canLoop,
  async fn() {
    await using loop = (await Loop.make(words("QFI\xfb")))!;
    const { device } = loop;
    const wrong: [args: string[], words: RegExp][] = [
      [["-drive", `file=${device},snapshot=on`], /snapshot=on: disk '.*' is no image that could be cloned/],
      [["-snapshot", "-d", device], /snapshot=on/],
      [["-drive", `file=${device},format=qcow2`], /format=qcow2: disk '.*' is used as it is/],
      [["-drive", `file=${device},size=1G`], /size= only makes images/],
      [["-d", device, "-d", device], /given twice/],
      [["-d", "/dev/null"], /it is not a regular file/],
    ];
    for (const [args, words] of wrong) {
      const { code, out, err } = await vzrun([...guest("echo up"), ...args]);
      assertEquals([code, out], [2, ""], args.join(" "));
      assertMatch(err, /^vzrun: [^\n]*\n$/);
      assertMatch(err, words);
    }
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
    const dry = await vzrun([...guest("echo up"), "-d", device, "-dry-run"], { through: nobody });
    if (dry.err.includes(device)) assertMatch(dry.err, /permission denied \(devices are root's: sudo/);
  },
});

Deno.test("nested: the guest can have guests where the computer lets it, and only when it is asked for", async () => {
  const look = "grep -c -E ' (svm|vmx) ' /proc/cpuinfo; true";
  for (const [args, out] of [[[], "0\r\n"], [["-machine", "virtualization=on"], "1\r\n"]] as const) {
    assertEquals((await vzrun([...guest(look), ...args])).out, out);
  }
  const env = { VIRTUALIZATION_HARDWARE: "no-nesting" };
  const args = [...guest("echo up"), "-machine", "virtualization=on"];
  for (const [how, why] of [[env, "an M3"], [{ VIRTUALIZATION_MACOS: "14.0" }, "needs macOS 15"]] as const) {
    const { code, out, err } = await vzrun(args, { env: how });
    assertEquals([code, out], [2, ""]);
    assertMatch(err, /^vzrun: -machine virtualization=on: [^\n]*\n$/);
    assertMatch(err, new RegExp(why));
  }
  const dry = await vzrun([...guest("echo up"), "-machine", "virtualization=on", "-dry-run"]);
  assertEquals(JSON.parse(dry.out).nested, true);
});
