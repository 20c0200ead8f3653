/** qemu's `-device`, `-object`, `-chardev` and `-blockdev`: which of them a machine has here. */

import type { Disk } from "../../machine/disk.ts";
import { type Answer, answer, type Answers, type Notes, partsOf, readKeys } from "./answers.ts";
import { disk, type DiskSettings, DRIVE_KEYS } from "./drive.ts";
import { SERIAL_KINDS, SOCKET_KEYS, tcpSerial, unixSerial } from "./serial.ts";
import { addSerial, namedIn, namePart, type Settings, useNamed } from "./settings.ts";
import { oneOf, onOff, parseCount } from "./values.ts";
import { UsageError } from "./usage_error.ts";

/** A model of `-device`. */
interface Device extends Answer {
  /** Beside those that all have. */
  keys?: Answers;
  apply?(settings: Settings, keys: Partial<Record<string, string>>, given: string): void;
}

const BUS = "the framework lays out the bus";

/** Keys of every device. */
export const DEVICE_KEYS: Answers = {
  id: { so: "a device needs no name" },
  bus: { cannot: BUS },
  addr: { cannot: BUS },
  multifunction: { cannot: BUS },
  "disable-legacy": { so: "devices are virtio 1", values: ["on"], cannot: "devices are virtio 1" },
  "disable-modern": { so: "devices are virtio 1", values: ["off"], cannot: "devices are virtio 1" },
  romfile: { so: "there are no option ROMs", values: [""], cannot: "there are no option ROMs" },
  iommu_platform: { so: "there is no IOMMU", values: ["off"], cannot: "there is no IOMMU" },
};

const BLOCK_KEYS: Answers = {
  drive: { does: "the -drive or -blockdev of that name" },
  serial: { does: "the serial number of a virtio disk" },
  bootindex: { does: "disks are tried in the order in which they are given, which has to be this" },
  iothread: { so: "disks have threads of their own" },
  "logical_block_size": { so: "sectors have 512 bytes", values: ["512"], cannot: "sectors have 512 bytes" },
  "write-cache": { so: "-drive's cache= says it", values: ["on", "auto"], cannot: "-drive's cache= says it" },
  "num-queues": { cannot: "how many queues there are is the framework's" },
  scsi: { so: "no SCSI commands pass", values: ["off"], cannot: "no SCSI commands pass" },
  removable: { cannot: "a disk cannot be taken out while a machine runs" },
};

function blockDevice(kind: Disk["interface"], does: string): Device {
  return {
    does,
    keys: BLOCK_KEYS,
    apply(settings, { drive, serial, bootindex }, given) {
      if (drive === undefined) throw new UsageError("drive=ID is missing, of a -drive with if=none");
      const named = namedIn(settings);
      const place: DiskSettings = disk("");
      settings.disks.push(place);
      named.later.push(() => {
        const found = useNamed(named, named.drives, "drive", drive, given);
        Object.assign(place, found, {
          interface: kind,
          ...serial !== undefined && { serial },
          ...bootindex !== undefined && { bootIndex: parseCount(bootindex) },
        });
      });
    },
  };
}

const CARD: Device = {
  does: "a network card of the -netdev of that name",
  keys: {
    netdev: { does: "the network" },
    mac: { does: "the card's address" },
    bootindex: { cannot: "there is no booting from a network" },
    mq: {
      so: "the framework chooses",
      values: ["off"],
      cannot: "how many queues there are is the framework's",
    },
    vectors: { cannot: "how many interrupts there are is the framework's" },
    host_mtu: { cannot: "the network's MTU is the framework's" },
  },
  apply(settings, { netdev, mac }, given) {
    if (netdev === undefined) throw new UsageError("netdev=ID is missing, of a -netdev");
    const named = namedIn(settings);
    const i = settings.network.push("none") - 1;
    named.later.push(() => {
      const network = useNamed(named, named.networks, "netdev", netdev, given);
      settings.network[i] = { ...network, ...mac !== undefined && { mac } };
    });
  },
};

/** What comes with a window, and only with one. */
function withWindow(so: string): Device {
  return { so, apply: (settings, _, given) => settings.needsWindow ??= given };
}

