/** Whether EFI firmware finds something to boot: without a screen, one that does not may run silently for ever. */

import { ignoreNotFound } from "../host/error.ts";
import { exists } from "../host/files.ts";
import { machineArchitecture } from "../host/system.ts";
import { DiskReader } from "../images/disk_reader.ts";
import { findBoot, type Finding, type Processor } from "../images/efi_boot.ts";
import { hasBootEntries } from "../images/efi_variables.ts";
import { ImageFile } from "../images/image_file.ts";
import { RawLayer } from "../images/layer.ts";
import type { Boot } from "./boot.ts";
import type { Disk, DiskSource, OpenedDisk } from "./disk.ts";
import { MachineError, refusableLater } from "./error.ts";
import type { Reporter } from "./run_context.ts";

/** So much of a variable store is looked at: what is behind it in arm64's 64 MiB is empty. */
const STORE_HEAD = 1024 * 1024;

/** A disk, and what is found on it; undefined when that cannot be seen. */
interface LookedAt {
  name: string;
  finding?: Finding;
}

/**
 * Looks for what firmware boots, and says what there is when it may be nothing.
 *
 * @returns Whether all that may boot was seen: an image that is compressed is when it was unpacked.
 * @throws {MachineError} When there is nothing for sure.
 */
export async function checkBootable(
  boot: Boot,
  disks: readonly (OpenedDisk & { format: DiskSource })[],
  { dryRun, reporter: { info, debug } }: { dryRun: boolean; reporter: Reporter },
): Promise<boolean> {
  if (boot.kind !== "efi") return true;
  const say = dryRun ? info : debug;
  const processor = machineArchitecture() === "arm64" ? "aarch64" : "x86_64";
  const looked: LookedAt[] = [];
  for (const [i, disk] of disks.entries()) {
    const name = nameOf(disk.disk);
    const finding = await refusableLater(
      `disks[${i}].file`,
      `cannot use ${name}`,
      () => lookAt(disk, processor),
    );
    if (finding?.kind === "boots") {
      say(`EFI boots ${finding.loader.path} of ${name}`);
      return true;
    }
    looked.push({ name, finding });
  }
  const found = (kind: Finding["kind"]) =>
    looked.flatMap(({ name, finding }) =>
      finding?.kind === kind && finding.kind !== "boots" ? [`${name}: ${finding.why}`] : []
    );
  const maybe = found("maybe").join("; ");
  if (maybe !== "") {
    info(`there may be nothing to boot: ${maybe}`);
    return true;
  }
  const nothings = looked.flatMap(({ finding }) => finding?.kind === "nothing" ? [finding] : []);
  if (nothings.length < looked.length) return false; // what is not seen may boot
  const why = found("nothing").join("; ");
  const { variables } = boot;
  if (variables !== undefined && nothings.some(({ isReadable }) => isReadable) && isInstalled(variables)) {
    info(`there may be nothing to boot but what a boot entry in '${variables}' names: ${why}`);
    return true;
  }
  const one = looked.length === 1;
  throw new MachineError(`${one ? "cannot boot" : "there is nothing to boot:"} ${why}`, {
    field: one ? "disks[0].file" : "boot",
    remedy: nothings.every(({ isBlank }) => isBlank) ? "a CD to install from goes beside it" : undefined,
  });
}

function nameOf({ file, source, media }: Disk): string {
  return `${media === "cdrom" ? "CD" : "disk"} '${source?.file ?? file}'`;
}

/** Nothing when what it will hold cannot be seen yet, or not here. */
async function lookAt(
  { disk, image, format }: OpenedDisk & { format: DiskSource },
  processor: Processor,
): Promise<Finding | undefined> {
  if (format === "asif" || format === "fat") return undefined;
  if (!exists(disk.file)) {
    if (image && !image.layer) return undefined;
    if (image?.layer) {
      const { decompress } = await import("../images/decompress_cluster.ts");
      return findBoot(new DiskReader(image.layer, decompress), processor);
    }
    const isNew = disk.size !== undefined;
    return isNew ? { kind: "nothing", why: "it is new", isReadable: false, isBlank: true } : undefined;
  }
  using layer = new RawLayer(new ImageFile(disk.file));
  return findBoot(new DiskReader(layer), processor);
}

/** Whether a variable store has boot entries of an operating system's. */
function isInstalled(path: string): boolean {
  return ignoreNotFound(() => {
    using store = new ImageFile(path);
    const head = new Uint8Array(Math.min(STORE_HEAD, store.size));
    store.readWhole(0, head);
    return hasBootEntries(head);
  }) ?? false;
}
