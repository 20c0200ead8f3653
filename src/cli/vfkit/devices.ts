/** Devices in vfkit's words. */

import { basename } from "@std/path/posix/basename";
import { UsageError } from "../usage_error.ts";
import { parseNumber, splitWords, type WordKind, Words } from "./words.ts";

/** By which of its names the program runs: some words have other defaults. */
export type Program = "vfkit" | "krunkit";

/** A device as it was described. */
export type Device =
  | {
    type: "virtio-blk" | "nvme" | "usb-mass-storage";
    path: string;
    /** An image, or a block device of the host's; undefined when nothing was said. */
    backing?: "image" | "dev";
    readOnly: boolean;
    id?: string;
    format?: "raw" | "qcow2";
  }
  | {
    type: "nbd";
    uri: string;
    id?: string;
    /** In milliseconds. */
    timeout: number;
    sync: "full" | "none";
    readOnly: boolean;
  }
  | { type: "virtio-net"; mac?: string; plug: Plug }
  | { type: "virtio-serial"; to: { file: string } | "stdio" | "pty" }
  | { type: "virtio-rng" | "virtio-balloon" }
  | { type: "virtio-input"; input: "keyboard" | "pointing" }
  | { type: "virtio-gpu"; width: number; height: number }
  | { type: "virtio-fs"; folder: string; tag: string; readOnly: boolean }
  | { type: "rosetta"; tag: string; install: boolean; ignoreIfMissing: boolean }
  | { type: "virtio-vsock"; port: number; url: string; listen: boolean };

/** What a network card is plugged into. */
export type Plug =
  | { kind: "nat" }
  | { kind: "descriptor"; descriptor: number }
  | { kind: "datagram"; path: string; magic: boolean }
  | { kind: "stream"; path: string };

/** What is read of a device's words. */
interface Reader {
  words: Readonly<Record<string, WordKind>>;
  read(words: Words, program: Program): Device;
}

const DISK = { path: "value", type: "value", readonly: "flag", format: "value" } as const;

function readDisk(type: "virtio-blk" | "nvme" | "usb-mass-storage", words: Words): Device {
  const id = words.get("deviceId");
  const backing = oneOf(words, "type", ["image", "dev"]);
  const format = oneOf(words, "format", ["raw", "qcow2"]);
  const path = words.need("path");
  return {
    type,
    path,
    ...backing && { backing },
    readOnly: words.has("readonly"),
    ...id !== undefined && { id },
    ...format && { format },
  };
}

function oneOf<T extends string>(words: Words, key: string, values: readonly T[]): T | undefined {
  const given = words.get(key);
  const value = values.find((value) => value === given);
  if (given === undefined || value !== undefined) return value;
  throw new UsageError(`${key}=${given}: it is ${values.join(" or ")}`);
}

const MAC = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i;

function readNet(words: Words, program: Program): Device {
  const given = words.get("mac");
  if (given !== undefined && !MAC.test(given)) {
    throw new UsageError(`mac=${given}: expected an address like 5a:94:ef:e4:0c:ee`);
  }
  const mac = given?.replaceAll("-", ":").toLowerCase();
  if (words.isOn("offloading")) {
    throw new UsageError("offloading: the framework's cards have none, which is off");
  }
  return { type: "virtio-net", ...mac !== undefined && { mac }, plug: readPlug(words, program) };
}

function readPlug(words: Words, program: Program): Plug {
  const type = oneOf(words, "type", ["unixgram", "unixstream"]);
  const magic = words.isOn("vfkitMagic");
  if (type === undefined) {
    if (words.has("path")) throw new UsageError("path= needs type=unixgram or type=unixstream");
    const plug = words.oneOf("nat", "fd", "unixSocketPath");
    if (plug === "unixSocketPath") {
      return { kind: "datagram", path: words.need("unixSocketPath"), magic: magic ?? true };
    }
    refuseMagic(magic);
    return plug === "nat" ? { kind: "nat" } : readDescriptor(words);
  }
  const other = ["nat", "unixSocketPath"].find((key) => words.has(key));
  if (other) throw new UsageError(`type and ${other} exclude each other`);
  const place = words.oneOf("path", "fd");
  if (type === "unixgram" && place === "path") {
    // krunkit says it only when it is asked to.
    return { kind: "datagram", path: words.need("path"), magic: magic ?? program === "vfkit" };
  }
  refuseMagic(magic);
  if (type === "unixgram") return readDescriptor(words);
  if (place === "fd") throw new UsageError("type=unixstream goes with path=");
  return { kind: "stream", path: words.need("path") };
}

