/** What a description is made of: values of the right kinds, whoever has written it, before anything else is asked. */

import { DISK_FORMATS } from "../images/disk_format.ts";
import type { Boot, LinuxBoot } from "./boot.ts";
import type { CloudInit } from "./cloud_init.ts";
import type { Disk } from "./disk.ts";
import type { Display } from "./display.ts";
import { MachineError } from "./error.ts";
import type { PluggableDisk } from "./hot_plug.ts";
import type { Description, Machine } from "./machine.ts";
import type { Network, PortForward, StreamAddress } from "./network.ts";
import type { FrameStreams } from "./network_frames.ts";
import type { Serial } from "./serial.ts";
import type { Share } from "./share.ts";
import type { Vsock, VsockJoin } from "./vsock.ts";

/** Checks a value, and gives it back without what is undefined in it. */
interface Check {
  (value: unknown, field: string): unknown;
  /** It has to be there. */
  needed?: boolean;
}

/** A check for each field, so that none is forgotten. */
type Fields<T> = { [Key in keyof T]-?: Check };

/** The fields of each kind. */
type Kinds<T extends { kind: string }> = {
  [Kind in T["kind"]]: Fields<Omit<Extract<T, { kind: Kind }>, "kind">>;
};

function fail(field: string, reason: string): never {
  throw new MachineError(reason, { field: field || undefined });
}

function shown(value: unknown): string {
  return Deno.inspect(value, { colors: false, compact: true, breakLength: Infinity, strAbbreviateSize: 100 });
}

const needed = (check: Check): Check => Object.assign(check.bind(null), { needed: true });

const text: Check = (value, field) => {
  if (typeof value !== "string") fail(field, `expected a text, not ${shown(value)}`);
  if (value.includes("\0")) fail(field, "it holds a zero byte, which no path, name or command line has");
  return value;
};

const name: Check = (value, field) => {
  if (typeof value === "string" && /^\P{Cc}+$/u.test(value)) return value;
  fail(field, "expected a name of one line");
};

const flag: Check = (value, field) => {
  if (typeof value === "boolean") return value;
  fail(field, `expected true or false, not ${shown(value)}`);
};

const whole: Check = (value, field) => {
  if (typeof value === "number" && (Number.isInteger(value) || value === Infinity)) return value; // limits are for later
  fail(field, `expected a whole number, not ${shown(value)}`);
};

const seconds: Check = (value, field) => {
  if (typeof value === "number" && value >= 0 && value < Infinity) return value;
  fail(field, `expected a number of seconds, not ${shown(value)}`);
};

/** Streams, which are a program's own and are left as they are. */
const frames: Check = (value, field) => {
  const { readable, writable } = (value ?? {}) as Partial<FrameStreams>;
  if (readable instanceof ReadableStream && writable instanceof WritableStream) return value;
  fail(field, "expected a readable and a writable stream of frames");
};

const oneOf = (...values: string[]): Check => (value, field) => {
  if ((values as unknown[]).includes(value)) return value;
  fail(field, `${shown(value)} is none of ${values.join(", ")}`);
};

const listOf = (check: Check): Check => (value, field) => {
  if (Array.isArray(value)) return Array.from(value, (one, i) => check(one, `${field}[${i}]`)); // holes too
  fail(field, `expected a list, not ${shown(value)}`);
};

function checkIsObject(value: unknown, field: string): asserts value is Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  fail(field, `expected an object, not ${shown(value)}`);
}

const object = (fields: Record<string, Check>): Check => (value, field) => {
  checkIsObject(value, field);
  const path = (key: string) => field ? `${field}.${key}` : key;
  const given = Object.entries(value).filter(([, value]) => value !== undefined);
  const missing = Object.keys(fields).find((key) => fields[key].needed && value[key] === undefined);
  if (missing !== undefined) fail(path(missing), "it is missing");
  return Object.fromEntries(given.map(([key, value]) => {
    if (Object.hasOwn(fields, key)) return [key, fields[key](value, path(key))];
    return fail(path(key), `there is no such field; known are ${Object.keys(fields).join(", ")}`);
  }));
};

const byKind = (kinds: Record<string, Record<string, Check>>): Check => (value, field) => {
  checkIsObject(value, field);
  const kind = oneOf(...Object.keys(kinds));
  kind(value.kind, `${field}.kind`);
  return object({ kind, ...kinds[String(value.kind)] })(value, field);
};

