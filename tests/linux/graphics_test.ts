// A guest's screen, keyboard and pointer: what linux/ refuses, what a guest is told, and what a native program's window
// shows of it under an X server of the test's own.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  type Argument,
  Class,
  completion,
  defineClass,
  DispatchQueue,
  fromObjC,
  NSError,
  type NSObject,
} from "../../src/objc/mod.ts";
import { VZLinuxBootLoader, VZVirtualMachineConfiguration } from "../../src/vz/mod.ts";
import { SOONER } from "../e2e/vzrun.ts";
import { Guest, guestFiles, projectFile, within } from "./guest.ts";

const GRAPHICAL = guestFiles("graphical");

function scanout(width: number, height: number): NSObject {
  return Class.named("VZVirtioGraphicsScanoutConfiguration")
    .create("initWithWidthInPixels:heightInPixels:", width, height);
}

function graphics(...scanouts: (NSObject | string)[]): NSObject {
  const device = Class.named("VZVirtioGraphicsDeviceConfiguration").create();
  device.send("setScanouts:", scanouts);
  return device;
}

Deno.test("linux: a screen, keyboard or pointing device that no guest could have is refused", () => {
  const good = () => {
    const configuration = VZVirtualMachineConfiguration.create();
    configuration.bootLoader = VZLinuxBootLoader.create(GRAPHICAL.kernel);
    (configuration as NSObject).send("setGraphicsDevices:", [graphics(scanout(800, 600))]);
    (configuration as NSObject).send("setKeyboards:", [Class.named("VZUSBKeyboardConfiguration").create()]);
    const pointer = Class.named("VZUSBScreenCoordinatePointingDeviceConfiguration").create();
    (configuration as NSObject).send("setPointingDevices:", [pointer]);
    return configuration;
  };
  good().validate();
  const refused: [selector: string, devices: Argument, reason: string][] = [
    ["setGraphicsDevices:", [graphics()], "must have one scanout"],
    ["setGraphicsDevices:", [graphics(scanout(1, 1), scanout(1, 1))], "More than one scanout is configured"], // row 19
    ["setGraphicsDevices:", [graphics("scanout")], "must have one scanout"],
    ["setGraphicsDevices:", [graphics(scanout(0, 600))], "size of a display must be between 1 x 1"],
    ["setGraphicsDevices:", [graphics(scanout(16385, 600))], "between 1 x 1 and 16384 x 16384"], // row 19
    ["setKeyboards:", [graphics(scanout(1, 1))], "cannot be one of “keyboards”"],
    ["setPointingDevices:", ["mouse"], "cannot be one of “pointingDevices”"],
  ];
  for (const [selector, devices, reason] of refused) {
    const configuration = good();
    (configuration as NSObject).send(selector, devices);
    const error = assertThrows(() => configuration.validate(), NSError);
    assertEquals(error.code, 2);
    assert(error.message.includes(reason), error.message);
  }
});

Deno.test("linux: a machine's display has the configured size, and no other before the machine runs", async () => {
  const configuration = VZVirtualMachineConfiguration.create();
  (configuration as NSObject).send("setGraphicsDevices:", [graphics(scanout(640, 400))]);
  const queue = DispatchQueue.create("display");
  const machine = Class.named("VZVirtualMachine").create(
    "initWithConfiguration:queue:",
    configuration,
    queue,
  );
  const [device] = fromObjC(await queue.call(machine, "graphicsDevices")) as NSObject[];
  assertEquals(device.className, "VZVirtioGraphicsDevice");
  const [display] = fromObjC(await queue.call(device, "displays")) as NSObject[];
  assertEquals(display.className, "VZVirtioGraphicsScanout");
  assertEquals(await queue.call(display, "sizeInPixels"), [640, 400]);
  const error = await queue.call(display, "reconfigureWithSizeInPixels:error:", [800, 600]).catch((error) =>
    error
  );
  assertInstanceOf(error, NSError);
  assertEquals(error.code, 3);
  assertEquals(await queue.call(display, "sizeInPixels"), [640, 400]);
});

const MONITOR = "/sys/class/drm/card0-Virtual-1";

