/** The options of qemu that are not ours, each with its answer, and the table of all of qemu's words. */

import { type Answer, type Answers, partsOf, readKeys, type Row, rowsOf } from "./answers.ts";
import { addBlockdev, addChardev, OBJECTS, takeObject } from "./backends.ts";
import { addDevice, DEVICE_KEYS, DEVICES } from "./devices.ts";
import { DRIVE_KEYS, FIRMWARE, IF_VALUES } from "./drive.ts";
import {
  ACCEL_KEYS,
  ACCELERATORS,
  ACTION_KEYS,
  MACHINE_KEYS,
  NO_REBOOT,
  NO_SHUTDOWN,
  PROCESSOR,
  takeAccelerators,
  takeMachine,
  takeProcessor,
} from "./machine.ts";
import { CARD_KEYS, NETWORK_KINDS, parseNetwork } from "./network.ts";
import type { Option } from "./options.ts";
import { SERIAL_KINDS, SOCKET_KEYS } from "./serial.ts";
import { namedIn, namePart, type Settings, useNamed } from "./settings.ts";
import {
  DISPLAY_KEYS,
  DISPLAY_KINDS,
  MEMORY_KEYS,
  NAME_KEYS,
  oneOf,
  SMP_KEYS,
  takeWord,
  VIRTFS_KEYS,
  withFirst,
} from "./values.ts";
import { UsageError } from "./usage_error.ts";

/** An option that is done. */
function does(
  names: string,
  value: string | undefined,
  help: string,
  apply: Option["apply"],
  several = true,
): Option {
  return { names: names.split(" "), group: "qemu", value, help, several, answer: "does it", apply };
}

/** One that is so anyway; with a value, only with those of a table. */
function so(names: string, help: string, words?: Answers): Option {
  const [name] = names.split(" ");
  return {
    names: names.split(" "),
    group: "qemu",
    value: words && Object.keys(words).filter((word) => !words[word].cannot).join("|"),
    help,
    several: true,
    answer: "is so anyway",
    apply(settings, value) {
      if (words) takeWord(words, value, `-${name}`, settings.notes);
      else settings.notes.push(`-${name}: ${help}`);
    },
  };
}

/** One whose value has keys. */
function keyed(name: string, help: string, keys: Answers | Option["apply"]): Option {
  const apply: Option["apply"] = typeof keys === "function"
    ? keys
    : (settings, text) => void readKeys(partsOf(text), keys, settings.notes);
  return {
    names: [name],
    group: "qemu",
    value: "KEY=VALUE",
    help,
    several: true,
    answer: "is so anyway",
    apply,
  };
}

/** One that cannot be. @param value What it takes, so that it is not taken for something else. */
function cannot(names: string, help: string, value?: string): Option {
  return {
    names: names.split(" "),
    group: "qemu",
    value,
    help,
    several: true,
    answer: "cannot",
    apply() {
      throw new UsageError(help);
    },
  };
}

const RTC_KEYS: Answers = {
  base: {
    so: "the guest's clock has UTC",
    values: ["utc"],
    cannot: "the guest's clock has UTC, and the time now",
  },
  clock: { so: "it is the host's", values: ["host"], cannot: "it is the host's" },
  driftfix: { so: "none is needed", values: ["none", "slew"], cannot: "none is needed" },
};

function boot(settings: Settings, text: string): void {
  const [first, ...rest] = partsOf(text);
  const parts: [string, string?][] = first?.[1] === undefined
    ? [["order", first?.[0]], ...rest]
    : [first, ...rest];
  const { order } = readKeys(parts, BOOT_KEYS, settings.notes);
  if (order === undefined) return;
  const [letter] = order;
  if (letter === "n" || letter === "p") {
    throw new UsageError("there is no booting from a network: -kernel, or -cdrom");
  }
  if (letter === "a" || letter === "b") throw new UsageError("there are no floppies");
  settings.bootFirst = oneOf(["c", "d"], letter ?? "", "the first letter") === "d" ? "cdrom" : "disk";
}

/** Keys of `-boot`. */
export const BOOT_KEYS: Answers = {
  order: { does: "c: a disk, d: a CD is tried first" },
  once: { cannot: "each start is as this one: leave the CD out of the next" },
  menu: { so: "there is no menu", values: ["off"], cannot: "the firmware has no menu" },
  strict: { so: "only disks are tried", values: ["on", "off"], cannot: "on or off" },
  splash: { cannot: "the firmware has no picture" },
  "splash-time": { cannot: "the firmware has no picture" },
  "reboot-timeout": { cannot: "the firmware does not wait" },
};

/** A network without its card, which has the address. */
function networkAlone(settings: Settings, text: string): ReturnType<typeof parseNetwork> {
  const ofCard = partsOf(text).find(([key]) => key === "mac" || key === "model");
  if (ofCard) throw new UsageError(`${ofCard[0]}= is the card's`);
  return parseNetwork(text, settings.notes);
}

