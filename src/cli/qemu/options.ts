/** The table of options: the parser, the help text and the README's table are made from it. */

import { UsageError } from "./usage_error.ts";
import type { DiskSettings } from "./drive.ts";
import { NETWORK_WORDS } from "./network_words.ts";
import { addSerial, claimId, namedIn, namePart, type Settings, SHELLS } from "./settings.ts";

// What knows the words of a value is loaded when such a value is given: a start has few of them.
const cloudInit = () => import("./cloud_init.ts");
const drive = () => import("./drive.ts");
const network = () => import("./network.ts");
const qmp = () => import("./qmp.ts");
const serial = () => import("./serial.ts");
const values = () => import("./values.ts");
const vsock = () => import("./vsock.ts");

/** The sections of the help text. */
export type Group = "Boot" | "Devices" | "The program" | "qemu";

/** One option. Each name works with one dash or two. */
export interface Option {
  names: readonly string[];
  group: Group;
  /** What its value is called in the help text; without it the option takes none. */
  value?: string;
  /** How many words the value has; `[TAG]` may be missing. 1 by default. */
  words?: 2 | "optional";
  help: string;
  /** May be given more than once. */
  several?: boolean;
  /** Of qemu's options, what becomes of it; `help` says why. */
  answer?: "does it" | "is so anyway" | "cannot";
  /**
   * Puts it into the settings.
   *
   * @returns What is to be waited for, if anything.
   * @throws {UsageError} With what was expected, when the value does not fit.
   */
  apply(settings: Settings, ...values: string[]): unknown;
}

/** Sets whether there is a window. */
export function setDisplay(settings: Settings, display: Settings["display"]): void {
  if (settings.display !== undefined && (settings.display === "none") !== (display === "none")) {
    throw new UsageError("a window and -nographic exclude each other");
  }
  settings.display = display;
}

function diskOption(names: readonly string[], help: string, parts: Partial<DiskSettings> = {}): Option {
  return {
    names,
    group: "Devices",
    value: "FILE",
    help,
    several: names.length > 1 || parts.readOnly,
    apply: async (settings, file) => settings.disks.push((await drive()).diskAt(file, parts)),
  };
}

