/** From where the host comes to a guest's ports. */

import { cString, openFunctions } from "../objc/mod.ts";
import { guestsAreNeighbours } from "./libraries.ts";

const standIn = openFunctions("Virtualization", {
  guest_port_on_loopback: { parameters: ["buffer", "i32", "i32"], result: "i32", nonblocking: true },
});

/** What calls that still run read. */
const held = new Set<Uint8Array>();

/**
 * The place where a port of a guest's is found: its own address, but for guests that are behind QEMU's network.
 *
 * @throws {Error} When that network does not lead there.
 */
export async function reachGuest(
  address: string,
  port: number,
  protocol: "tcp" | "udp",
): Promise<{ hostname: string; port: number }> {
  if (guestsAreNeighbours) return { hostname: address, port };
  const text = cString(address);
  held.add(text);
  const onLoopback = await standIn.guest_port_on_loopback(text, port, Number(protocol === "udp"));
  held.delete(text);
  if (onLoopback < 0) throw new Error(`QEMU's network does not lead to ${address}:${port} (${protocol})`);
  return onLoopback > 0 ? { hostname: "127.0.0.1", port: onLoopback } : { hostname: address, port };
}