const format = oneOf(...DISK_FORMATS, "fat");

const DISK: Fields<Disk> = {
  file: needed(text),
  format,
  source: object({ file: text, format } satisfies Fields<NonNullable<Disk["source"]>>),
  label: text,
  interface: oneOf("virtio", "usb", "nvme"),
  readOnly: flag,
  cache: oneOf("writeback", "none", "writethrough", "unsafe"),
  serial: text,
  timeout: seconds,
  media: oneOf("cdrom"),
  size: whole,
  snapshot: flag,
};

const BOOT: Kinds<Boot> = {
  linux: {
    kernel: needed(text),
    source: object({ file: text, layers: listOf(text) } satisfies Fields<NonNullable<LinuxBoot["source"]>>),
    initrd: text,
    commandLine: text,
  },
  efi: { variables: text, overwrite: flag },
};

const SERIAL: Kinds<Serial> = {
  stdio: {},
  stream: {},
  pty: { wait: flag },
  file: { path: needed(text), append: flag },
  unix: { path: needed(text), wait: flag },
  tcp: { host: needed(text), port: needed(whole), wait: flag, telnet: flag },
  null: {},
};

const FORWARD: Fields<PortForward> = {
  protocol: oneOf("tcp", "udp"),
  hostAddress: text,
  hostPort: needed(whole),
  guestAddress: text,
  guestPort: needed(whole),
};

const OWN = { forward: listOf(object(FORWARD)), subnet: text, guestAddress: text, isolated: flag, mac: text };

const PLACE: Kinds<StreamAddress> = {
  unix: { path: needed(text) },
  tcp: { host: needed(text), port: needed(whole) },
};

const NETWORK: Kinds<Network> = {
  nat: OWN,
  host: OWN,
  bridge: { interface: needed(text), mac: text },
  dgram: { remote: needed(text), local: text, magic: flag, mtu: whole, mac: text },
  descriptor: { descriptor: needed(whole), mtu: whole, mac: text },
  stream: { address: needed(byKind(PLACE)), server: flag, reconnect: seconds, mtu: whole, mac: text },
  frames: { frames: needed(frames), mtu: whole, mac: text },
};
const SHARE: Fields<Share> = {
  tag: needed(text),
  name: text,
  folder: needed(text),
  readOnly: flag,
};
const DISPLAY: Fields<Display> = { width: whole, height: whole, fullGrab: flag, hidpi: flag };

const JOIN: Kinds<VsockJoin> = {
  connect: { port: needed(whole), path: needed(text) },
  listen: { port: needed(whole), path: needed(text) },
  hybrid: { path: needed(text) },
};
const VSOCK: Fields<Vsock> = { join: listOf(byKind(JOIN)), ready: flag };

const seedFile: Check = (value, field) => {
  const given = object({ file: text, text })(value, field) as object;
  if (Object.keys(given).length === 1) return given;
  fail(field, "expected one of file and text");
};

const CLOUD_INIT: Fields<CloudInit> = {
  userData: seedFile,
  metaData: seedFile,
  networkConfig: seedFile,
  vendorData: seedFile,
  sshKeys: listOf(seedFile),
};

const MACHINE: Fields<Machine> = {
  name,
  machineId: text,
  uuid: text,
  boot: needed(byKind(BOOT)),
  memory: whole,
  processors: whole,
  disks: listOf(object(DISK)),
  shares: listOf(object(SHARE)),
  rosetta: text,
  serial: listOf(byKind(SERIAL)),
  network: listOf(byKind(NETWORK)),
  vsock: object(VSOCK),
  display: object(DISPLAY),
  usb: flag,
  cloudInit: object(CLOUD_INIT),
  nested: flag,
};

/** As {@linkcode checkShape}, of a disk alone. @param field Where it is. */
export function checkDiskShape(disk: PluggableDisk, field: string): PluggableDisk {
  return object(DISK)(disk, field) as PluggableDisk;
}

/**
 * Checks what a description is made of: a program may have read it from anywhere.
 *
 * @returns A copy in which nothing is undefined.
 * @throws {MachineError} For the first value that is of another kind, and for a field that there is not.
 */
export function checkShape(description: Description): Description {
  return object(MACHINE)(description, "") as Description;
}
