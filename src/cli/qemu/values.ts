/** The values of options, each read from the words that qemu has for them. */

import { DISK_FORMATS } from "../../images/disk_format.ts";
import type { CacheMode, Disk, DiskFormat } from "../../machine/disk.ts";
import type { Display } from "../../machine/display.ts";
import type { Network } from "../../machine/network.ts";
import type { Serial } from "../../machine/serial.ts";
import type { Share } from "../../machine/share.ts";
import { parseKeyValues } from "./key_values.ts";
import { UsageError } from "./usage_error.ts";

/** A disk as the command line has it. */
export type DiskSettings = Partial<Disk> & Pick<Disk, "file">;

const UNITS: Record<string, number> = { "": 2 ** 20, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** A size as qemu's `-m` takes it, in bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmgt]?)$/i.exec(text);
  if (!match) throw new UsageError("expected a size in MiB, or with K, M or G, like 512 or 2G");
  const bytes = Number(match[1]) * UNITS[match[2].toLowerCase()];
  if (!Number.isInteger(bytes)) throw new UsageError("expected a whole number of bytes");
  return bytes;
}

/** A whole number. */
export function parseCount(text: string): number {
  if (!/^\d+$/.test(text)) throw new UsageError("expected a whole number");
  return Number(text);
}

/** `-serial`'s. */
export function parseSerial(text: string): Serial | "none" {
  if (text === "none") return text;
  if (text === "stdio" || text === "null") return { kind: text };
  if (text === "pty" || text === "pty,wait") return { kind: "pty", wait: text !== "pty" };
  const [, unix] = /^unix:(.*)$/s.exec(text) ?? [];
  if (unix !== undefined) return { kind: "unix", path: unix };
  const [, file, append] = /^file:(.*?)(?:,append=(on|off))?$/s.exec(text) ?? [];
  if (file !== undefined) return { kind: "file", path: file, ...append === "on" && { append: true } };
  throw new UsageError("expected stdio, pty, pty,wait, file:PATH, unix:PATH, null or none");
}

/** One of some words; `what` is what the error calls it. */
export function oneOf<T extends string>(values: readonly T[], text: string, what: string): T {
  if ((values as readonly string[]).includes(text)) return text as T;
  throw new UsageError(`${what} is one of ${values.join(", ")}`);
}

function onOff(text: string, what: string): boolean {
  return oneOf(["on", "off"], text, what) === "on";
}

const CACHES = ["writeback", "none", "writethrough", "unsafe"] as const;

/** A disk that nothing else is said of than its file and some parts. */
export function disk(file: string, parts: Partial<Disk> = {}): DiskSettings {
  return { file, interface: "virtio", readOnly: false, cache: "writeback", ...parts };
}

/** `-drive`'s. */
export function parseDrive(text: string): DiskSettings {
  const keys = ["file", "if", "readonly", "format", "size", "cache", "serial", "snapshot"] as const;
  const given = parseKeyValues(text, keys);
  if (given.file === undefined) throw new UsageError("file=FILE is missing");
  return disk(given.file, {
    interface: oneOf<Disk["interface"]>(["virtio", "usb", "nvme"], given.if ?? "virtio", "if"),
    readOnly: onOff(given.readonly ?? "off", "readonly"),
    cache: oneOf<CacheMode>(CACHES, given.cache ?? "writeback", "cache"),
    ...given.serial === undefined ? {} : { serial: given.serial },
    ...given.size === undefined ? {} : { size: parseSize(given.size) },
    ...given.format === undefined ? {} : { format: oneOf<DiskFormat>(DISK_FORMATS, given.format, "format") },
    ...given.snapshot === undefined ? {} : { snapshot: onOff(given.snapshot, "snapshot") },
  });
}

/** `-virtfs`'s. */
export function parseVirtfs(text: string): Share {
  const [driver, ...rest] = text.split(",");
  oneOf(["local"], driver, "the first word");
  // security_model is what qemu's lines have: on both systems files belong to the user who runs the machine.
  const keys = ["path", "mount_tag", "readonly", "security_model", "id"] as const;
  const given = parseKeyValues(rest.join(","), keys);
  if (given.path === undefined) throw new UsageError("path=DIR is missing");
  if (given.mount_tag === undefined) throw new UsageError("mount_tag=TAG is missing");
  return { tag: given.mount_tag, folder: given.path, readOnly: onOff(given.readonly ?? "off", "readonly") };
}

/** `-share`'s: the tag, then `DIR` or `DIR,ro`. */
export function parseShare(tag: string, folder: string): Share {
  const readOnly = folder.endsWith(",ro");
  return { tag, folder: readOnly ? folder.slice(0, -",ro".length) : folder, readOnly };
}

/** `-nic`'s. */
export function parseNic(text: string): Network | "none" {
  const [kind, ...rest] = text.split(",");
  if (oneOf(["user", "none", "bridge"], kind, "the network") === "none") {
    if (rest.length > 0) throw new UsageError("none takes nothing more");
    return "none";
  }
  const given = parseKeyValues(rest.join(","), ["br", "mac", "model"] as const);
  if (kind === "bridge" && given.br === undefined) throw new UsageError("br=INTERFACE is missing");
  if (kind === "user" && given.br !== undefined) throw new UsageError("br= goes with bridge");
  if (given.model !== undefined) oneOf(["virtio", "virtio-net-pci"], given.model, "model");
  const mac = given.mac === undefined ? {} : { mac: given.mac };
  return kind === "bridge" ? { kind, interface: given.br!, ...mac } : { kind: "nat", ...mac };
}

/** `-display`'s. */
export function parseDisplay(text: string): Partial<Display> | "none" {
  const [kind, ...rest] = text.split(",");
  if (oneOf(["window", "none"], kind, "the display") === "none") {
    if (rest.length > 0) throw new UsageError("none takes nothing more");
    return "none";
  }
  const given = parseKeyValues(rest.join(","), ["width", "height", "full-grab", "hidpi"] as const);
  return {
    ...given.width !== undefined && { width: parseCount(given.width) },
    ...given.height !== undefined && { height: parseCount(given.height) },
    ...given.hidpi !== undefined && { hidpi: onOff(given.hidpi, "hidpi") },
    ...given["full-grab"] !== undefined && { fullGrab: onOff(given["full-grab"], "full-grab") },
  };
}
