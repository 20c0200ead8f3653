/** The guest's address, as macOS's DHCP server has given it. */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { type Neighbour, neighbours } from "./arp_table.ts";
import { normalMAC } from "./mac_address.ts";

/** Where that server keeps its leases. Linux has no such file: there the guest is behind QEMU's own network. */
const LEASES = "/var/db/dhcpd_leases";

interface Lease {
  address: string;
  /** Of the card, or what the guest calls itself: `ff,f1:f5:…`. */
  hardware: string;
  ends: number;
}

/** @param text Blocks of `{ name=… ip_address=… hw_address=1,52:54:0:a:b:c lease=0x5f… }`. */
function parseLeases(text: string): Lease[] {
  return Array.from(text.matchAll(/\{([^}]*)\}/g)).flatMap(([, block]) => {
    const fields = new Map<string, string>();
    for (const [, key, value] of block.matchAll(/^\s*(\w+)=(.*?)\s*$/gm)) fields.set(key, value);
    const [address, hardware] = [fields.get("ip_address"), fields.get("hw_address")];
    return address && hardware ? [{ address, hardware, ends: Number(fields.get("lease") ?? 0) }] : [];
  }).sort((a, b) => a.ends - b.ends);
}

/**
 * The address that was leased to a card, the one that ends last when there are several.
 *
 * @param leases The text of the server's file.
 * @param mac `52:54:00:0a:0b:0c`
 * @returns Undefined when the card has none.
 */
export function leasedAddress(leases: string, mac: string): string | undefined {
  const wanted = normalMAC(mac); // the file has no leading zeros
  return parseLeases(leases).findLast(({ hardware }) => normalMAC(hardware.replace(/^\d+,/, "")) === wanted)
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
): string | undefined {
  const wanted = normalMAC(mac);
  const identified = parseLeases(leases).filter(({ hardware }) => hardware.startsWith("ff,"));
  const heard = (address: string) => table.some((one) => one.address === address && one.mac === wanted);
  return identified.findLast(({ address }) => heard(address))?.address;
}

/** How soon after a lease the host is asked whom it has heard, in milliseconds. */
const HEARD = [0, 200, 400, 800, 1_600, 3_200, 6_400];

/**
 * Calls a function once, with the address of a card, when it is known.
 *
 * @param path Of the server's file.
 * @param table Whom the host has heard.
 * @returns What ends the wait.
 */
export function watchLeases(
  mac: string,
  onAddress: (address: string) => void,
  path = LEASES,
  table = neighbours,
): Disposable {
  const read = () => {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return ""; // there may be none yet, and it is no reason to fail
    }
  };
  let watcher: Deno.FsWatcher;
  try {
    watcher = Deno.watchFs(dirname(path), { recursive: false });
  } catch {
    return { [Symbol.dispose]() {} };
  }
  const before = leasedAddress(read(), mac);
  const timers = new Set<ReturnType<typeof setTimeout>>();
  let told = false;
  const tell = (address: string | undefined) => {
    if (told || address === undefined) return;
    told = true;
    end();
    onAddress(address);
  };
  const end = () => {
    timers.forEach(clearTimeout);
    try {
      watcher.close();
    } catch { /* closed when the address came */ }
  };
  (async () => {
    for await (const { paths } of watcher) {
      if (!paths.some((changed) => basename(changed) === basename(path))) continue;
      tell(leasedAddress(read(), mac));
      timers.forEach(clearTimeout);
      timers.clear();
      if (told) break;
      for (const pause of HEARD) {
        timers.add(setTimeout(() => tell(identifiedAddress(read(), mac, table())), pause));
      }
    }
  })().catch(() => {}); // who cannot watch does not learn it
  tell(before);
  return { [Symbol.dispose]: end };
}
