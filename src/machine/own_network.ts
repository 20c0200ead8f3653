/** A network of the machine's own, on which the guest's address is known beforehand. macOS 26. */

import { createVmnetNetwork, VmnetError } from "../host/vmnet.ts";
import type { NSObject } from "../objc/mod.ts";
import { VZVmnetNetworkDeviceAttachment } from "../vz/mod.ts";
import { MachineError } from "./error.ts";
import { completeForward, type Network } from "./network.ts";
import { type Addresses, addressesOf } from "./subnet.ts";

/** A card on a network that can be the machine's own. */
export type OwnableNetwork = Extract<Network, { kind: "nat" | "host" }>;

/** The network of a card, as long as the machine runs. */
export interface OpenedOwnNetwork {
  attachment(): VZVmnetNetworkDeviceAttachment;
  /** The network's, and that which the guest is to get; it may take another. */
  addresses: Addresses;
}

/** Of the networks 192.168.N.0/24 those that are tried when none is said: routers and other programs have lower ones. */
const [FIRST, TRIED] = [200, 8];

/** Where a rule of vmnet's leads from: it knows no addresses of the host's. */
const EVERYWHERE = "0.0.0.0";

/** A network, with the addresses that were said, or the first that nobody else has. */
function create(card: OwnableNetwork, third: number): { network: NSObject; addresses: Addresses } {
  const addresses = addressesOf(card, third);
  const { host, mask, guest } = addresses;
  const rules = (card.forward ?? []).map(completeForward).filter(({ hostAddress, guestAddress }) =>
    hostAddress === EVERYWHERE && (guestAddress ?? guest) === guest
  );
  const mode = card.kind === "nat" ? "shared" : "host";
  const wanted = { mode, host, mask, reservation: { mac: card.mac!, address: guest } } as const;
  try {
    return { network: createVmnetNetwork({ ...wanted, rules }), addresses };
  } catch (error) {
    // vzrun listens itself, rules or not: they only spare it the bytes, and may go when a guest reboots.
    if (rules.length === 0 || !(error instanceof VmnetError)) throw error;
    return { network: createVmnetNetwork({ ...wanted, rules: [] }), addresses };
  }
}

/**
 * Makes the network of a card.
 *
 * @throws {UnavailableError} Before macOS 26.
 * @throws {MachineError} When there can be none with the addresses that were said, or none at all.
 */
export function openOwnNetwork(card: OwnableNetwork, field: string): OpenedOwnNetwork {
  VZVmnetNetworkDeviceAttachment.api.require();
  const isSaid = card.subnet !== undefined || card.guestAddress !== undefined;
  for (let i = 0;; i++) {
    try {
      const { network, addresses } = create(card, FIRST + (Deno.pid + i * 13) % (256 - FIRST));
      return { attachment: () => VZVmnetNetworkDeviceAttachment.create(network), addresses };
    } catch (error) {
      if (!(error instanceof VmnetError)) throw error;
      if (isSaid || i === TRIED) throw new MachineError(error.message, { field, cause: error });
    }
  }
}
