import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { DEAF, listeningInWindow } from "./booted.ts";
import { GuestShell, LOOP } from "./guest_shell.ts";
import { type Colour, type Picture, Screen, type Window } from "./screen.ts";
import { Terminal } from "./terminal.ts";
import { eventually, Folder, guest, pause, ROOT, SOONER, stateOf, ticksOf, Vzrun, vzrun } from "./vzrun.ts";

const GUEST = `${ROOT}/build/guest/graphical`;
const RED: Colour = [170, 0, 0];
const BLUE: Colour = [0, 0, 170];
const GREY: Colour = [170, 170, 170];
const BLACK: Colour = [0, 0, 0];

/** The options of a guest in a window; it has no driver for its screen, and boots in a third of the time. */
function windowed(commands: string, ...words: string[]): string[] {
  return [...guest(commands, ...words).slice(0, -1), "-name", "machine"];
}

/**
 * Runs vzrun with a window on a screen, and a guest that has booted before.
 *
 * @param line What is typed at the guest.
 * @param args Options of vzrun.
 */
async function withWindow(
  line: string,
  args: string[],
  body: (screen: Screen, window: Window, run: Vzrun) => Promise<void>,
): Promise<void> {
  await using screen = await Screen.start();
  const machine = [...await listeningInWindow(screen.how), "-name", "machine"];
  await using run = new Vzrun([...machine, ...args], { ...screen.how, typing: true });
  const window = await screen.window("machine");
  await run.type(`${line}\n`);
  await run.out.until("up\r\n");
  await body(screen, window, run);
}

/** A guest that knows its screen, keyboard and pointer, and runs commands; its kernel takes long to boot. */
class Graphical implements AsyncDisposable {
  private constructor(readonly screen: Screen, readonly window: Window, readonly shell: GuestShell) {}

