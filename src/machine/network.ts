/** Network cards. */

import {
  VZBridgedNetworkDeviceAttachment,
  VZBridgedNetworkInterface,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  type VZNetworkDeviceAttachment,
  VZVirtioNetworkDeviceConfiguration,
} from "../vz/mod.ts";
import { MachineError, Setting } from "./error.ts";

/** A network card, and what it is plugged into. */
export type Network =
  /** The host's NAT. */
  | { kind: "nat"; mac?: string }
  /** The network of an interface of the host's: `en0`. */
  | { kind: "bridge"; interface: string; mac?: string };

function checkMAC(mac: string, field: string): void {
  const fail = (problem: string): never => {
    throw new MachineError([new Setting("mac", mac), `: ${problem}`], { field });
  };
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) fail("expected a MAC address like 52:54:00:12:34:56");
  if (!/[^0:]/.test(mac)) fail("that is an address which no card can have");
  if (parseInt(mac, 16) & 1) fail("that is a multicast address, which no card can have");
}

/**
 * Checks the addresses of cards, of which no two are the same.
 *
 * @throws {MachineError} When one is not fit.
 */
export function checkNetwork(network: Network[]): void {
  network.forEach(({ mac }, i) => mac === undefined || checkMAC(mac, `network[${i}].mac`));
  const addresses = network.flatMap(({ mac }) => mac ?? []);
  const twice = addresses.find((mac, i) => addresses.indexOf(mac) < i);
  if (twice) throw new MachineError(`two cards cannot both have the address ${twice}`, { field: "network" });
}

/** A locally administered MAC address: of a named machine always the same, else a random one. */
export async function makeMAC(name: string | undefined, card: number): Promise<string> {
  const bytes = name === undefined ? crypto.getRandomValues(new Uint8Array(5)) : new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${name}\0${card}`)),
    0,
    5,
  );
  return ["02", ...Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))].join(":");
}

/** @throws {MachineError} When there is no such interface to bridge to. */
export function configureNetwork(network: Network, field: string): VZVirtioNetworkDeviceConfiguration {
  const device = VZVirtioNetworkDeviceConfiguration.create(attachment(network, field));
  if (network.mac !== undefined) device.macAddress = VZMACAddress.create(network.mac);
  return device;
}

/** What a card is plugged into. @throws {MachineError} When there is no such interface to bridge to. */
export function attachment(network: Network, field: string): VZNetworkDeviceAttachment {
  if (network.kind === "nat") return VZNATNetworkDeviceAttachment.create();
  const all = VZBridgedNetworkInterface.all();
  const wanted = all.find((known) => known.identifier === network.interface);
  if (wanted) return VZBridgedNetworkDeviceAttachment.create(wanted);
  const names = all.map((known) => known.identifier).join(", ");
  const there = names ? `there are ${names}` : "there are none that this process may use";
  throw new MachineError(`no interface '${network.interface}' to bridge to: ${there}`, {
    field: `${field}.interface`,
  });
}
