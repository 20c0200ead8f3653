// What a Mac does that linux/ does by itself only when it is told to: MAC.md's rows, by their numbers.

import { assertEquals, assertMatch } from "@std/assert";
import { DEAF, listening, listeningInWindow, telling } from "./booted.ts";
import { meanwhile } from "./meanwhile.ts";
import { Screen } from "./screen.ts";
import { Folder, GUEST, guest, Vzrun, vzrun } from "./vzrun.ts";

const WAITING = "echo up; sleep 1000";

for (const macOS of ["11.0", "12.0", "13.0", "14.0", "15.0", "26.0", "27.0"]) {
  // Row 20: macOS 11 has neither canStop nor stopWithCompletionHandler:.
  Deno.test(`mac: as macOS ${macOS} a guest boots, is asked to power off, and is ended when it does not listen`, async () => {
    const env = { VIRTUALIZATION_MACOS: macOS };
    await using asked = new Vzrun(guest(WAITING), { env });
    const canRestore = Number(macOS) >= 14;
    const args = canRestore ? await listening() : guest(WAITING, "powerbutton=ignore");
    await using deaf = new Vzrun(args, { env, typing: canRestore });
    if (canRestore) await deaf.type(`${DEAF}echo up\n`);
    await Promise.all([asked, deaf].map((run) => run.out.until("up\r\n")));
    asked.signal("SIGTERM");
    assertEquals(await asked.end(20), 143);
    // Of a kernel that an Intel Mac of that time would hang with, that is said first.
    const said = asked.err.text.replace(/^vzrun: this kernel is .*\n/, "");
    assertEquals(said, "vzrun: SIGTERM: asked the guest to power off\n");
    deaf.signal("SIGINT");
    await deaf.err.until("asked the guest to power off");
    deaf.signal("SIGINT");
    assertEquals(await deaf.end(5), 130);
    assertMatch(deaf.err.text, /\nvzrun: SIGINT again: ended the machine\n$/);
  });
}

// Row 24.
Deno.test("mac: hardware that cannot virtualize is told with what that means", async () => {
  const { code, out, err } = await vzrun(guest("true"), { env: { VIRTUALIZATION_HARDWARE: "none" } });
  assertEquals([code, out], [1, ""]);
  assertMatch(
    err,
    /^vzrun: [^\n]*Virtualization is not available on this hardware\.[^\n]*a virtual machine[^\n]*\n$/,
  );
});

// Rows 9 and 11.
Deno.test("mac: a kernel that goes before the start fails the machine, with the innermost reason", async () => {
  using folder = new Folder();
  for (const name of ["vmlinuz", "initrd"]) Deno.copyFileSync(`${GUEST}/${name}`, folder.file(name));
  const args = ["-kernel", "vmlinuz", "-initrd", "initrd", "-serial", "pty,wait", "-m", "256", "-nographic"];
  await using run = new Vzrun(args, { cwd: folder.path });
  await run.err.until("hvc0 is at ");
  const device = /hvc0 is at (\S+)\n/.exec(run.err.text)![1];
  Deno.removeSync(folder.file("vmlinuz"));
  using _ = Deno.openSync(device, { read: true, write: true });
  assertEquals(await run.end(10), 1);
  assertMatch(
    run.err.text,
    /\nvzrun: [^\n]*The boot loader is invalid[^\n]*No such file or directory[^\n]*\n$/,
  );
});

// Row 13.
Deno.test("mac: an ASIF image is refused by name before macOS 26, and then is the framework's to open", async () => {
  using folder = new Folder();
  const disk = folder.file("disk.asif");
  Deno.writeTextFileSync(disk, "shdw".padEnd(1000, "\0")); // its size is not the disk's
  const as = (macOS: string, drive = `file=${disk}`) =>
    vzrun([...guest("true"), "-drive", drive, "-dry-run"], { env: { VIRTUALIZATION_MACOS: macOS } });
  const old = await as("15.6");
  assertEquals(
    [old.code, old.err],
    [2, `vzrun: disk '${disk}': an ASIF image needs macOS 26 (this is 15.6)\n`],
  );
  const now = await as("26.0");
  assertEquals(now.code, 2);
  assertMatch(
    now.err,
    /cannot use disk '\S+disk\.asif': The disk image “\S+” is an ASIF image, which QEMU cannot read/,
  );
  Deno.writeFileSync(folder.file("raw"), new Uint8Array(512));
  const raw = await as("26.0", `file=${folder.file("raw")},format=asif`);
  assertEquals(raw.code, 2);
  assertMatch(raw.err, /cannot use disk '\S+': it is not an ASIF image/);
});