function oldNetwork(settings: Settings, text: string): void {
  const [first, ...rest] = partsOf(text);
  if (first?.[0] === "none") return void settings.network.push("none");
  const { old } = namedIn(settings);
  if (first?.[0] === "nic") {
    const { macaddr } = readKeys(rest, NET_NIC_KEYS, settings.notes);
    old.cards.push({ ...macaddr !== undefined && { mac: macaddr } });
    return;
  }
  const { card } = networkAlone(settings, text);
  if (card !== "none") old.networks.push(card);
}

/** `-mon`'s. */
async function takeMonitor(settings: Settings, text: string): Promise<void> {
  const { chardev = "", mode = "readline" } = readKeys(withFirst(text, "chardev"), {
    chardev: { does: "the console, or where QMP is" },
    mode: { does: "control is QMP" },
    id: { so: "it needs no name" },
    pretty: { so: "a line is a line", values: ["off"], cannot: "a program can indent what QMP says" },
  } as Answers, settings.notes);
  const named = namedIn(settings);
  if (oneOf(["control", "readline"], mode, "mode") === "control") {
    const { toQMPPlace } = await import("./qmp.ts");
    const places = settings.qmp ??= [];
    named.later.push(() => {
      const port = useNamed(named, named.consoles, "chardev", chardev, `-mon ${text}`);
      if (port === "none") throw new UsageError("QMP is at a socket, or on stdio");
      places.push(toQMPPlace(port));
    });
    return;
  }
  named.later.push(() => {
    const console = named.consoles.get(chardev);
    if (typeof console === "object" && console.kind === "stdio") return;
    throw new UsageError(`-mon ${text}: there is no monitor: Ctrl-A's keys are on stdio`);
  });
}

const NET_NIC_KEYS: Answers = {
  macaddr: { does: "the card's address" },
  model: CARD_KEYS.model,
  name: { so: "a card needs no name" },
  netdev: { cannot: "-device virtio-net-pci,netdev=ID" },
  addr: { cannot: "the framework lays out the bus" },
  vectors: { cannot: "how many interrupts there are is the framework's" },
};