const RNG: Device = {
  so: "each machine has one",
  keys: { rng: { so: "it has the host's random numbers" }, "max-bytes": { cannot: "it is not limited" } },
};
const BALLOON: Device = {
  so: "each machine has one",
  keys: { "deflate-on-oom": { cannot: "what it does is the framework's" } },
};
const CONSOLES: Device = { so: "each console has one", keys: { max_ports: { so: "a console is a port" } } };

const CANNOT: readonly (readonly [models: string, why: string])[] = [
  ["e1000 e1000e rtl8139 ne2k_pci vmxnet3 pcnet igb usb-net", "the card is a virtio one: virtio-net-pci"],
  ["ide-hd scsi-hd", "disks are virtio-blk-pci, nvme or usb-storage"],
  ["ide-cd scsi-cd", "a CD is a USB one: -cdrom FILE"],
  [
    "virtio-scsi-pci ahci ich9-ahci megasas lsi lsi53c895a am53c974",
    "disks need no controller: virtio-blk-pci",
  ],
  [
    "intel-hda ich9-intel-hda hda-duplex hda-output hda-micro AC97 ES1370 virtio-sound-pci usb-audio",
    "there is no sound yet",
  ],
  ["virtio-9p-pci virtio-9p-device vhost-user-fs-pci vhost-user-fs-device", "-share TAG DIR shares a folder"],
  ["vhost-vsock-pci vhost-vsock-device", "the guest has no sockets of this kind yet"],
  ["vfio-pci usb-host usb-redir", "a device of the host cannot be the guest's"],
  [
    "virtio-keyboard-pci virtio-mouse-pci virtio-tablet-pci usb-mouse usb-wacom-tablet",
    "with a window there are usb-kbd and usb-tablet",
  ],
  [
    "VGA qxl qxl-vga cirrus-vga bochs-display ramfb secondary-vga vmware-svga virtio-gpu-gl-pci virtio-vga-gl",
    "the screen is a virtio one without 3D: virtio-gpu-pci",
  ],
  ["pcie-root-port pci-bridge pcie-pci-bridge ioh3420 i82801b11-bridge pxb-pcie", BUS],
  [
    "usb-ehci ich9-usb-ehci1 ich9-usb-uhci1 ich9-usb-uhci2 ich9-usb-uhci3 piix3-usb-uhci piix4-usb-uhci usb-hub",
    "the USB controller is an XHCI one: qemu-xhci",
  ],
  ["virtserialport", "a port that is no console cannot be yet: virtconsole, or -serial"],
  ["isa-serial pci-serial usb-serial", "consoles are virtio ones, hvc0, hvc1 …: -serial"],
  [
    "tpm-tis tpm-crb tpm-tis-device pvpanic pvpanic-pci isa-debug-exit isa-debugcon i6300esb ib700 vmcoreinfo " +
    "vmgenid edu ivshmem-plain ivshmem-doorbell virtio-iommu-pci intel-iommu virtio-crypto-pci virtio-pmem-pci " +
    "nvdimm pc-dimm virtio-mem-pci loader guest-loader sdhci-pci sd-card floppy usb-ccid applesmc",
    "the framework has no such device",
  ],
];

/** Models by name. */
export const DEVICES: Readonly<Record<string, Device>> = {
  "virtio-blk-pci": blockDevice("virtio", "a virtio disk"),
  "virtio-blk-device": blockDevice("virtio", "a virtio disk"),
  "virtio-blk": blockDevice("virtio", "a virtio disk"),
  nvme: blockDevice("nvme", "an NVMe disk"),
  "usb-storage": blockDevice("usb", "a USB disk"),
  "virtio-net-pci": CARD,
  "virtio-net-device": CARD,
  "virtio-net": CARD,
  virtconsole: {
    does: "a console of the -chardev of that name",
    keys: { chardev: { does: "where it goes" }, name: { cannot: "a console is hvc0, hvc1 …" } },
    apply(settings, { chardev }, given) {
      if (chardev === undefined) throw new UsageError("chardev=ID is missing, of a -chardev");
      addSerial(settings, { chardev }, given);
    },
  },
  "virtio-rng-pci": RNG,
  "virtio-rng-device": RNG,
  "virtio-rng": RNG,
  "virtio-balloon-pci": BALLOON,
  "virtio-balloon-device": BALLOON,
  "virtio-balloon": BALLOON,
  "virtio-serial-pci": CONSOLES,
  "virtio-serial-device": CONSOLES,
  "virtio-serial": CONSOLES,
  "qemu-xhci": { so: "what is on USB has one" },
  "nec-usb-xhci": { so: "what is on USB has one" },
  "virtio-gpu-pci": withWindow("the screen of a window is one"),
  "virtio-gpu": withWindow("the screen of a window is one"),
  "virtio-vga": withWindow("the screen of a window is one"),
  "usb-kbd": withWindow("a window has one"),
  "usb-tablet": withWindow("a window has one"),
  ...Object.fromEntries(
    CANNOT.flatMap(([models, cannot]) => models.split(" ").map((model) => [model, { cannot }])),
  ),
};

