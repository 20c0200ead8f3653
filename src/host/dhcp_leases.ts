/** The guest's address, as macOS's DHCP server has given it. */

import { normalMAC } from "./mac_address.ts";

/** Where that server keeps its leases. Linux has no such file: there the guest is behind QEMU's own network. */
const LEASES = { folder: "/var/db", name: "dhcpd_leases" } as const;

/**
 * The address that was leased to a card, the one that ends last when there are several.
 *
 * @param leases The file's text: blocks of `{ name=… ip_address=… hw_address=1,52:54:0:a:b:c lease=0x5f… }`.
 * @param mac `52:54:00:0a:0b:0c`
 * @returns Undefined when the card has none.
 */
export function leasedAddress(leases: string, mac: string): string | undefined {
  let found: { address: string; ends: number } | undefined;
  for (const [, block] of leases.matchAll(/\{([^}]*)\}/g)) {
    const fields = new Map<string, string>();
    for (const [, key, value] of block.matchAll(/^\s*(\w+)=(.*?)\s*$/gm)) fields.set(key, value);
    const address = fields.get("ip_address");
    const hardware = fields.get("hw_address")?.replace(/^\d+,/, "");
    if (!address || !hardware || normalMAC(hardware) !== normalMAC(mac)) continue; // the file has no leading zeros
    const ends = Number(fields.get("lease") ?? 0);
    if (!found || ends >= found.ends) found = { address, ends };
  }
  return found?.address;
}

/**
 * Calls a function once, with the address of a card, when it is known.
 *
 * @returns What ends the wait.
 */
export function watchLeases(mac: string, onAddress: (address: string) => void): Disposable {
  const path = `${LEASES.folder}/${LEASES.name}`;
  const known = () => {
    try {
      return leasedAddress(Deno.readTextFileSync(path), mac);
    } catch {
      return undefined; // there may be none yet, and it is no reason to fail
    }
  };
  let watcher: Deno.FsWatcher;
  try {
    watcher = Deno.watchFs(LEASES.folder, { recursive: false });
  } catch {
    return { [Symbol.dispose]() {} };
  }
  const before = known();
  (async () => {
    for await (const { paths } of watcher) {
      if (!paths.some((changed) => changed.endsWith(LEASES.name))) continue;
      const address = known();
      if (address) return onAddress(address);
    }
  })().catch(() => {}); // who cannot watch does not learn it
  if (before) onAddress(before);
  return {
    [Symbol.dispose]() {
      try {
        watcher.close();
      } catch { /* closed when the address came */ }
    },
  };
}