function refuseMagic(magic: boolean | undefined): void {
  if (magic) throw new UsageError("vfkitMagic goes with the path of a datagram socket");
}

function readDescriptor(words: Words): Plug {
  return { kind: "descriptor", descriptor: parseNumber(words.need("fd"), "descriptor", 0, 2 ** 31 - 1) };
}

/** The default of both sides of a screen, and what is taken for one. */
const side = (words: Words, key: "width" | "height", usual: number) =>
  parseNumber(words.get(key) ?? `${usual}`, key, 1, 2 ** 31 - 1);

function readFolder(words: Words): Device {
  const folder = words.need("sharedDir");
  return {
    type: "virtio-fs",
    folder,
    tag: words.get("mountTag") ?? basename(folder),
    readOnly: words.has("readonly"),
  };
}

function readNBD(words: Words): Device {
  const id = words.get("deviceId");
  return {
    type: "nbd",
    uri: words.need("uri"),
    ...id !== undefined && { id },
    timeout: parseNumber(words.get("timeout") ?? "15000", "number of milliseconds", 1),
    sync: oneOf(words, "sync", ["full", "none"]) ?? "full",
    readOnly: words.has("readonly"),
  };
}

function readSerial(words: Words): Device {
  const to = words.oneOf("logFilePath", "stdio", "pty");
  return {
    type: "virtio-serial",
    to: to === "logFilePath" ? { file: words.need(to) } : to as "stdio" | "pty",
  };
}

/** All devices, with the words that each of them has. */
export const DEVICES: Readonly<Record<Device["type"], Reader>> = {
  "virtio-blk": { words: { ...DISK, deviceId: "value" }, read: (words) => readDisk("virtio-blk", words) },
  nvme: { words: DISK, read: (words) => readDisk("nvme", words) },
  "usb-mass-storage": { words: DISK, read: (words) => readDisk("usb-mass-storage", words) },
  nbd: {
    words: { uri: "value", deviceId: "value", timeout: "value", sync: "value", readonly: "flag" },
    read: readNBD,
  },
  "virtio-net": {
    words: {
      nat: "flag",
      fd: "value",
      unixSocketPath: "value",
      type: "value",
      path: "value",
      mac: "value",
      vfkitMagic: "switch",
      offloading: "switch",
    },
    read: readNet,
  },
  "virtio-serial": { words: { logFilePath: "value", stdio: "flag", pty: "flag" }, read: readSerial },
  "virtio-rng": { words: {}, read: () => ({ type: "virtio-rng" }) },
  "virtio-balloon": { words: {}, read: () => ({ type: "virtio-balloon" }) },
  "virtio-input": {
    words: { keyboard: "flag", pointing: "flag" },
    read: (words) => ({
      type: "virtio-input",
      input: words.oneOf("keyboard", "pointing") as "keyboard" | "pointing",
    }),
  },
  "virtio-gpu": {
    words: { width: "value", height: "value" },
    read: (words) => ({
      type: "virtio-gpu",
      width: side(words, "width", 800),
      height: side(words, "height", 600),
    }),
  },
  "virtio-fs": { words: { sharedDir: "value", mountTag: "value", readonly: "flag" }, read: readFolder },
  rosetta: {
    words: { mountTag: "value", install: "flag", "ignore-if-missing": "flag", ignoreIfMissing: "flag" },
    read: (words) => ({
      type: "rosetta",
      tag: words.need("mountTag"),
      install: words.has("install"),
      ignoreIfMissing: words.has("ignore-if-missing") || words.has("ignoreIfMissing"),
    }),
  },
  "virtio-vsock": {
    words: { port: "value", socketURL: "value", listen: "flag", connect: "flag" },
    read: (words) => ({
      type: "virtio-vsock",
      port: parseNumber(words.need("port"), "port", 1, 2 ** 32 - 2),
      url: words.need("socketURL"),
      listen: !words.has("connect") || words.oneOf("listen", "connect") === "listen",
    }),
  },
};

/**
 * `--device`'s.
 *
 * @throws {UsageError} When it is not understood.
 */
export function parseDevice(text: string, program: Program): Device {
  const [type, ...words] = splitWords(text);
  if (!Object.hasOwn(DEVICES, type)) {
    throw new UsageError(`unknown device '${type}': known are ${Object.keys(DEVICES).join(", ")}`);
  }
  const { words: known, read } = DEVICES[type as Device["type"]];
  return read(new Words(type, words, known), program);
}

/** The path of a socket, which may be said as a URL: `unix:///run/a`, `unix:////run/a`. */
export function socketPath(url: string): string {
  return url.startsWith("unix://") ? url.slice("unix://".length).replace(/^\/+/, "/") : url;
}