/**
 * For each line, waits until the guest's monitor has the size that it says: the guest may hear of it later than the test.
 * It is asked anew each time: a console alone lists no modes larger than its first.
 */
const TELL_MODE = [
  `while read -r size; do until echo detect >${MONITOR}/status; head -n1 ${MONITOR}/modes | grep -qx $size`,
  "do usleep 50000",
  "done",
  "echo has $size",
  "done",
].join("; ");

Deno.test("linux: a guest is told of its display's new size, with nobody looking", async () => {
  await using guest = new Guest(`echo ready; ${TELL_MODE}`);
  (guest.loader as NSObject).send("setKernelURL:", new URL(`file://${GRAPHICAL.kernel}`));
  guest.loader.initialRamdisk = GRAPHICAL.initrd;
  (guest.configuration as NSObject).send("setGraphicsDevices:", [graphics(scanout(640, 480))]);
  const queue = DispatchQueue.create("display");
  const machine = Class.named("VZVirtualMachine")
    .create("initWithConfiguration:queue:", guest.configuration, queue);
  const { block, called } = completion("v@?@");
  await queue.call(machine, "startWithCompletionHandler:", block);
  assertEquals(await called, [null]);
  await guest.said("ready");
  await guest.type("640x480\n");
  await guest.said("has 640x480");
  const [device] = fromObjC(await queue.call(machine, "graphicsDevices")) as NSObject[];
  const [display] = fromObjC(await queue.call(device, "displays")) as NSObject[];
  const { observer, ended } = reconfigurationObserver();
  await queue.call(display, "addObserver:", observer);
  await queue.call(display, "reconfigureWithSizeInPixels:error:", [1000, 700]);
  await within("the end of the reconfiguration", ended);
  assertEquals(await queue.call(display, "sizeInPixels"), [1000, 700]);
  await guest.type("1000x700\n");
  await guest.said("has 1000x700");
  await queue.call(display, "removeObserver:", observer);
  const stop = completion("v@?@");
  await queue.call(machine, "stopWithCompletionHandler:", stop.block);
  await stop.called;
});

