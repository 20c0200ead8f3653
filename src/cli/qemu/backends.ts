/** qemu's `-object`, `-chardev` and `-blockdev`: what stands behind a device. */

import { type Answer, answer, type Answers, kindOf, partsOf, readKeys } from "./answers.ts";
import { disk, DRIVE_KEYS } from "./drive.ts";
import { SERIAL_KINDS, SIGNAL, SOCKET_KEYS, tcpSerial, unixSerial } from "./serial.ts";
import { claimId, namedIn, namePart, type Settings, useNamed } from "./settings.ts";
import { UsageError } from "./usage_error.ts";
import { oneOf, onOff, withFirst } from "./values.ts";

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
  "rng-egd": { cannot: "random numbers are the system's" },
  "rng-builtin": { so: "the guest has the host's random numbers" },
  iothread: {
    so: "disks have threads of their own",
    keys: { "poll-max-ns": { cannot: "what a thread does is the framework's" } },
  },
  "thread-context": { cannot: "what a thread does is the framework's" },
  "memory-backend-epc": { cannot: MEMORY },
  "sev-guest": { cannot: "the framework has none" },
  "tdx-guest": { cannot: "the framework has none" },
  iommufd: { cannot: "there is no IOMMU" },
  "cryptodev-backend": { cannot: "the framework has no such device" },
  "memory-backend-ram": { cannot: MEMORY },
  "memory-backend-file": { cannot: MEMORY },
  "memory-backend-memfd": { cannot: MEMORY },
  secret: { cannot: "an image that is encrypted cannot be read" },
  "tls-creds-x509": { cannot: "a console's connection cannot be encrypted" },
  "tls-creds-psk": { cannot: "a console's connection cannot be encrypted" },
  "throttle-group": { cannot: "disks are not throttled" },
  "filter-dump": { cannot: "tcpdump in the guest, or on the host's bridge, sees the packets" },
  "can-bus": { cannot: "the framework has no such device" },
};

/** `-object`'s. */
export function takeObject(settings: Settings, text: string): void {
  const { notes } = settings;
  if (text.startsWith("{")) throw new UsageError("as key=value, and not as JSON");
  const [first, ...rest] = partsOf(text);
  const kind = first?.[0] === "qom-type" ? first[1] ?? "" : first?.[0] ?? "";
  const found = Object.hasOwn(OBJECTS, kind) ? OBJECTS[kind] : undefined;
  if (!found) throw new UsageError(`unknown object '${kind}'; known are rng-random, rng-builtin, iothread`);
  answer(found, `-object ${kind}`, kind, notes);
  const { id } = readKeys(rest, { id: { does: "its name" }, ...found.keys }, notes);
  if (id === undefined) throw new UsageError("id=ID is missing");
  claimId(settings, "object", id);
}

const CHARDEV_KEYS = {
  id: { does: "its name" },
  path: { does: "of a file, or of a unix socket" },
  append: { does: "what is in a file stays" },
  host: { does: "where a socket listens" },
  port: { does: "the port at which it listens" },
  mux: { does: "on stdio: the terminal's keys are there, and no monitor is" },
  ...SIGNAL,
  ...SOCKET_KEYS,
  ipv4: { so: "an address says which it is" },
  ipv6: { so: "an address says which it is" },
} satisfies Answers;

/** Keys that each kind of `-chardev` has beside its name; a socket those of SOCKET_KEYS too. */
const CHARDEV_KINDS: Readonly<Record<string, readonly string[]>> = {
  stdio: ["mux", "signal"],
  pty: [],
  file: ["path", "append"],
  socket: ["path", "host", "port", "ipv4", "ipv6"],
  null: [],
};

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
  const own = Object.hasOwn(CHARDEV_KINDS, kind) ? CHARDEV_KINDS[kind] : undefined;
  if (!own) {
    kindOf(SERIAL_KINDS, kind);
    throw new UsageError("the kind is one of stdio, pty, file, socket, null");
  }
  const foreign = rest.find(([key]) =>
    key !== "id" && !own.includes(key) && !ofSocket.some(([one]) => one === key)
  );
  if (foreign) throw new UsageError(`${foreign[0]}= does not go with ${kind}`);
  const { consoles } = namedIn(settings);
  if (kind === "stdio" || kind === "null") return namePart(consoles, given.id, { kind });
  if (kind === "pty") return namePart(consoles, given.id, { kind, wait: false });
  if (kind === "file") {
    if (given.path === undefined) throw new UsageError("path=FILE is missing");
    const append = given.append !== undefined && onOff(given.append, "append");
    return namePart(consoles, given.id, { kind, path: given.path, ...append && { append } });
  }
  if (given.path !== undefined) {
    if (given.host !== undefined || given.port !== undefined) {
      throw new UsageError("path= is of a unix socket, and host= and port= of another");
    }
    if (!ofSocket.some(([key]) => key === "server")) {
      throw new UsageError("vzrun listens, and connects to nobody: server=on");
    }
    return namePart(consoles, given.id, unixSerial(given.path, ofSocket, notes));
  }
  if (given.port === undefined) throw new UsageError("path=PATH, or host=HOST,port=PORT, is missing");
  namePart(consoles, given.id, tcpSerial(`${given.host ?? ""}:${given.port}`, ofSocket, false, notes));
}

const BLOCKDEV_KEYS = {
  driver: { does: "raw, qcow2, vmdk, vpc, vhdx, or file for what is below them" },
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
  const given = readKeys(withFirst(text, "driver"), BLOCKDEV_KEYS, settings.notes);
  const name = given["node-name"];
  if (name === undefined) throw new UsageError("node-name=NAME is missing");
  const driver = oneOf(["raw", "qcow2", "vmdk", "vpc", "vhdx", "file"], given.driver ?? "", "driver");
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
  const below = given.file;
  if (file !== undefined && below !== undefined) {
    throw new UsageError("filename= and file= exclude each other");
  }
  if (file !== undefined) return;
  if (below === undefined) throw new UsageError("filename=FILE, or file=NODE, is missing");
  named.below.push(() => {
    const found = useNamed(named, named.drives, "drive", below, `-blockdev ${text}`);
    made.file = found.file;
    if (found.cache !== "writeback") made.cache = found.cache;
    made.readOnly ||= found.readOnly;
  });
}