/** `-device`'s. */
export function addDevice(settings: Settings, text: string): void {
  const [first, ...rest] = partsOf(text);
  const [model, isDriver] = first?.[1] === undefined ? [first?.[0] ?? ""] : [first[1], first[0]];
  if (isDriver !== undefined && isDriver !== "driver") throw new UsageError("the model comes first");
  if (!Object.hasOwn(DEVICES, model)) {
    const known = Object.keys(DEVICES).filter((name) => DEVICES[name].does ?? DEVICES[name].so);
    throw new UsageError(`unknown model '${model}'; known are ${known.join(", ")}`);
  }
  const device = DEVICES[model];
  if (device.does === undefined) answer(device, `-device ${model}`, model, settings.notes);
  const keys = readKeys(rest, { ...DEVICE_KEYS, ...device.keys }, settings.notes);
  device.apply?.(settings, keys, `-device ${text}`);
}

const MEMORY = "the guest's memory is the framework's: -m";

/** Kinds of `-object`. */
export const OBJECTS: Readonly<Record<string, Answer & { keys?: Answers }>> = {
  "rng-random": {
    so: "the guest has the host's random numbers",
    keys: {
      filename: {
        so: "these are the system's",
        values: ["/dev/urandom", "/dev/random"],
        cannot: "random numbers are the system's",
      },
    },
  },
  "rng-builtin": { so: "the guest has the host's random numbers" },
  iothread: { so: "disks have threads of their own" },
  "memory-backend-ram": { cannot: MEMORY },
  "memory-backend-file": { cannot: MEMORY },
  "memory-backend-memfd": { cannot: MEMORY },
  secret: { cannot: "no image is encrypted" },
  "tls-creds-x509": { cannot: "no connection is encrypted" },
  "throttle-group": { cannot: "disks are not throttled" },
  "filter-dump": { cannot: "tcpdump in the guest, or on the host's bridge, sees the packets" },
  "can-bus": { cannot: "the framework has no such device" },
};

/** `-object`'s. */
export function takeObject(text: string, notes: Notes): void {
  const [first, ...rest] = partsOf(text);
  const kind = first?.[0] === "qom-type" ? first[1] ?? "" : first?.[0] ?? "";
  const found = Object.hasOwn(OBJECTS, kind) ? OBJECTS[kind] : undefined;
  if (!found) throw new UsageError(`unknown object '${kind}'; known are rng-random, rng-builtin, iothread`);
  answer(found, `-object ${kind}`, kind, notes);
  readKeys(rest, { id: { so: "an object needs no name" }, ...found.keys }, notes);
}

const CHARDEV_KEYS = {
  id: { does: "its name" },
  path: { does: "of a file, or of a unix socket" },
  append: { does: "what is in a file stays" },
  host: { does: "where a socket listens" },
  port: { does: "the port at which it listens" },
  mux: { does: "on stdio: the terminal's keys are there, and no monitor is" },
  signal: {
    so: "Ctrl-C is the guest's",
    values: ["off"],
    cannot: "Ctrl-C is the guest's; Ctrl-A x ends the machine",
  },
  ...SOCKET_KEYS,
  ipv4: { so: "an address says which it is" },
  ipv6: { so: "an address says which it is" },
} satisfies Answers;

