/** The machine's disks as `query-block` tells of them. */

import type { Disk } from "../machine/disk.ts";
import type { ControlledMachine } from "./controlled_machine.ts";

/** What is behind a disk. Limits on its use, which qemu may have, there are none. */
function inserted({ file, readOnly, snapshot, cache }: Disk, node: string): unknown {
  const none = { bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
  const size = sizeOf(file);
  return {
    file,
    "node-name": node,
    ro: readOnly && !snapshot,
    drv: "raw",
    encrypted: false,
    backing_file_depth: 0,
    detect_zeroes: "off",
    write_threshold: 0,
    cache: { writeback: cache !== "writethrough", direct: cache === "none", "no-flush": cache === "unsafe" },
    image: { filename: file, format: "raw", "virtual-size": size, ...blocksOf(file) },
    ...none,
  };
}

function sizeOf(file: string): number {
  try {
    return Deno.statSync(file).size;
  } catch {
    return 0; // it was moved away meanwhile
  }
}

function blocksOf(file: string): { "actual-size"?: number } {
  try {
    const { blocks } = Deno.statSync(file);
    return blocks === null ? {} : { "actual-size": blocks * 512 };
  } catch {
    return {};
  }
}

/** `query-block`'s answer. */
export function blockInfo({ disks }: ControlledMachine): unknown[] {
  return disks.map(({ device, id, node, disk }) => ({
    device,
    qdev: `/machine/peripheral/${id}`,
    type: "unknown",
    removable: false,
    locked: false,
    inserted: inserted(disk, node),
  }));
}