/** All of qemu's options that are not in our own table. */
export const QEMU_OPTIONS: readonly Option[] = [
  does("device", "MODEL[,KEY=VALUE]…", "a device; its models are below", addDevice),
  does("netdev", "KIND,id=ID[,KEY=VALUE]…", "a network for a -device", (settings, text) => {
    const { card, id } = networkAlone(settings, text);
    if (id === undefined) throw new UsageError("id=ID is missing, and a -device with netdev=ID");
    if (card === "none") throw new UsageError("none is no network");
    namePart(namedIn(settings).networks, id, card);
  }),
  does("net", "nic|none|KIND[,KEY=VALUE]…", "the old pair: a card and its network", oldNetwork),
  does("chardev", "KIND,id=ID[,KEY=VALUE]…", "where a console goes, for -serial chardev:ID", addChardev),
  does("blockdev", "driver=D,node-name=N[,KEY=VALUE]…", "a disk for a -device with drive=N", addBlockdev),
  does("boot", "[order=]c|d", "a disk, or a CD, is what the firmware tries first", boot, false),
  does("nodefaults", undefined, "no network and no console but those that are asked for", (settings) => {
    settings.noDefaults = true;
  }),
  does("uuid", "UUID", "the machine's identity", (settings, value) => settings.uuid = value, false),
  does("vga", "none|virtio", "no screen, or a window's", (settings, value) => {
    takeWord(VGA, value, "-vga", settings.notes);
    if (value === "virtio") settings.needsWindow ??= "-vga virtio";
    else namedIn(settings).later.push(() => settings.display ??= "none"); // unless a window is asked for
  }),
  does("mon", "chardev=ID[,mode=control]", "QMP; else the terminal's keys, where ID is stdio", takeMonitor),
  does("M machine", "[TYPE][,KEY=VALUE]…", "as far as it is so; its keys are below", takeMachine),
  does("accel", "NAME", "as far as it is so", (settings, text) => takeAccelerators(text, "-accel", settings)),
  does("cpu", "host|max", PROCESSOR, (settings, text) => takeProcessor(text, settings.notes)),
  so("enable-kvm", "the processor's own virtualization is used"),
  so("usb", "USB is there when it is needed"),
  does("usbdevice", "tablet|keyboard", "what only a window has", (settings, text) => {
    takeWord(USB_DEVICES, text, "-usbdevice", settings.notes);
    settings.needsWindow ??= `-usbdevice ${text}`;
  }),
  does("monitor", "none|null", "there is none, which is all that can be asked for", (settings, text) => {
    if (text !== "none" && text !== "null") {
      throw new UsageError("there is no monitor: Ctrl-A's keys are on the terminal");
    }
    settings.notes.push(`-monitor ${text}: there is none`);
  }),
  so("parallel", "there is no parallel port", {
    none: { so: "there is none" },
    null: { so: "there is none" },
  }),
  so("no-user-config nouserconfig", "there is no configuration file"),
  so("no-fd-bootchk", "there are no floppies"),
  keyed(
    "object",
    "an object that is so; its kinds are below",
    takeObject,
  ),
  keyed("rtc", "the guest's clock has UTC", RTC_KEYS),
  keyed("overcommit", "memory is the host's to give", {
    "mem-lock": { so: "memory is not locked", values: ["off"], cannot: "memory is not locked" },
    "cpu-pm": { so: "an idle processor is the host's", values: ["off"], cannot: "it is the host's" },
  }),
  keyed("msg", "what vzrun says has no time", {
    timestamp: { so: "what vzrun says has no time", values: ["off"], cannot: "`2> >(ts)` adds one" },
    "guest-name": {
      so: "it does not name the guest",
      values: ["off"],
      cannot: "each line starts with vzrun:",
    },
  }),
  cannot("no-hpet", "the clocks are the framework's"),
  cannot("no-quit no-frame", "the window is as macOS has windows, and can be closed"),
  keyed("action", "a guest that reboots goes on, and one that powers off ends the run", ACTION_KEYS),
  cannot("no-reboot", NO_REBOOT),
  cannot("no-shutdown", NO_SHUTDOWN),
  cannot("qmp-pretty", "-qmp, and a program that indents what it says", "DEVICE"),
  cannot("loadvm", "a machine is saved beside its disks, not in them: -incoming file:PATH", "NAME"),
  cannot("only-migratable", "machines do not move"),
  cannot("bios", FIRMWARE, "FILE"),
  cannot("pflash", FIRMWARE, "FILE"),
  cannot("L", "the firmware is Apple's own", "DIR"),
  cannot("dtb", "the framework tells the guest what there is", "FILE"),
  cannot("shim", "-kernel starts a kernel without firmware", "FILE"),
  cannot("acpitable smbios fw_cfg fw-cfg", "the framework tells the guest what there is", "VALUE"),
  cannot("no-acpi", "a machine for Intel has ACPI"),
  cannot("fda fdb", "there are no floppies", "FILE"),
  cannot("mtdblock sd", "disks are on virtio, usb or nvme: -drive if=virtio", "FILE"),
  cannot("iscsi", "a disk is a file", "VALUE"),
  cannot("fsdev", "there is no 9p: -share TAG DIR shares a folder", "VALUE"),
  cannot("vnc", "there is no VNC: -display window", "ADDRESS"),
  cannot("spice", "there is no SPICE: -display window", "VALUE"),
  cannot("sdl curses", "-display window; the console is on the terminal"),
  cannot("full-screen", "the window's green button fills the screen"),
  cannot("alt-grab ctrl-grab portrait", "the window's keys are macOS's"),
  cannot("rotate", "the guest turns its screen", "DEGREES"),
  cannot("g", "-display window,width=W,height=H", "WxH"),
  cannot("audio audiodev soundhw", "there is no sound yet", "VALUE"),
  cannot("tpmdev", "the framework has no TPM", "VALUE"),
  cannot("s", "there is no debugger's port: a kernel has kgdb, over hvc1"),
  cannot("gdb", "there is no debugger's port: a kernel has kgdb, over hvc1", "DEVICE"),
  cannot("D", "what vzrun says is on stderr: 2>FILE", "FILE"),
  cannot("dfilter trace", "the framework tells nothing of its inside: -verbose tells every step", "VALUE"),
  cannot("seed icount", "it is of qemu's emulation", "VALUE"),
  cannot("singlestep one-insn-per-tb", "it is of qemu's emulation"),
  cannot("plugin", "it is of qemu's emulation", "FILE"),
  cannot("watchdog watchdog-action", "the framework has no watchdog", "VALUE"),
  cannot("echr", "the key is Ctrl-A", "CODE"),
  cannot("chroot runas run-with user", "sudo -u USER vzrun … runs it as somebody", "VALUE"),
  cannot("sandbox", "Deno's permissions are as narrow as they can be", "VALUE"),
  cannot("mem-path", "the guest's memory is the framework's: -m", "PATH"),
  cannot("mem-prealloc", "the guest's memory is the framework's: -m"),
  cannot("numa", "the guest's memory is in one piece", "VALUE"),
  cannot("set global", "qemu's own properties are none of the framework's", "VALUE"),
  cannot("readconfig writeconfig", "there is no configuration file: a script with the line is one", "FILE"),
  cannot("add-fd", "descriptors are not handed over: a file by its number is /dev/fd/N", "VALUE"),
  cannot("option-rom", "there are no option ROMs", "FILE"),
  cannot("prom-env", "the firmware is Apple's own", "VALUE"),
  cannot("semihosting", "it is of qemu's emulation"),
  cannot("semihosting-config", "it is of qemu's emulation", "VALUE"),
  cannot("xen-domid", "there is no Xen", "VALUE"),
  cannot("xen-attach xen-domid-restrict", "there is no Xen"),
  cannot("debugcon", "there is no port for debugging: -serial", "DEVICE"),
  cannot("win2k-hack", "it is of other guests than Linux"),
  cannot("async-teardown enable-sync-profile perfmap jitdump preconfig", "it is about qemu's own inside"),
  cannot("dump-vmstate", "machines do not move", "FILE"),
  cannot("audio-help", "there is no sound yet"),
  cannot("tb-size", "it is of qemu's emulation", "SIZE"),
  cannot("qtest qtest-log", "it is of qemu's own tests", "VALUE"),
  cannot("localtime", "the guest's clock has UTC"),
  cannot(
    "balloon",
    "each machine has one: leave it out",
    "VALUE",
  ),
  cannot("no-kvm", "the framework emulates no processor"),
  cannot("enable-fips", "it is about qemu's own ciphers"),
  cannot("compat", "it is about qemu's own commands, which are not here", "VALUE"),
];

