/** qemu's pair for a disk that comes while the machine runs: a node, by blockdev-add, and a device on it, by device_add. */

import { reasonOf } from "../host/error.ts";
import type { AttachedDisk } from "../machine/hot_plug.ts";
import type { Disk } from "../machine/disk.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import { QMPError } from "./qmp_error.ts";

/** An image under a name. */
interface Node {
  file: string;
  format?: "raw" | "qcow2";
  readOnly?: boolean;
  cache?: Disk["cache"];
  /** What stands on it. */
  user?: string;
}

/** Values of a command's arguments. */
type Members = Readonly<Record<string, unknown>>;

/** What a node may say of itself. `auto-read-only` and `discard` are so anyway. */
const NODE_KEYS = [
  "driver",
  "node-name",
  "filename",
  "file",
  "read-only",
  "auto-read-only",
  "discard",
  "cache",
];
const DEVICE_KEYS = ["driver", "id", "drive", "bus"];
const DRIVERS = ["raw", "qcow2", "file"];

function checkKeys(given: Members, known: readonly string[]): void {
  const unexpected = Object.keys(given).find((key) => !known.includes(key));
  if (unexpected !== undefined) throw new QMPError(`Parameter '${unexpected}' is unexpected`);
}

function boolean(given: Members, key: string): boolean {
  const value = given[key] ?? false;
  if (typeof value === "boolean") return value;
  throw new QMPError(`Invalid parameter type for '${key}', expected: boolean`);
}

function string(given: Members, key: string): string {
  const value = given[key];
  if (typeof value === "string") return value;
  throw new QMPError(
    value === undefined
      ? `Parameter '${key}' is missing`
      : `Invalid parameter type for '${key}', expected: string`,
  );
}

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function cacheOf({ cache = {} }: Members): Disk["cache"] | undefined {
  if (!isMembers(cache)) throw new QMPError("Invalid parameter type for 'cache', expected: object");
  checkKeys(cache, ["direct", "no-flush"]);
  return boolean(cache, "no-flush") ? "unsafe" : boolean(cache, "direct") ? "none" : undefined;
}

/** The disks of a machine that have come while it runs. */
export class PluggedDisks {
  readonly #nodes = new Map<string, Node>();
  readonly #devices = new Map<string, { disk: AttachedDisk; node: string }>();
  #unnamed = 0;

  constructor(readonly machine: VirtualMachine) {}

  /** What is there, by qemu's names. */
  get disks(): { id: string; node: string; disk: Disk }[] {
    return Array.from(this.#devices, ([id, { disk: { disk }, node }]) => ({ id, node, disk }));
  }

  /** blockdev-add. */
  addNode(given: Members): void {
    const name = string(given, "node-name");
    if (this.#nodes.has(name)) throw new QMPError(`Duplicate nodes with node-name='${name}'`);
    const node = this.#nodeOf(given, name);
    try {
      if (Deno.statSync(node.file).isDirectory) throw new Error("it is a folder");
    } catch (error) {
      throw new QMPError(`Could not open '${node.file}': ${reasonOf(error)}`, "GenericError", error);
    }
    this.#nodes.set(name, node);
  }

  #nodeOf(given: Members, user: string): Node {
    checkKeys(given, NODE_KEYS);
    const driver = string(given, "driver");
    if (!DRIVERS.includes(driver)) throw new QMPError(`driver '${driver}': known are ${DRIVERS.join(", ")}`);
    const [readOnly, cache] = [boolean(given, "read-only"), cacheOf(given)];
    const format = driver === "file" ? {} : { format: driver as "raw" | "qcow2" };
    const own = { ...format, ...readOnly && { readOnly }, ...cache && { cache } };
    if (driver === "file") return { ...own, file: string(given, "filename") };
    const { file } = given;
    if (isMembers(file)) return { ...this.#nodeOf(file, user), ...own };
    const below = this.#find(string(given, "file"));
    this.#use(string(given, "file"), below, user);
    return { ...below, user: undefined, ...own };
  }

  #find(name: string): Node {
    const node = this.#nodes.get(name);
    if (node) return node;
    throw new QMPError(`Failed to find node with node-name='${name}'`);
  }

  #use(name: string, node: Node, user: string): void {
    if (node.user !== undefined) throw new QMPError(`Node '${name}' is in use by '${node.user}'`);
    node.user = user;
  }

  /** blockdev-del. */
  removeNode(name: string): void {
    const { user } = this.#find(name);
    if (user !== undefined) throw new QMPError(`Node '${name}' is in use by '${user}'`);
    this.#nodes.delete(name);
    for (const node of this.#nodes.values()) {
      if (node.user === name) node.user = undefined; // it was below
    }
  }

  /** device_add. */
  async addDevice(given: Members): Promise<void> {
    const driver = string(given, "driver");
    if (driver !== "usb-storage") {
      throw new QMPError(`driver '${driver}': what comes while the machine runs is a usb-storage`);
    }
    checkKeys(given, DEVICE_KEYS);
    const name = string(given, "drive");
    const node = this.#find(name);
    const id = given.id === undefined ? `#${this.#unnamed++}` : string(given, "id");
    if (this.#devices.has(id)) throw new QMPError(`Duplicate device ID '${id}'`);
    this.#use(name, node, id);
    const { user: _, ...description } = node;
    try {
      this.#devices.set(id, { disk: await this.machine.attach(description), node: name });
    } catch (error) {
      node.user = undefined;
      throw error;
    }
  }

  /** device_del. */
  async removeDevice(id: string): Promise<void> {
    const device = this.#devices.get(id);
    if (!device) throw new QMPError(`Device '${id}' not found`, "DeviceNotFound");
    await device.disk.detach();
    this.#devices.delete(id);
    const node = this.#nodes.get(device.node);
    if (node) node.user = undefined;
  }
}
