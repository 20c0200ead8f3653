/** What is named in one option of qemu's and described in another, joined when the whole line is read. */

import type { NamedParts, Settings } from "./settings.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Joins `if=none,id=` with `drive=`, `-netdev` with `netdev=`, `-chardev` with `chardev:`, and puts disks into the
 * order that `index=` and `-boot` ask for.
 *
 * @throws {UsageError} For a name that nobody has given, or that nobody uses.
 */
export function resolve(settings: Settings): void {
  const { named } = settings;
  if (named) join(settings, named);
  placeByIndex(settings);
  checkBootIndexes(settings);
  const first = settings.bootFirst;
  if (first !== undefined) {
    const isFirst = ({ media }: { media?: string }) => (media === "cdrom") === (first === "cdrom");
    if (!settings.disks.some(isFirst)) {
      throw new UsageError(
        first === "cdrom" ? "-boot d: there is no CD: -cdrom FILE" : "-boot c: there is no disk",
      );
    }
    settings.disks.sort((a, b) => +isFirst(b) - +isFirst(a));
  }
}

function join(settings: Settings, named: NamedParts): void {
  const { accelerators } = named;
  const [{ given, problem } = {}] = accelerators;
  if (problem !== undefined && accelerators.every(({ problem }) => problem !== undefined)) {
    throw new UsageError(`${given}: ${problem}`);
  }
  for (const fill of [...named.below, ...named.later]) fill();
  const kinds = [["drive", named.drives], ["netdev", named.networks], ["chardev", named.consoles]] as const;
  for (const [kind, parts] of kinds) {
    for (const id of parts.keys()) {
      if (named.used.has(`${kind} ${id}`)) continue;
      const who = kind === "chardev" ? `-serial chardev:${id}` : `-device with ${kind}=${id}`;
      throw new UsageError(`id=${id} is used by nobody: there is no ${who}`);
    }
  }
  const { cards, networks } = named.old;
  if (cards.length > 0 && networks.length === 0) {
    throw new UsageError("-net nic: there is no network, as in -net user");
  }
  if (networks.length > 0 && cards.length === 0) {
    throw new UsageError("-net user: there is no card: -net nic");
  }
  if (networks.length > 1) {
    throw new UsageError("-net: there is one network for all cards: -nic takes one each");
  }
  for (const card of cards) settings.network.push({ ...networks[0], ...card });
}

/** The firmware tries disks in their order. */
function checkBootIndexes({ disks }: Settings): void {
  const indexes = disks.flatMap(({ bootIndex }) => bootIndex ?? []);
  if (indexes.every((index, i) => i === 0 || indexes[i - 1] < index)) return;
  throw new UsageError(
    "bootindex=: the firmware tries disks in the order in which they are given: change that",
  );
}

function placeByIndex(settings: Settings): void {
  const placed = settings.disks.filter(({ index }) => index !== undefined);
  if (placed.length === 0) return;
  const order = settings.disks.filter(({ index }) => index === undefined);
  const taken = order.find(({ slot }) => placed.some(({ index }) => index === slot));
  if (taken) throw new UsageError(`-drive index=${taken.slot}: '${taken.file}' has that place`);
  placed.sort((a, b) => a.index! - b.index!).forEach((disk, i) => {
    if (placed[i - 1]?.index === disk.index) {
      throw new UsageError(`-drive index=${disk.index} is given twice`);
    }
    order.splice(disk.index!, 0, disk);
  });
  settings.disks = order;
}