/** `-chardev`'s. */
export function addChardev(settings: Settings, text: string): void {
  const { notes } = settings;
  const [first, ...rest] = partsOf(text);
  const kind = first?.[0] === "backend" ? first[1] ?? "" : first?.[0] ?? "";
  const socketKeys = Object.keys(SOCKET_KEYS);
  const ofSocket = rest.filter(([key]) => socketKeys.includes(key) || key === "nowait");
  const given = readKeys(rest.filter((part) => !ofSocket.includes(part)), CHARDEV_KEYS, notes, ["append"]);
  if (given.id === undefined) throw new UsageError("id=ID is missing");
  if (kind !== "socket" && ofSocket.length > 0) throw new UsageError(`${ofSocket[0][0]}= goes with socket`);
  if (given.mux !== undefined && onOff(given.mux, "mux") && kind !== "stdio") {
    throw new UsageError("mux=on goes with stdio: there is no monitor to share it with");
  }
  const { consoles } = namedIn(settings);
  if (kind === "stdio" || kind === "null") return namePart(consoles, given.id, { kind });
  if (kind === "pty") return namePart(consoles, given.id, { kind, wait: false });
  if (kind === "file") {
    if (given.path === undefined) throw new UsageError("path=FILE is missing");
    const append = given.append !== undefined && onOff(given.append, "append");
    return namePart(consoles, given.id, { kind, path: given.path, ...append && { append } });
  }
  if (kind === "socket" && given.path !== undefined) {
    return namePart(consoles, given.id, unixSerial(given.path, ofSocket, notes));
  }
  if (kind === "socket") {
    if (given.port === undefined) throw new UsageError("path=PATH, or host=HOST,port=PORT, is missing");
    return namePart(
      consoles,
      given.id,
      tcpSerial(`${given.host ?? ""}:${given.port}`, ofSocket, false, notes),
    );
  }
  const known = Object.hasOwn(SERIAL_KINDS, kind) ? SERIAL_KINDS[kind] : undefined;
  throw new UsageError(known?.cannot ?? "the kind is one of stdio, pty, file, socket, null");
}

const BLOCKDEV_KEYS = {
  driver: { does: "raw, qcow2, or file for what is below them" },
  "node-name": { does: "its name" },
  filename: { does: "the image" },
  file: { does: "the node below it" },
  "file.driver": { so: "an image is a file", values: ["file"], cannot: "an image is a file" },
  "file.filename": { does: "the image" },
  "read-only": { does: "the guest cannot write" },
  "auto-read-only": { so: "an image is opened as it is needed" },
  "cache.direct": { does: "on: cache=none" },
  "cache.no-flush": { so: "a flush is one", values: ["off"], cannot: "-drive cache=unsafe" },
  discard: DRIVE_KEYS.discard,
  aio: DRIVE_KEYS.aio,
} satisfies Answers;

/** `-blockdev`'s: a disk for a -device, or the file of another. */
export function addBlockdev(settings: Settings, text: string): void {
  if (text.startsWith("{")) throw new UsageError("as key=value, and not as JSON");
  const given = readKeys(partsOf(text), BLOCKDEV_KEYS, settings.notes);
  const name = given["node-name"];
  if (name === undefined) throw new UsageError("node-name=NAME is missing");
  const driver = oneOf(["raw", "qcow2", "file"], given.driver ?? "", "driver");
  const named = namedIn(settings);
  const file = given.filename ?? given["file.filename"];
  const direct = given["cache.direct"] !== undefined && onOff(given["cache.direct"], "cache.direct");
  const readOnly = given["read-only"] !== undefined && onOff(given["read-only"], "read-only");
  const made = disk(file ?? "", {
    ...driver !== "file" && { format: driver },
    ...direct && { cache: "none" },
    ...readOnly && { readOnly },
  });
  namePart(named.drives, name, made);
  if (file !== undefined) return;
  const below = given.file;
  if (below === undefined) throw new UsageError("filename=FILE, or file=NODE, is missing");
  named.below.push(() => {
    const found = useNamed(named, named.drives, "drive", below, `-blockdev ${text}`);
    made.file = found.file;
    if (found.cache !== "writeback") made.cache = found.cache;
    made.readOnly ||= found.readOnly;
  });
}
