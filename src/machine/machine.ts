/** What a virtual machine is: plain data, the same that `-dry-run` prints. */

/** A Linux kernel that is started without firmware. */
export interface LinuxBoot {
  /** Tells it from {@linkcode EFIBoot}. */
  from: "linux";
  /** Path of the kernel. */
  kernel: string;
  /** The file that was given for it, and what that is, outermost first: `["gzip", "arm64 Image"]`. */
  source?: { file: string; layers: string[] };
  /** Path of the initial RAM disk. */
  initrd?: string;
  /** Kernel command line; a unified kernel image has its own. */
  commandLine?: string;
}

/** EFI firmware, which boots from the first disk that it can. */
export interface EFIBoot {
  /** Tells it from {@linkcode LinuxBoot}. */
  from: "efi";
  /** File of the variable store, made when missing; without it the variables are gone when the machine ends. */
  variables?: string;
}

/** How a disk's writes reach the host's disk; qemu's words. */
export type Cache = "writeback" | "none" | "writethrough" | "unsafe";

/** The form of a disk image. */
export type DiskFormat = "raw" | "qcow2";

/** A disk image. */
export interface Disk {
  /** Path of the image. */
  file: string;
  /** Recognised when it is not said. */
  format?: DiskFormat;
  /** The image that was given, when the raw one had to be made of it. */
  source?: { file: string; format: DiskFormat };
  /** The controller in the guest. */
  interface: "virtio" | "usb" | "nvme";
  /** The guest cannot write to it. */
  readOnly: boolean;
  /** How writes reach the host's disk. */
  cache: Cache;
  /** What the guest finds in /dev/disk/by-id. */
  serial?: string;
  /** What has been inserted as a CD must be one. */
  media?: "cdrom";
  /** In bytes: makes a sparse file of that size when there is none. */
  size?: number;
  /** Writes go to a clone that is gone when the machine ends. */
  snapshot: boolean;
}

/** A folder of the host's: `mount -t virtiofs TAG /mnt`. */
export interface Share {
  /** What the guest mounts it by. */
  tag: string;
  /** Path of the folder. */
  folder: string;
  /** The guest cannot write to it. */
  readOnly: boolean;
}

/** Where a console of the guest goes. */
export type Serial =
  | { to: "stdio" }
  /** A pseudo-terminal; `wait` holds the start until someone has opened it. */
  | { to: "pty"; wait: boolean }
  | { to: "file"; path: string }
  /** A listening socket, one client at a time. */
  | { to: "unix"; path: string }
  | { to: "null" };

/** A network card, and what it is plugged into. */
export interface Network {
  /** The host's NAT, or an interface of the host, by its name. */
  attachment: "nat" | { bridge: string };
  /** `52:54:00:12:34:56`; a random one without. */
  mac?: string;
}

/** A window with the guest's screen. */
export interface Display {
  /** In pixels: what the guest starts with; then it follows the window. */
  width: number;
  /** In pixels, like the width. */
  height: number;
  /** Whether keys that are the system's own go to the guest too. */
  fullGrab: boolean;
}

/** A virtual machine. */
export interface Machine {
  /** For people. */
  name?: string;
  /** File of the identity that the guest sees, made when missing. */
  machineId?: string;
  /** What is started. */
  boot: LinuxBoot | EFIBoot;
  /** In bytes. */
  memory: number;
  /** Virtual ones. */
  processors: number;
  /** In the order in which the guest finds them. */
  disks: Disk[];
  /** Folders of the host's. */
  shares: Share[];
  /** Tag of the share with Rosetta, which runs x86_64 programs on Apple silicon. */
  rosetta?: string;
  /** hvc0, hvc1 … in this order. */
  serial: Serial[];
  /** In the order in which the guest finds them. */
  network: Network[];
  /** Without it there is no screen, keyboard or pointer. */
  display?: Display;
}
