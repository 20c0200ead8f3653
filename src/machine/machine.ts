/** What a virtual machine is: plain data, the same that `-dry-run` prints. */

/** A Linux kernel that is started without firmware. */
export interface Boot {
  /** Path of the kernel. */
  kernel: string;
  /** Path of the initial RAM disk. */
  initrd?: string;
  /** Kernel command line. */
  commandLine: string;
}

/** Where a console of the guest goes: vzrun's own stdin and stdout, a file, or nowhere. */
export type Serial = { to: "stdio" } | { to: "file"; path: string } | { to: "null" };

/** A network card, and what it is plugged into. */
export interface Network {
  attachment: "nat";
}

/** A virtual machine. */
export interface Machine {
  boot: Boot;
  /** In bytes. */
  memory: number;
  processors: number;
  /** hvc0, hvc1 … in this order. */
  serial: Serial[];
  network: Network[];
}