  static async boot(): Promise<Graphical> {
    const files = ["-kernel", `${GUEST}/vmlinuz`, "-initrd", `${GUEST}/initrd`];
    const append = `console=tty0 console=hvc0 ${SOONER} run="${LOOP}"`;
    const args = [...files, "-append", append, "-m", "256", "-smp", "1", "-name", "screen"];
    const screen = await Screen.start();
    // A Retina screen, whose two pixels for each point the guest is not to have (MAC.md, row 27).
    const env = { ...screen.how.env, VIRTUALIZATION_SCALE: "2" };
    const run = new Vzrun(args, { ...screen.how, env, typing: true });
    try {
      const window = await screen.window("screen");
      return new Graphical(screen, window, await GuestShell.on(run));
    } catch (error) {
      await run[Symbol.asyncDispose]();
      await screen[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs commands, and gives what they write. */
  async tell(commands: string): Promise<string> {
    const { status, out } = await this.shell.tell(commands);
    assertEquals(status, 0, out);
    return out;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell[Symbol.asyncDispose]();
    await this.screen[Symbol.asyncDispose]();
  }
}

let booting: Promise<Graphical> | undefined;
/** The one that the next tests share, which are run in this order. */
const graphical = () => booting ??= Graphical.boot();

Deno.test.afterAll(async () => {
  if (!booting) return;
  await using ending = await booting;
  assertEquals(await ending.shell.end(), { code: 0, err: "" });
});

/** What waits for the USB keyboard or pointer, which are found a moment after the start, and gives its event device. */
const DEVICE = (name: string) =>
  `until d=$(grep -l '${name}' /sys/class/input/event*/device/name); do usleep 100000; done; ` +
  "d=/dev/input/$(echo $d | cut -d/ -f5); ";

Deno.test("window: shows the guest's screen while its serial console goes to stdout", async () => {
  const machine = await graphical();
  const { screen, window, shell: { run } } = machine;
  const content = await window.content();
  assertEquals([content.width, content.height], [800, 600]);
  assertMatch(run.out.text, /Linux version/);
  const text = await screen.shows("the kernel's text", (picture) => picture.share(GREY, content) > 0.02);
  assertLess(0.8, text.share(BLACK, content));
  await machine.tell("printf '\\033[41m\\033[2J' >/dev/tty1");
  await screen.shows("what the guest paints", (picture) => picture.share(RED, content) > 0.95);
});

Deno.test("window: what is typed at it arrives in the guest, and the pointer is where it is clicked", async () => {
  const machine = await graphical();
  const { screen, window, shell: { run } } = machine;
  const told = machine.tell(
    `${DEVICE("Keyboard")}${DEVICE("Tablet")}exec 3<$d; echo up; read line </dev/tty1; echo typed $line; ` +
      'until [ "$*" = "1 272 0 0" ]; do set -- $(dd bs=24 count=1 2>/dev/null | od -An -tu2 -j16); echo " $*"; done <&3',
  );
  await run.out.until("up\r\n");
  await screen.do("type", "--delay", "50", "Hello, World; 42");
  await screen.do("key", "Return");
  await run.out.until("typed Hello, World; 42\r\n");
  await window.click(200, 450);
  const events = await told;
  // Type, code and value: the left button.
  assertMatch(events, / 1 +272 +1 +0\r\n/);
  const [x, y] = [0, 1].map((axis) => {
    const moves = [...events.matchAll(new RegExp(` 3 +${axis} +(\\d+) +0\\r\\n`, "g"))];
    return Number(moves.at(-1)![1]) / 32767;
  });
  assertLess(Math.abs(x - 200 / 800), 0.005);
  assertLess(Math.abs(y - 450 / 600), 0.005);
});

Deno.test("window: an idle one costs no processor time", async () => {
  const machine = await graphical();
  const { pid } = machine.shell.run;
  await machine.tell("echo 0 >/sys/class/graphics/fbcon/cursor_blink");
  await pause(2000);
  const before = ticksOf(pid);
  await pause(5000);
  assertLess((ticksOf(pid) - before) / 500, 0.02); // a tick is 10 ms
});

Deno.test("window: the guest's screen gets its size, also after 200 sizes in a row", async () => {
  const machine = await graphical();
  const { window } = machine;
  const connector = "/sys/class/drm/card0-Virtual-1";
  const guestHas = async (width: number, height: number) => {
    for (let i = 0, size = ""; size !== `size ${width}x${height}\r\n`; i++) {
      assert(i < 100, `not ${width}x${height} but ${size}`);
      if (i > 0) await pause(100);
      size = await machine.tell(`echo detect >${connector}/status; echo size $(head -n1 ${connector}/modes)`);
    }
  };
  await guestHas(800, 600);
  await window.resize(1000, 500);
  await guestHas(1000, 500);
  for (let i = 0; i < 200; i++) await window.resize(600 + (i * 37) % 500, 400 + (i * 53) % 400);
  await window.resize(720, 480);
  await guestHas(720, 480);
});

Deno.test("window: closing it asks the guest to power off, and gives its exit code", async () => {
  await using screen = await Screen.start();
  await using run = new Vzrun(windowed("echo up; sleep 1000"), screen.how);
  const window = await screen.window("machine");
  await run.out.until("up\r\n");
  const { qemu } = run;
  await window.close();
  assertEquals(await run.end(), 0);
  assertEquals(
    run.err.text,
    "vzrun: the window was closed: asked the guest to power off; once more ends the machine\n",
  );
  assertEquals(stateOf(qemu), undefined);
});

Deno.test("window: a guest that does not listen runs on when it is closed, and is ended when it is again", async () => {
  await withWindow(`${DEAF}echo up; while read w; do echo on; done`, [], async (_, window, run) => {
    await window.close();
    await run.err.until("once more ends the machine\n");
    await run.type("\n");
    await run.out.until("on\r\n");
    await window.close();
    assertEquals(await run.end(), 0);
    assertMatch(run.err.text, /vzrun: the window was closed again: ended the machine\n$/);
  });
});

Deno.test("window: the menu pauses, resumes and ends the machine", async () => {
  const [FORCE_STOP, PAUSE, RESUME] = [1, 2, 3];
  await withWindow("echo up; sleep 1000", ["-verbose"], async (_, window, run) => {
    const states = () => [...run.err.text.matchAll(/the machine is (\w+)/g)].map(([, state]) => state);
    const until = (state: string) => eventually(state, () => states().at(-1) === state, 10);
    await window.choose(PAUSE);
    await until("paused");
    await window.choose(PAUSE); // which cannot be chosen now
    await window.choose(RESUME);
    await until("running");
    const restored = ["restoring", "paused", "resuming", "running"];
    assertEquals(states(), [...restored, "pausing", "paused", "resuming", "running"]);
    await window.choose(FORCE_STOP);
    assertEquals(await run.end(), 0);
    assertMatch(run.err.text, /vzrun: Force Stop: ended the machine\n/);
  });
});

Deno.test("window: a guest that stops while a menu is open ends the run all the same", async () => {
  await withWindow("echo up; read word; poweroff -f", [], async (screen, window, run) => {
    const { x, y } = await window.content();
    await screen.do("mousemove", x + 76, y - 11, "mousedown", 1);
    await pause(500);
    await run.type("\n");
    assertEquals(await run.end(20), 0);
  });
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`window: ${signal} does beside it what it does without one`, async () => {
    await withWindow("echo up; sleep 1000", [], async (_screen, _window, run) => {
      run.signal(signal);
      assertEquals(await run.end(8), code);
      assertEquals(run.err.text, `vzrun: ${signal}: asked the guest to power off\n`);
    });
  });
}

Deno.test("window: closing that of a paused machine wakes it, and asks it to power off", async () => {
  const PAUSE = 2;
  await withWindow("echo up; sleep 1000", ["-verbose"], async (_, window, run) => {
    await window.choose(PAUSE);
    await run.err.until("the machine is paused");
    await window.close();
    assertEquals(await run.end(20), 0);
    assertMatch(run.err.text, /the guest has powered off\n/);
  });
});

Deno.test("window: beside it a terminal's keys go to the guest, and the terminal is put back", async () => {
  await using screen = await Screen.start();
  await using terminal = new Terminal();
  const before = terminal.modes;
  const args = [...await listeningInWindow(screen.how), "-name", "machine"];
  await using run = new Vzrun(args, { ...terminal.how(), ...screen.how });
  await screen.window("machine");
  await eventually("raw modes", () => terminal.modes !== before);
  await terminal.type("echo got $((40 + 2)) words\r");
  await terminal.screen.until("got 42 words");
  await terminal.type("\x01x");
  assertEquals(await run.end(8), 0);
  assertMatch(run.err.text, /vzrun: Ctrl-A x: ended the machine\n$/);
  assertEquals(terminal.modes, before);
});

Deno.test("window: a guest that fails to start leaves none, and its exit code is the failure's", async () => {
  await using screen = await Screen.start();
  const qemu = { env: { ...screen.how.env, VIRTUALIZATION_QEMU: "/bin/false" } };
  const { code, err } = await vzrun(windowed("echo up"), qemu);
  assertEquals(code, 1);
  assertMatch(err, /^vzrun: .*\(VZErrorDomain \d+\)\n$/);
});

const INSTALLER = "/usr/lib/debian-installer/images/12/amd64/text";

/** The colours of its menu: the splash's ground, and the letters. */
const [GRUB_BLUE, GRUB_GREY]: Colour[] = [[5, 71, 92], [168, 168, 168]];

/** Debian's netboot CD, of the files that its package has. */
async function makeCD(folder: Folder): Promise<string> {
  const run = async (program: string, ...args: string[]) => {
    const { success, stderr } = await new Deno.Command(program, { args, cwd: folder.path }).output();
    if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  };
  await run("mkdir", "-p", "cd/debian-installer", "cd/boot");
  await run("mformat", "-C", "-i", "cd/efi.img", "-T", "16384", "-h", "16", "-s", "63", "::");
  await run("mmd", "-i", "cd/efi.img", "::/EFI", "::/EFI/BOOT");
  const grub = `${INSTALLER}/debian-installer/amd64/grubx64.efi`;
  await run("mcopy", "-i", "cd/efi.img", grub, "::/EFI/BOOT/BOOTX64.EFI");
  await run("cp", "-r", `${INSTALLER}/debian-installer/amd64`, "cd/debian-installer/");
  await run("cp", "-r", `${INSTALLER}/debian-installer/amd64/grub`, "cd/boot/");
  await run("cp", `${INSTALLER}/splash.png`, "cd/");
  await run("xorriso", "-as", "mkisofs", "-R", "-o", "iso", "-e", "efi.img", "-no-emul-boot", "cd");
  return folder.file("iso");
}

Deno.test("window: a CD's boot menu is seen and driven by keys, up to the installer's first screen", async () => {
  using folder = new Folder();
  const iso = await makeCD(folder);
  await using screen = await Screen.start();
  await using run = new Vzrun(["-cd", iso, "-m", "1024", "-smp", "1", "-name", "installer"], screen.how);
  const window = await screen.window("installer");
  const content = await window.content();
  const isMenu = (picture: Picture) =>
    picture.share(GRUB_BLUE, content) > 0.3 && picture.share(GRUB_GREY, content) > 0.017;
  const menu = await screen.shows("the boot menu", isMenu);
  await screen.do("key", "Down");
  const moved = await screen.shows("the next line", (picture) => picture.difference(menu, content) > 0);
  assertLess(moved.difference(menu, content), 0.02);
  await screen.do("key", "Up");
  await screen.shows("the first line again", (picture) => picture.difference(menu, content) === 0);
  await screen.do("key", "Return");
  const isInstaller = (picture: Picture) =>
    picture.share(GREY, content) > 0.6 && picture.share(BLUE, content) > 0.02 &&
    picture.share(RED, content) > 0.005;
  await screen.shows("the installer", isInstaller, 180);
  run.signal("SIGTERM");
  await run.err.until("asked the guest to power off");
  run.signal("SIGTERM");
  assertEquals(await run.end(), 143);
});

Deno.test("window: without a screen there is none, which only who asks for one has to know", async () => {
  const { code, out, err } = await vzrun([...guest("echo ran").slice(0, -1), "-verbose"]);
  assertEquals([code, out], [0, "ran\r\n"]);
  assertMatch(err, /^vzrun: no window: there is no screen to open it on\n/);
  for (const env of [{}, { DISPLAY: "" }, { DISPLAY: ":9999" }] as Record<string, string>[]) {
    const asked = await vzrun([...guest("echo ran").slice(0, -1), "-display", "window"], { env }, 10);
    assertEquals(asked, {
      code: 2,
      out: "",
      err: "vzrun: -display window: there is no screen to open it on\n",
    });
  }
});
