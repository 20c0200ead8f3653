/** The guest's address, as macOS's DHCP server has given it, or as the host has heard it. */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { type Neighbour, neighbours } from "./arp_table.ts";
import { normalMAC } from "./mac_address.ts";

/** Where that server keeps its leases. Linux has no such file: there guests are heard. */
const LEASES = "/var/db/dhcpd_leases";

const anyAddress = (_: string) => true;

interface Lease {
  address: string;
  /** Of the card, or what the guest calls itself: `ff,f1:f5:…`. */
  hardware: string;
  ends: number;
}

/** Where the address of a card is looked for. */
export interface AddressSources {
  /** The server's file. */
  path?: string;
  /** Whom the host has heard. */
  table?: () => readonly Neighbour[];
  /** Whether it can be that one: a lease may be of a time when the card was on another network. */
  accept?: (address: string) => boolean;
}

/** @param text Blocks of `{ name=… ip_address=… hw_address=1,52:54:0:a:b:c lease=0x5f… }`. */
function parseLeases(text: string, accept: (address: string) => boolean): Lease[] {
  return Array.from(text.matchAll(/\{([^}]*)\}/g)).flatMap(([, block]) => {
    const fields = new Map<string, string>();
    for (const [, key, value] of block.matchAll(/^\s*(\w+)=(.*?)\s*$/gm)) fields.set(key, value);
    const [address, hardware] = [fields.get("ip_address"), fields.get("hw_address")];
    const ends = Number(fields.get("lease") ?? Infinity);
    const isOver = ends * 1000 <= Date.now(); // another guest may have the address by now
    return address && hardware && !isOver && accept(address) ? [{ address, hardware, ends }] : [];
  }).sort((a, b) => a.ends - b.ends);
}

/**
 * The address that was leased to a card, the one that ends last when there are several.
 *
 * @param leases The text of the server's file.
 * @param mac `52:54:00:0a:0b:0c`
 * @param accept Whether an address can be that of the card.
 * @returns Undefined when the card has none.
 */
export function leasedAddress(leases: string, mac: string, accept = anyAddress): string | undefined {
  const wanted = normalMAC(mac); // the file has no leading zeros
  return parseLeases(leases, accept).findLast(({ hardware }) =>
    normalMAC(hardware.replace(/^\d+,/, "")) === wanted
  )
    ?.address;
}

/**
 * The address that was leased to a guest that names itself by a client identifier, as systemd's does: its card is in
 * no lease, but the host has heard from it.
 */
export function identifiedAddress(
  leases: string,
  mac: string,
  table: readonly Neighbour[],
  accept = anyAddress,
): string | undefined {
  const wanted = normalMAC(mac);
  const identified = parseLeases(leases, accept).filter(({ hardware }) => hardware.startsWith("ff,"));
  const heard = (address: string) => table.some((one) => one.address === address && one.mac === wanted);
  return identified.findLast(({ address }) => heard(address))?.address;
}

/** The address of a card now, as far as it is known: leased to it or to its guest, or else heard from it. */
export function addressOf(mac: string, sources: AddressSources = {}): string | undefined {
  const { path = LEASES, table = neighbours, accept = anyAddress } = sources;
  const leases = readLeases(path);
  const leased = leasedAddress(leases, mac, accept);
  if (leased !== undefined) return leased;
  const heard = table().filter(({ address }) => accept(address));
  return identifiedAddress(leases, mac, heard, accept) ??
    heard.findLast((one) => one.mac === normalMAC(mac))?.address;
}

function readLeases(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return ""; // there may be none yet, and it is no reason to fail
  }
}

/** How soon the host is asked a second time whom it has heard, in milliseconds; then after twice that, and so on. */
const AGAIN = 200;

/**
 * Calls a function once, with the address of a card, when it is known. Leases are told; whom the host has heard is not,
 * so it is asked, ever more seldom until there is a new lease.
 *
 * @returns What ends the wait.
 */
export function watchAddress(
  mac: string,
  onAddress: (address: string) => void,
  sources: AddressSources = {},
): Disposable {
  const { path = LEASES } = sources;
  let watcher: Deno.FsWatcher | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let told = false;
  const end = () => {
    told = true;
    clearTimeout(timer);
    try {
      watcher?.close();
    } catch { /* closed when the address came */ }
  };
  const ask = (pause: number) => {
    if (told) return;
    clearTimeout(timer);
    const address = addressOf(mac, sources);
    if (address === undefined) {
      timer = setTimeout(() => ask(pause * 2), pause);
      return;
    }
    end();
    onAddress(address);
  };
  try {
    watcher = Deno.watchFs(dirname(path), { recursive: false });
  } catch { /* there is no such folder: then it is heard */ }
  (async () => {
    for await (const { paths } of watcher ?? []) {
      if (paths.some((changed) => basename(changed) === basename(path))) ask(AGAIN);
    }
  })().catch(() => {}); // who cannot watch hears it
  ask(AGAIN);
  return { [Symbol.dispose]: end };
}
