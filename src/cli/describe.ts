/** Settings to a Machine: defaults, and what must not stand together. */

import type { HostLimits } from "../machine/check.ts";
import type { Machine, Serial } from "../machine/machine.ts";
import { type Settings, UsageError } from "./options.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

/**
 * The machine that a command line describes.
 *
 * @throws {UsageError} When there is nothing to boot, or options contradict each other.
 */
export function describe(settings: Settings, limits: HostLimits): Machine {
  if (settings.kernel === undefined) {
    if (settings.append !== undefined) {
      throw new UsageError("-append needs -kernel: it is the kernel's command line");
    }
    if (settings.initrd !== undefined) {
      throw new UsageError("-initrd needs -kernel: it is the kernel that reads it");
    }
    throw new UsageError("nothing to boot: give a kernel with -kernel FILE (-help lists all options)");
  }
  const half = Math.floor(limits.memory.maximum / 2 / MiB) * MiB;
  return {
    boot: {
      kernel: settings.kernel,
      ...settings.initrd === undefined ? {} : { initrd: settings.initrd },
      commandLine: settings.append ?? "console=hvc0",
    },
    memory: settings.memory ?? Math.min(4 * GiB, half),
    processors: settings.processors ?? Math.min(4, limits.processors.maximum),
    serial: consoles(settings.serial),
    network: [{ attachment: "nat" }],
  };
}

function consoles(serial: Settings["serial"]): Serial[] {
  if (serial.length === 0) return [{ to: "stdio" }];
  if (serial.includes("none") && serial.length > 1) throw new UsageError("-serial none stands alone");
  const ports = serial.filter((port) => port !== "none");
  if (ports.filter((port) => port.to === "stdio").length > 1) {
    throw new UsageError("-serial stdio is given twice: there is one stdin");
  }
  return ports;
}