/** All options, in the order of the help text. */
export const OPTIONS: readonly Option[] = [
  {
    names: ["kernel", "k"],
    group: "Boot",
    value: "FILE",
    help: "Linux kernel, also compressed, as EFI zboot or as a unified kernel image",
    apply: (settings, value) => settings.kernel = value,
  },
  {
    names: ["initrd", "initramfs", "i"],
    group: "Boot",
    value: "FILE",
    help: "initial RAM disk",
    apply: (settings, value) => settings.initrd = value,
  },
  {
    names: ["append", "a"],
    group: "Boot",
    value: "STRING",
    help: "kernel command line; else the kernel image's own, or console=hvc0",
    apply: (settings, value) => settings.append = value,
  },
  {
    names: ["cd", "cdrom"],
    group: "Boot",
    value: "FILE",
    help: "bootable ISO, by EFI; with -kernel it is only attached",
    several: true,
    apply: async (settings, file) => settings.disks.push((await drive()).cd(file)),
  },
  {
    names: ["efi"],
    group: "Boot",
    help: "EFI boot from a disk or a CD, as without -kernel anyway",
    apply: (settings) => settings.efi = true,
  },
  {
    names: ["efi-vars"],
    group: "Boot",
    value: "FILE",
    help: "file of EFI's variables, made when missing; else discarded at exit",
    apply: (settings, value) => {
      settings.efi = true;
      settings.efiVariables = value;
    },
  },
  {
    names: ["incoming"],
    group: "Boot",
    value: "file:PATH",
    help: "a saved machine goes on; what is not said is as it was; -snapshot: many of one",
    apply: async (settings, value) => settings.incoming = (await values()).parseIncoming(value),
  },
  {
    names: ["drive"],
    group: "Devices",
    value:
      "file=FILE[,if=virtio|usb|nvme][,readonly=on][,format=F][,size=N][,cache=C][,serial=ID][,snapshot=on]",
    help: "image, device, nbd: URL; F: raw, qcow2; C: writeback, none, writethrough, unsafe",
    several: true,
    apply: async (settings, value) => {
      const { disk, id, apart } = (await drive()).parseDrive(value, settings.notes);
      if (apart) return namePart(namedIn(settings).drives, id!, disk);
      claimId(settings, "drive", id);
      settings.disks.push(disk);
    },
  },
  diskOption(["hda"], "first virtio disk, as qemu has it", { slot: 0 }),
  diskOption(["hdb"], "second one; all disks are in the order in which they are given", { slot: 1 }),
  diskOption(["hdc"], "third one", { slot: 2 }),
  diskOption(["hdd"], "fourth one", { slot: 3 }),
  diskOption(["disk", "d"], "a virtio disk; fat:DIR, as in -drive, is a folder that can be read"),
  diskOption(["c"], "a read-only virtio disk", { readOnly: true }),
  {
    names: ["snapshot"],
    group: "Devices",
    help: "disks are written to clones that are thrown away",
    apply: (settings) => settings.snapshot = true,
  },
  {
    names: ["cloud-init"],
    group: "Devices",
    value: "FILE[,FILE…]",
    help: "user-data and what else a cloud image is told, or a folder of it; the last disk",
    apply: async (settings, value) => settings.cloudInit = (await cloudInit()).parseCloudInit(value),
  },
  {
    names: ["ssh-key"],
    group: "Devices",
    value: "FILE",
    help: "public key that lets a cloud image's user in, in place of -cloud-init",
    several: true,
    apply: (settings, file) => (settings.sshKeys ??= []).push(file),
  },
  {
    names: ["share"],
    group: "Devices",
    value: "TAG DIR[,ro]",
    words: 2,
    help: "folder for mount -t virtiofs TAG /mnt",
    several: true,
    apply: async (settings, tag, folder) => settings.shares.push((await values()).parseShare(tag, folder)),
  },
  {
    names: ["virtfs"],
    group: "Devices",
    value: "local,path=DIR,mount_tag=TAG[,id=NAME][,readonly=on]",
    help: "the same, qemu's way; several with one tag are its folders",
    several: true,
    apply: async (settings, value) =>
      settings.shares.push((await values()).parseVirtfs(value, settings.notes)),
  },
  {
    names: ["rosetta"],
    group: "Devices",
    value: "[TAG]",
    words: "optional",
    help: "share with Rosetta, tag rosetta; on by default where it is installed",
    apply: (settings, tag = "rosetta") => settings.rosetta = tag,
  },
  {
    names: ["no-rosetta"],
    group: "Devices",
    help: "none",
    apply: (settings) => settings.rosetta = null,
  },
  {
    names: ["nic"],
    group: "Devices",
    value: `${NETWORK_WORDS.join("|")}[,KEY=VALUE]`,
    help: "network card, NAT by default; user,hostfwd=tcp::2222-:22 lets ssh in",
    several: true,
    apply: async (settings, value) => {
      const { card, id } = (await network()).parseNetwork(value, settings.notes);
      claimId(settings, "netdev", id);
      settings.network.push(card);
    },
  },
  {
    names: ["b"],
    group: "Devices",
    value: "IF",
    help: "network card bridged to an interface of the host",
    several: true,
    apply: (settings, name) => settings.network.push({ kind: "bridge", interface: name }),
  },
  {
    names: ["m"],
    group: "Devices",
    value: "SIZE",
    help: "memory in MiB, or with K, M, G; 4G or half of the host's, whichever is less",
    apply: async (settings, value) => settings.memory = (await values()).parseMemory(value, settings.notes),
  },
  {
    names: ["smp", "p"],
    group: "Devices",
    value: "N",
    help: "processors; 4 or the host's, whichever is less",
    apply: async (settings, value) =>
      settings.processors = (await values()).parseProcessors(value, settings.notes),
  },
  {
    names: ["serial"],
    group: "Devices",
    value: "stdio|pty[,wait]|file:PATH[,append=on]|unix:PATH|tcp:HOST:PORT,server=on|null|none",
    help: "console hvc0, then hvc1 …; wait for a reader; what nobody reads is dropped",
    several: true,
    apply: async (settings, value) =>
      addSerial(settings, (await serial()).parseSerial(value, settings.notes), `-serial ${value}`),
  },
  {
    names: ["t"],
    group: "Devices",
    value: "0|1",
    help: "vftool's: 0 is -serial stdio, 1 is -serial pty",
    apply: async (settings, value) => {
      const stdio = (await values()).oneOf(["0", "1"], value, "the terminal") === "0";
      settings.serial.push(stdio ? { kind: "stdio" } : { kind: "pty", wait: false });
    },
  },
  {
    names: ["vsock"],
    group: "Devices",
    value: "connect,port=N,path=PATH|listen,port=N,path=PATH|path=PATH",
    help: "joins unix sockets with the guest's; path= alone: Firecracker's CONNECT N",
    several: true,
    apply: async (settings, value) => {
      const join = (await vsock()).parseVsock(value);
      (settings.vsock ??= []).push(join);
    },
  },
  {
    names: ["ready"],
    group: "Devices",
    value: "[FILE]",
    words: "optional",
    help: "says when systemd in the guest is ready; FILE is there from then on",
    apply: (settings, file) => {
      settings.vsock ??= [];
      settings.ready = file === undefined ? {} : { file };
    },
  },
  {
    names: ["ignition"],
    group: "Devices",
    value: "FILE",
    help: "what Ignition in the guest gets at port 1024 of its sockets, as vfkit has it",
    apply: (settings, file) => {
      settings.vsock ??= [];
      settings.ignition = file;
    },
  },
  {
    names: ["timesync"],
    group: "Devices",
    value: "vsockPort=N",
    help: "qemu's agent at this port of the guest is told the time after a sleep",
    apply: async (settings, value) => {
      settings.timeSync = (await vsock()).parseTimeSync(value);
      settings.vsock ??= [];
    },
  },
  {
    names: ["display"],
    group: "Devices",
    value: "window[,width=W,height=H][,full-grab=on][,hidpi=on]|none",
    help: "800x600, where there is a screen; full-grab: system keys; hidpi: Retina's pixels",
    apply: async (settings, value) =>
      setDisplay(settings, (await values()).parseDisplay(value, settings.notes)),
  },
  {
    names: ["nographic"],
    group: "Devices",
    help: "no window, as -display none",
    apply: (settings) => {
      setDisplay(settings, "none");
      settings.nographic = true;
    },
  },
  {
    names: ["name"],
    group: "Devices",
    value: "NAME",
    help: "the machine's name; a named machine keeps its MAC address",
    apply: async (settings, value) => settings.name = (await values()).parseName(value, settings.notes),
  },
  {
    names: ["machine-id"],
    group: "Devices",
    value: "FILE",
    help: "the identity that the guest sees, made when missing",
    apply: (settings, value) => settings.machineId = value,
  },
  {
    names: ["help", "h"],
    group: "The program",
    value: "[qemu]",
    words: "optional",
    help: "this text, or what becomes of qemu's other options",
    several: true,
    apply: async (settings, topic) => {
      if (topic !== undefined) settings.topic = (await values()).oneOf(["qemu"] as const, topic, "the topic");
      settings.mode = "help";
    },
  },
  {
    names: ["version"],
    group: "The program",
    help: "the version",
    apply: (settings) => settings.mode = settings.mode === "help" ? "help" : "version",
  },
  {
    names: ["completions"],
    group: "The program",
    value: SHELLS.join("|"),
    help: "a script that completes these options in a shell",
    apply: async (settings, value) => {
      settings.shell = (await values()).oneOf(SHELLS, value, "the shell");
      settings.mode = settings.mode === "help" ? "help" : "completions";
    },
  },
  {
    names: ["dry-run"],
    group: "The program",
    help: "check everything, start nothing, print the machine as JSON",
    apply: (settings) => settings.mode = settings.mode === "run" ? "dry-run" : settings.mode,
  },
  {
    names: ["pidfile"],
    group: "The program",
    value: "FILE",
    help: "its process id is in this file as long as it runs",
    apply: (settings, value) => settings.pidFile = value,
  },
  {
    names: ["daemonize"],
    group: "The program",
    help: "the prompt is back when the machine runs, which goes on without the terminal",
    apply: (settings) => settings.daemonize = true,
  },
  {
    names: ["qmp"],
    group: "The program",
    value: "unix:PATH[,server=on][,wait=off]|tcp:HOST:PORT,server=on[,wait=off]|stdio",
    help: "qemu's protocol for programs that control the machine (docs/qmp.md)",
    several: true,
    apply: async (settings, value) =>
      (settings.qmp ??= []).push((await qmp()).parseQMP(value, settings.notes)),
  },
  {
    names: ["S"],
    group: "The program",
    help: "the machine starts when QMP's cont says so",
    apply: (settings) => settings.startsPaused = true,
  },
  {
    names: ["quiet"],
    group: "The program",
    help: "nothing on stderr but errors, and where a pty is",
    apply: (settings) => settings.verbosity = "quiet",
  },
  {
    names: ["verbose"],
    group: "The program",
    help: "every step on stderr",
    apply: (settings) => settings.verbosity = "verbose",
  },
];
