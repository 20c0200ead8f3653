/** What a machine that goes on must have as it was when it was saved. The framework says only that something is not. */

import { exists } from "../host/files.ts";
import { refuseSaving } from "./block_device.ts";
import type { Boot } from "./boot.ts";
import type { Disk } from "./disk.ts";
import { MachineError } from "./error.ts";
import { formatBytes } from "./format_bytes.ts";
import type { Description, Machine } from "./machine.ts";
import type { Network } from "./network.ts";
import { type SavedFile, type SavedMachine, versionOfSaved } from "./saved_machine.ts";

/** What is left unsaid of a machine that goes on: all that is as it was saved. */
export type PartialDescription = Partial<Description>;

/**
 * The description of a machine that goes on: what it does not say itself is as it was saved, and so are the addresses of
 * cards that say none.
 */
export function asSaved({ machine }: SavedMachine, description: PartialDescription): Description {
  const { machineId: _, uuid: __, ...saved } = machine; // without its file it keeps the identity all the same
  const given = Object.fromEntries(Object.entries(description).filter(([, value]) => value !== undefined));
  const whole: Description = { ...saved, ...given };
  whole.network = whole.network?.map((card, i) =>
    card.mac === undefined && machine.network?.[i]?.mac !== undefined
      ? { ...card, mac: machine.network[i].mac }
      : card
  );
  return whole;
}

/** One thing that must be the same: its field, what it is, what it was, and what it is now. */
type Comparison = [field: string, what: string, was: unknown, is: unknown];

/** The kinds of networks that the guest cannot tell apart. */
const kindOfNetwork = ({ kind }: Network) => kind === "host" ? "nat" : kind;

function comparisons(was: Machine, is: Machine): Comparison[] {
  const pairs = <T>(before: T[], now: T[]) => now.slice(0, before.length).map((one, i) => [before[i], one]);
  const disks = pairs(was.disks, is.disks).flatMap(([was, is], i): Comparison[] => [
    [`disks[${i}].interface`, `disk ${i + 1}'s interface`, was.interface, is.interface],
    [`disks[${i}].readOnly`, `disk ${i + 1}`, accessTo(was), accessTo(is)],
    [`disks[${i}].serial`, `disk ${i + 1}'s serial`, was.serial ?? "none", is.serial ?? "none"],
  ]);
  const cards = pairs(was.network, is.network).flatMap(([was, is], i): Comparison[] => [
    [`network[${i}].mac`, `network card ${i + 1}'s address`, was.mac, is.mac],
    [`network[${i}].kind`, `network card ${i + 1}'s network`, kindOfNetwork(was), kindOfNetwork(is)],
  ]);
  return [
    ["memory", "the memory", formatBytes(was.memory), formatBytes(is.memory)],
    ["processors", "the number of processors", was.processors, is.processors],
    ["boot", "what it boots", bootOf(was.boot), bootOf(is.boot)],
    ["disks", "the number of disks", was.disks.length, is.disks.length],
    ...disks,
    ["network", "the number of network cards", was.network.length, is.network.length],
    ...cards,
    ["serial", "the number of consoles", was.serial.length, is.serial.length],
    ["shares", "what is shared", tagsOf(was), tagsOf(is)],
    ["nested", "nested virtualization", was.nested ? "on" : "off", is.nested ? "on" : "off"],
    ["usb", "the USB controller", was.usb ? "there" : "none", is.usb ? "there" : "none"],
    ["vsock", "the socket device", was.vsock ? "there" : "none", is.vsock ? "there" : "none"],
    ["display", "the screen", sizeOf(was), sizeOf(is)],
  ];
}

const accessTo = ({ readOnly }: Disk) => readOnly ? "only to be read" : "to be written";

function bootOf(boot: Boot): string {
  if (boot.kind === "linux") return "a kernel";
  return boot.variables === undefined ? "EFI with variables of its own" : "EFI with a file of variables";
}

const sizeOf = ({ display }: Machine) => display ? `${display.width}x${display.height}` : "none";

const tagsOf = ({ shares, rosetta }: Machine) =>
  [...shares.map(({ tag }) => tag), ...rosetta === undefined ? [] : [rosetta]].join(", ") || "none";

/**
 * Checks that a machine is what was saved, as far as that needs no files.
 *
 * @throws {MachineError} For the first thing that differs.
 */
export function checkAsSaved({ machine }: SavedMachine, now: Machine): void {
  refuseSaving(now);
  for (const [field, what, was, is] of comparisons(machine, now)) {
    if (was !== is) {
      throw new MachineError(`${what} was ${was} when the machine was saved, and is ${is} now`, { field });
    }
  }
}

/**
 * Checks that a file of the saved machine's is there, before another is made in its place.
 *
 * @throws {MachineError} When it is gone.
 */
export function checkIsThere({ files }: SavedMachine, field: string, file: string): void {
  if (exists(file) || !files.some((known) => known.field === field)) return;
  throw new MachineError(`cannot go on with '${file}': no such file, and the saved machine has it`, {
    field,
  });
}

/**
 * Checks the files that the guest knows: what is in them must be what was there when the machine was saved.
 *
 * @param machine With the images that it uses.
 * @throws {MachineError} When one is gone, or was written since.
 */
export function checkFiles(saved: SavedMachine, { boot, disks }: Machine): void {
  const paths = new Map(disks.map(({ file }, i) => [`disks[${i}].file`, file]));
  if (boot.kind === "efi" && boot.variables !== undefined) paths.set("boot.variables", boot.variables);
  for (const was of saved.files) {
    const file = paths.get(was.field);
    if (file === undefined) continue;
    checkIsThere(saved, was.field, file);
    const problem = differenceOf(was, versionOfSaved(was.field, file));
    if (problem) throw new MachineError(`cannot go on with '${file}': ${problem}`, { field: was.field });
  }
}

/**
 * What EFI's variables begin with: those that were saved with the machine, and of a machine with clones of its disks
 * those of its file, which is another's to write.
 */
export function variablesOf({ path, variables }: SavedMachine, { boot, disks }: Machine): string | undefined {
  if (variables !== undefined) return `${path}/${variables}`;
  const isFork = disks.some(({ snapshot }) => snapshot);
  return boot.kind === "efi" && isFork ? boot.variables : undefined;
}

function differenceOf(was: SavedFile, is: SavedFile): string | undefined {
  if (is.size !== was.size) return `it has ${is.size} bytes, and had ${was.size} when the machine was saved`;
  if (is.modified === was.modified) return undefined;
  const [before, now] = [was, is].map(({ modified }) => new Date(modified).toISOString());
  return `it was written at ${now}, after the machine was saved: then it was as of ${before}`;
}
