/** qemu's `-device`: which of its models a machine has here. */

import type { Disk } from "../../machine/disk.ts";
import { type Answer, answer, type Answers, partsOf, readKeys } from "./answers.ts";
import { disk, type DiskSettings } from "./drive.ts";
import { addSerial, claimId, namedIn, type Settings, useNamed } from "./settings.ts";
import { parseCount } from "./values.ts";
import { VSOCK_DEVICE_KEYS } from "./vsock.ts";
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
  id: { so: "a device may have a name" },
  bus: { cannot: BUS },
  addr: { cannot: BUS },
  multifunction: { cannot: BUS },
  "disable-legacy": { so: "devices are virtio 1", values: ["on"], cannot: "devices are virtio 1" },
  "disable-modern": { so: "devices are virtio 1", values: ["off"], cannot: "devices are virtio 1" },
  packed: { cannot: "how queues are laid out is the framework's" },
  ats: { so: "there is no IOMMU", values: ["off"], cannot: "there is no IOMMU" },
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
  "share-rw": { so: "an image has one writer", values: ["off"], cannot: "an image has one writer" },
  "config-wce": { cannot: "-drive's cache= says it" },
  "physical_block_size": { cannot: "sectors have 512 bytes" },
  removable: { cannot: "what a disk says of itself is the framework's" },
};

/** What is on USB may name the one controller. */
const USB_KEYS: Answers = {
  bus: { so: "there is one USB controller" },
  port: { cannot: "what is on USB is where there is room" },
};

/** Sees to it that an object is there that a device names. */
function needsObject(settings: Settings, id: string | undefined, given: string): void {
  if (id === undefined) return;
  const named = namedIn(settings);
  named.later.push(() => {
    if (!named.ids.has(`object ${id}`)) throw new UsageError(`${given}: no -object has id=${id}`);
  });
}