Deno.test("mac: a USB controller of the machine's own needs macOS 15, and a disk on USB does without", async () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("stick"), new Uint8Array(4096));
  const as = (macOS: string, ...args: string[]) =>
    vzrun([...guest("true"), ...args], { cwd: folder.path, env: { VIRTUALIZATION_MACOS: macOS } });
  const [old, disk, now] = await Promise.all([
    as("14.6", "-device", "qemu-xhci"),
    as("14.6", "-drive", "file=stick,if=usb,readonly=on"),
    as("15.0", "-device", "qemu-xhci", "-drive", "file=stick,if=usb,readonly=on"),
  ]);
  assertEquals([old.code, old.err], [2, "vzrun: -device qemu-xhci needs macOS 15 (this is 14.6)\n"]);
  for (const { code, err } of [disk, now]) {
    assertEquals([code, err.replace(/^vzrun: this kernel is .*\n/, "")], [0, ""]);
  }
});

// Row 23.
Deno.test({
  name: "mac: a kernel that hangs on an Intel Mac with an old macOS is told",
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    using folder = new Folder();
    const kernel = Deno.readFileSync(`${GUEST}/vmlinuz`);
    const version = 0x200 + new DataView(kernel.buffer).getUint16(0x20e, true);
    kernel.set(new TextEncoder().encode("6.12.9-test\0"), version);
    Deno.writeFileSync(folder.file("vmlinuz"), kernel);
    const as = async (macOS: string, append: string) => {
      const args = ["-kernel", folder.file("vmlinuz"), "-append", append, "-dry-run"];
      const { code, err } = await vzrun(args, { env: { VIRTUALIZATION_MACOS: macOS } });
      assertEquals(code, 0, err);
      return err;
    };
    const says = (first: string, macOS: string, current: string, help = "") =>
      `vzrun: this kernel is 6.12, and on Intel ${first} and later may hang before macOS ${macOS} (this is ${current})${help}\n`;
    const help = "; `nopku` on its command line may help";
    assertEquals(await as("15.4", "console=hvc0"), says("6.12", "15.5", "15.4", help));
    assertEquals(await as("15.4", "console=hvc0 nopku"), "");
    assertEquals(await as("13.4", "console=hvc0 nopku"), says("6.2", "13.5", "13.4"));
    assertEquals(await as("15.5", "console=hvc0"), "");
  },
});

// Row 14.
Deno.test("mac: a bridge that the program may not have is told with what to do, and is the command line's fault", async () => {
  // A network of its own, with a bridge in it.
  const script = 'mount -t sysfs none /sys && ip link add vzbr0 type bridge && exec "$@"';
  const user = Deno.uid() === 0 ? [] : ["-U", "-r"];
  const through = ["unshare", ...user, "-n", "-m", "sh", "-c", script, "sh"];
  const env = { VIRTUALIZATION_ENTITLEMENTS: "com.apple.security.virtualization" };
  const { code, out, err } = await vzrun([...guest("true"), "-nic", "bridge,br=vzbr0"], { env, through });
  assertEquals([code, out], [2, ""]);
  assertMatch(err, /^vzrun: -nic: [^\n]*com\.apple\.vm\.networking[^\n]*NAT needs none\)\n$/);
});

// Row 25: else the menu bar is dead, or the window on the wrong Space.
Deno.test("mac: a program with a window has its policy when it launches, and is activated before its window", async () => {
  using folder = new Folder();
  const order = folder.file("order");
  await using screen = await Screen.start();
  const env = { ...screen.how.env, VIRTUALIZATION_APPKIT_ORDER: order };
  const args = [...await listeningInWindow(screen.how), "-name", "order"];
  await using run = new Vzrun(args, { env, typing: true });
  await screen.window("order");
  assertEquals(Deno.readTextFileSync(order).trim().split("\n"), [
    "will finish launching",
    "set policy",
    "did finish launching",
    "activate",
    "make window",
  ]);
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 143);
});

// Row 21.
meanwhile("mac: a guest that cannot be asked is not said to have been, and is forced", async () => {
  await using run = new Vzrun(await telling(), { env: { VIRTUALIZATION_REQUEST_STOP: "no" } });
  await using failing = new Vzrun(await telling(), { env: { VIRTUALIZATION_REQUEST_STOP: "fails" } });
  await Promise.all([run, failing].map((one) => one.out.until("up\r\n")));
  for (const one of [run, failing]) one.signal("SIGTERM");
  assertEquals(await failing.end(20), 143);
  assertMatch(
    failing.err.text,
    /^vzrun: SIGTERM: the guest could not be asked to power off \([^\n]*\); it is asked again, for 10 s\n/,
  );
  assertMatch(failing.err.text, /\nvzrun: it did not power off in 10 s: ended the machine\n$/);
  assertEquals(await run.end(20), 143);
  assertEquals(
    run.err.text,
    "vzrun: SIGTERM: the guest cannot be asked to power off now\n" +
      "vzrun: it did not power off in 10 s: ended the machine\n",
  );
});