function reconfigurationObserver(): { observer: NSObject; ended: Promise<void> } {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const observers = defineClass<object>("TestDisplayObserver", {
    "displayDidEndReconfiguration:": { types: "v@:@", implementation: () => resolve() },
  });
  return { observer: observers.create({}), ended };
}

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<Uint8Array> {
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env, stdin: "null" }).output();
  assertEquals(code, 0, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

/** An X server with one window in it that a test drives. */
class Display implements AsyncDisposable {
  private constructor(readonly name: string, private readonly server: Deno.ChildProcess) {}

  static async start(): Promise<Display> {
    const server = new Deno.Command("Xvfb", {
      args: ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    // To its end: the line comes in two parts, and a server that cannot write the second one ends.
    const number = await within("a display", new Response(server.stdout).text());
    return new Display(`:${number.trim()}`, server);
  }

  async xdotool(...args: string[]): Promise<string> {
    return new TextDecoder().decode(await run("xdotool", args, { DISPLAY: this.name })).trim();
  }

  /** How many pixels of a window have a colour. */
  async count(window: string, [red, green, blue]: number[]): Promise<number> {
    const args = ["-display", this.name, "-window", window, "-depth", "8", "rgb:-"];
    const picture = await run("import", args);
    let count = 0;
    for (let i = 0; i < picture.length; i += 3) {
      if (picture[i] === red && picture[i + 1] === green && picture[i + 2] === blue) count++;
    }
    return count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.kill();
    await this.server.status;
  }
}

/** tests/linux/programs/window.m with a guest that runs shell commands, and its console. */
class WindowProgram implements AsyncDisposable {
  output = "";
  readonly process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #read: Promise<void>;
  #more = Promise.withResolvers<void>();

  constructor(program: string, display: Display, guest: string, env: Record<string, string> = {}) {
    const append = `console=tty0 console=hvc0 quiet ${SOONER} run="${guest}"`;
    this.process = new Deno.Command(program, {
      args: ["kernel", GRAPHICAL.kernel, GRAPHICAL.initrd, append],
      env: { DISPLAY: display.name, ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null", // where there is no window manager GNUstep says so at length
    }).spawn();
    this.#input = this.process.stdin.getWriter();
    this.#read = this.#listen();
  }

  async #listen(): Promise<void> {
    for await (const text of this.process.stdout.pipeThrough(new TextDecoderStream())) {
      this.output += text;
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
  }

  /** Resolves when the guest has said more. */
  more(): Promise<void> {
    return this.#more.promise;
  }

  async said(pattern: RegExp): Promise<void> {
    const wait = async () => {
      while (!pattern.test(this.output)) await this.more();
    };
    await within(`${pattern} in ${JSON.stringify(this.output)}`, wait());
  }

  /** Waits until a guest that tells its mode has that. */
  async hasMode(mode: string): Promise<void> {
    await this.type(`${mode}\n`);
    await this.said(new RegExp(`has ${mode}`));
  }

  async type(text: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(text));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.process.status;
    await this.#read;
    await this.#input.close().catch(() => {});
  }
}

async function compiled(folder: string): Promise<string> {
  const program = `${folder}/window`;
  const make = `make -s -C '${projectFile("linux")}'`;
  const source = projectFile("tests/linux/programs/window.m");
  await run("sh", [
    "-ec",
    `eval "clang $(${make} cflags) '${source}' -o '${program}' $(${make} appkit-ldflags)"`,
  ]);
  return program;
}

const TABLET = "/sys/class/input/event*/device/name";

/** Paints the screen red, reads a line of keys, then prints input events, and tells the mode. */
const DRIVEN_GUEST = [
  `until grep -qs Keyboard ${TABLET} && grep -qs Tablet ${TABLET}; do usleep 50000; done`,
  "printf '\\033[?25l\\033[41m\\033[2J' >/dev/tty1",
  "echo ready",
  "read -r line </dev/tty1",
  "echo typed: $line.",
  `name=$(grep -l Tablet ${TABLET}); event=\${name#/sys/class/input/}; event=\${event%%/*}`,
  "(echo watching; while :; do set -- $(dd bs=24 count=1 2>/dev/null | od -An -tu2 -j16); echo event $*.; done) </dev/input/$event &",
  TELL_MODE,
].join("; ").replace("&;", "&");

Deno.test("linux: a native program's window shows the guest's screen, takes keys and pointer, and sets its size", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using display = await Display.start();
    await using program = new WindowProgram(await compiled(folder), display, DRIVEN_GUEST);
    await program.said(/ready/);
    const window = await display.xdotool("search", "--name", "^machine$");

    const looksRed = async () => {
      while (await display.count(window, [0xaa, 0, 0]) < 0.95 * 800 * 600) { /* it comes soon */ }
    };
    await within("a red window", looksRed());

    await display.xdotool("type", "The 5 ~keys|{}?x");
    await display.xdotool("key", "BackSpace", "Return");
    await program.said(/typed: The 5 ~keys\|\{\}\?\./);

    await program.said(/watching/);
    // A tablet's range is 0 to 32767, whatever the screen's is.
    await display.xdotool("mousemove", "--window", window, "400", "150", "click", "1");
    await program.said(/event 3 0 163\d\d 0\./);
    await program.said(/event 3 1 8[12]\d\d 0\./);
    await program.said(/event 1 272 1 0\.[^]*event 1 272 0 0\./);
    await display.xdotool("click", "4");
    await program.said(/event 2 8 1 0\./);

    for (let step = 1; step <= 200; step++) {
      await display.xdotool("windowsize", window, `${600 + 2 * step}`, `${400 + 2 * step}`);
    }
    await program.hasMode("1000x800");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

// Row 27.
Deno.test("linux: on a Retina screen the guest's screen has twice as many pixels as its view has points", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using display = await Display.start();
    const guest = `echo ready; ${TELL_MODE}`;
    const retina = { VIRTUALIZATION_SCALE: "2" };
    await using program = new WindowProgram(await compiled(folder), display, guest, retina);
    await program.said(/ready/);
    const window = await display.xdotool("search", "--name", "^machine$");
    await display.xdotool("windowsize", window, "640", "400");
    await program.hasMode("1280x800");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