function blockDevice(kind: Disk["interface"], does: string): Device {
  const noSerial = { cannot: "the serial number of such a disk is the framework's" };
  return {
    does,
    keys: { ...BLOCK_KEYS, ...kind !== "virtio" && { serial: noSerial }, ...kind === "usb" && USB_KEYS },
    apply(settings, { drive, serial, bootindex, iothread }, given) {
      needsObject(settings, iothread, given);
      const bootIndex = bootindex === undefined ? undefined : parseCount(bootindex);
      if (drive === undefined) throw new UsageError("drive=ID is missing, of a -drive with if=none");
      const named = namedIn(settings);
      const place: DiskSettings = disk("");
      settings.disks.push(place);
      named.later.push(() => {
        const found = useNamed(named, named.drives, "drive", drive, given);
        if (serial !== undefined && found.serial !== undefined && found.serial !== serial) {
          throw new UsageError(`${given}: -drive says serial=${found.serial}`);
        }
        Object.assign(place, found, {
          interface: kind,
          ...serial !== undefined && { serial },
          ...bootIndex !== undefined && { bootIndex },
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
    csum: { cannot: "what the card does by itself is the framework's" },
    rx_queue_size: { cannot: "how long queues are is the framework's" },
    tx_queue_size: { cannot: "how long queues are is the framework's" },
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
function withWindow(so: string, keys: Answers = {}): Device {
  return { so, keys, apply: (settings, _, given) => settings.needsWindow ??= given };
}

const SCREEN_KEYS: Answers = {
  xres: { cannot: "-display window,width=" },
  yres: { cannot: "-display window,height=" },
  max_outputs: { so: "there is one screen", values: ["1"], cannot: "there is one screen" },
  edid: { cannot: "what the screen says of itself is the framework's" },
};

/** A device that each machine has once. */
function once(model: string, keys: Answers, apply?: Device["apply"]): Device {
  return {
    so: "each machine has one",
    keys,
    apply(settings, values, given) {
      const { ids } = namedIn(settings);
      if (ids.has(`one ${model}`)) throw new UsageError("each machine has one, and no more");
      ids.add(`one ${model}`);
      apply?.(settings, values, given);
    },
  };
}

const RNG = once("rng", {
  rng: { so: "it has the host's random numbers" },
  "max-bytes": { cannot: "it is not limited" },
  period: { cannot: "it is not limited" },
}, (settings, { rng }, given) => needsObject(settings, rng, given));
const BALLOON = once("balloon", {
  "deflate-on-oom": { cannot: "what it does is the framework's" },
  "free-page-reporting": { cannot: "what it does is the framework's" },
});
const VSOCK: Device = {
  ...once("vsock", VSOCK_DEVICE_KEYS, (settings) => settings.vsock ??= []),
  so: undefined,
  does: "the device of -vsock alone",
};
const CONSOLES: Device = {
  so: "each console has one",
  keys: { max_ports: { cannot: "a console is a port, and there are at most ten" } },
};
const XHCI: Device = {
  does: "a USB controller, to which disks can be attached while it runs (macOS 15)",
  apply: (settings) => settings.usb = true,
  keys: {
    p2: { cannot: "how many ports it has is the framework's" },
    p3: { cannot: "how many ports it has is the framework's" },
  },
};

const CANNOT: readonly (readonly [models: string, why: string])[] = [
  [
    "e1000 e1000e e1000-82545em rtl8139 ne2k_pci vmxnet3 pcnet igb i82551 tulip usb-net virtio-net-pci-transitional",
    "the card is a virtio one: virtio-net-pci",
  ],
  [
    "ide-hd scsi-hd scsi-block scsi-generic usb-uas usb-bot virtio-blk-pci-transitional vhost-user-blk-pci nvme-ns nvme-subsys",
    "disks are virtio-blk-pci, nvme or usb-storage",
  ],
  ["ide-cd scsi-cd", "a CD is a USB one: -cdrom FILE"],
  [
    "virtio-scsi-pci virtio-scsi virtio-scsi-device ahci ich9-ahci piix3-ide isa-ide megasas megasas-gen2 lsi " +
    "lsi53c895a lsi53c810 am53c974 pvscsi mptsas1068",
    "disks need no controller: virtio-blk-pci",
  ],
  [
    "intel-hda ich9-intel-hda hda-duplex hda-output hda-micro AC97 ES1370 sb16 virtio-sound-pci " +
    "virtio-sound virtio-sound-device usb-audio",
    "there is no sound yet",
  ],
  [
    "virtio-9p-pci virtio-9p virtio-9p-device vhost-user-fs-pci vhost-user-fs-device",
    "-share TAG DIR shares a folder",
  ],
  [
    "vhost-user-vsock-pci vhost-user-vsock-device",
    "the other side is the framework: vhost-vsock-pci, and -vsock",
  ],
  [
    "vfio-pci usb-host usb-redir u2f-passthru virtio-input-host-pci",
    "a device of the host cannot be the guest's",
  ],
  [
    "virtio-keyboard-pci virtio-keyboard virtio-keyboard-device virtio-mouse-pci virtio-mouse virtio-tablet-pci " +
    "virtio-tablet usb-mouse usb-wacom-tablet",
    "with a window there are usb-kbd and usb-tablet",
  ],
  [
    "VGA qxl qxl-vga cirrus-vga bochs-display ramfb secondary-vga vmware-svga ati-vga virtio-gpu-gl " +
    "virtio-gpu-gl-pci virtio-vga-gl vhost-user-gpu vhost-user-gpu-pci",
    "the screen is a virtio one without 3D: virtio-gpu-pci",
  ],
  ["pcie-root-port pci-bridge pcie-pci-bridge ioh3420 i82801b11-bridge pxb pxb-pcie x3130-upstream", BUS],
  [
    "usb-ehci ich9-usb-ehci1 ich9-usb-uhci1 ich9-usb-uhci2 ich9-usb-uhci3 piix3-usb-uhci piix4-usb-uhci pci-ohci " +
    "ich9-usb-ehci2 ich9-usb-uhci4 ich9-usb-uhci5 ich9-usb-uhci6 usb-hub",
    "the USB controller is an XHCI one: qemu-xhci",
  ],
  ["virtserialport", "a port that is no console cannot be yet: virtconsole, or -serial"],
  ["isa-serial pci-serial usb-serial", "consoles are virtio ones, hvc0, hvc1 …: -serial"],
  [
    "tpm-tis tpm-crb tpm-tis-device pvpanic pvpanic-pci isa-debug-exit isa-debugcon i6300esb ib700 vmcoreinfo " +
    "vmgenid edu ivshmem-plain ivshmem-doorbell virtio-iommu-pci intel-iommu amd-iommu virtio-crypto-pci virtio-pmem-pci " +
    "nvdimm pc-dimm virtio-mem-pci loader guest-loader sdhci-pci sd-card floppy usb-ccid usb-mtp usb-braille sga acpi-erst applesmc",
    "the framework has no such device",
  ],
];

/** Models by name. */
export const DEVICES: Readonly<Record<string, Device>> = {
  "virtio-blk-pci": blockDevice("virtio", "a virtio disk"),
  "virtio-blk-device": blockDevice("virtio", "a virtio disk"),
  "virtio-blk": blockDevice("virtio", "a virtio disk"),
  "virtio-blk-pci-non-transitional": blockDevice("virtio", "a virtio disk"),
  nvme: blockDevice("nvme", "an NVMe disk"),
  "usb-storage": blockDevice("usb", "a USB disk"),
  "virtio-net-pci": CARD,
  "virtio-net-device": CARD,
  "virtio-net": CARD,
  "virtio-net-pci-non-transitional": CARD,
  "vhost-vsock-pci": VSOCK,
  "vhost-vsock-device": VSOCK,
  "vhost-vsock-pci-non-transitional": VSOCK,
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
  "qemu-xhci": XHCI,
  "nec-usb-xhci": XHCI,
  "virtio-gpu-pci": withWindow("the screen of a window is one", SCREEN_KEYS),
  "virtio-gpu": withWindow("the screen of a window is one", SCREEN_KEYS),
  "virtio-vga": withWindow("the screen of a window is one", SCREEN_KEYS),
  "usb-kbd": withWindow("a window has one", USB_KEYS),
  "usb-tablet": withWindow("a window has one", USB_KEYS),
  ...Object.fromEntries(
    CANNOT.flatMap(([models, cannot]) => models.split(" ").map((model) => [model, { cannot }])),
  ),
};

/** `-device`'s. */
export function addDevice(settings: Settings, text: string): void {
  if (text.startsWith("{")) throw new UsageError("as key=value, and not as JSON");
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
  claimId(settings, "device", keys.id);
  device.apply?.(settings, keys, `-device ${text}`);
}