const USB_DEVICES: Answers = {
  tablet: { so: "a window has one" },
  keyboard: { so: "a window has one" },
  mouse: { cannot: "the pointer is a tablet" },
  braille: { cannot: "there is no braille device" },
};

const VGA: Answers = {
  virtio: { so: "a window's screen is one" },
  none: { so: "there is no screen" },
  std: { cannot: "the screen is a virtio one: -vga virtio" },
  qxl: { cannot: "the screen is a virtio one: -vga virtio" },
  cirrus: { cannot: "the screen is a virtio one: -vga virtio" },
  vmware: { cannot: "the screen is a virtio one: -vga virtio" },
};

const byName = new Map<string, Option>(
  QEMU_OPTIONS.flatMap((option) => option.names.map((name) => [name, option] as const)),
);

/** One of qemu's options by its name. */
export function optionOf(name: string): Option | undefined {
  return byName.get(name);
}

/** Letters that are vftool's here: what qemu's users mean by them, and what to say then. */
export const LETTERS: Record<"k" | "d", { looks: RegExp; says: string }> = {
  k: {
    looks: /^[a-z]{2,3}([-_][a-z]{2,})?$/i,
    says: "there is no such file; -k is the kernel here, and a keyboard's layout is set in the guest",
  },
  d: {
    looks:
      /^(help|trace:.*|(guest_errors|unimp|in_asm|out_asm|op|int|exec|cpu|mmu|pcall|page|nochain|strace|cpu_reset)(,.*)?)$/,
    says: "there is no such file; -d is a disk here, and -verbose tells every step",
  },
};

/** The table of qemu's words. */
export function qemuRows(): Row[] {
  const options = QEMU_OPTIONS.map(({ names, help, answer }): Row => ({
    word: names.map((name) => `-${name}`).join(", "),
    answer: answer!,
    text: help,
  }));
  const table = (option: string, words: Readonly<Record<string, Answer>>, end = "=") =>
    Object.entries(words).flatMap(([word, answer]) => rowsOf(`${option} ${word}${end}`, answer));
  return [
    { word: "FILE", answer: "does it", text: "the first disk; what looks like a CD is one" },
    ...options,
    ...table("-device", DEVICES, ""),
    ...table("-device MODEL", DEVICE_KEYS),
    ...table("-object", OBJECTS, ""),
    ...table("-machine", MACHINE_KEYS),
    ...table("-accel", ACCELERATORS, ""),
    ...table("-accel hvf", ACCEL_KEYS),
    ...table("-boot", BOOT_KEYS),
    ...table("-rtc", RTC_KEYS),
    ...table("-action", ACTION_KEYS),
    ...table("-vga", VGA, ""),
    ...table("-drive", DRIVE_KEYS),
    ...table("-drive if=", IF_VALUES, ""),
    ...table("-nic", NETWORK_KINDS, ""),
    ...Object.entries(NETWORK_KINDS).flatMap(([kind, { keys = {} }]) => table(`-nic ${kind}`, keys)),
    ...table("-nic KIND", CARD_KEYS),
    ...table("-serial", SERIAL_KINDS, ""),
    ...table("-serial unix:PATH", SOCKET_KEYS),
    ...table("-display", DISPLAY_KINDS, ""),
    ...table("-display window", DISPLAY_KEYS),
    ...table("-virtfs local", VIRTFS_KEYS),
    ...table("-m", MEMORY_KEYS),
    ...table("-smp", SMP_KEYS),
    ...table("-name", NAME_KEYS),
  ];
}
