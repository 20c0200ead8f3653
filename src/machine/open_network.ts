/** Opens what network cards are plugged into, before their machine is made. */

import {
  UnavailableError,
  VZBridgedNetworkDeviceAttachment,
  VZBridgedNetworkInterface,
  VZFileHandleNetworkDeviceAttachment,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  type VZNetworkDeviceAttachment,
  VZVirtioNetworkDeviceConfiguration,
  VZVmnetNetworkDeviceAttachment,
} from "../vz/mod.ts";
import { MachineError, toMachineError } from "./error.ts";
import { completeForward, type Network } from "./network.ts";
import type { OpenedSocket } from "./network_dgram.ts";
import type { OwnableNetwork } from "./own_network.ts";
import type { Forward, Listeners } from "./port_forward.ts";
import type { RunContext } from "./run_context.ts";
import type { Addresses } from "./subnet.ts";

/** What a card is plugged into. */
export interface OpenedNetwork {
  /** Anew for each time that it is plugged in. */
  attachment(): VZNetworkDeviceAttachment;
  /** Of a network that is the machine's own. */
  addresses?: Addresses;
  /** Waits until it can be plugged in again. @throws {FileError} When it never can. */
  connected?(): Promise<void>;
  /** Of the ports that lead to the guest's. */
  listeners?: Listeners;
}

/** What every macOS has, in bytes. */
const USUAL_MTU = 1500;

/** How networks are opened. */
interface OpenOptions extends Omit<RunContext, "files"> {
  /** Looks only whether they can be, and connects to nobody. */
  dryRun: boolean;
  /** Is disposed of when the machine has ended. */
  cleanup: AsyncDisposableStack;
}

/**
 * Opens the network of a card.
 *
 * @returns Undefined in a dry run for what only a real one can open.
 * @throws {MachineError} When a port is in use, a peer is not there, there is no such interface, or macOS is too old.
 */
export async function openNetwork(
  card: Network,
  i: number,
  options: OpenOptions,
): Promise<OpenedNetwork | undefined> {
  const field = `network[${i}]`;
  try {
    return await open(card, i, field, options);
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new MachineError(error.message, { field, cause: error });
  }
}

async function open(
  card: Network,
  i: number,
  field: string,
  options: OpenOptions,
): Promise<OpenedNetwork | undefined> {
  if (card.kind === "bridge") return { attachment: () => bridgedAttachment(card.interface, field) };
  if (card.kind === "nat" || card.kind === "host") return await openRouted(card, field, options);
  const mtu = card.mtu === USUAL_MTU ? undefined : card.mtu;
  if (mtu !== undefined) VZFileHandleNetworkDeviceAttachment.api.requireMethod("setMaximumTransmissionUnit:");
  if (options.dryRun) return await checkSocket(card, field);
  const { handle, connected } = await openSocket(card, i, options);
  return {
    connected,
    attachment() {
      const attachment = VZFileHandleNetworkDeviceAttachment.create(handle);
      if (mtu !== undefined) attachment.maximumTransmissionUnit = mtu;
      return attachment;
    },
  };
}

/** Networks of the framework's, which reach the host. */
async function openRouted(card: OwnableNetwork, field: string, options: OpenOptions): Promise<OpenedNetwork> {
  const { kind, forward, subnet, guestAddress, isolated } = card;
  const nat = { attachment: () => VZNATNetworkDeviceAttachment.create() };
  const listeners = forward && await listen(forward.map(completeForward), field, options);
  const mustBeOwn = kind === "host" || subnet !== undefined || guestAddress !== undefined ||
    isolated === true;
  if (!mustBeOwn && !(forward && VZVmnetNetworkDeviceAttachment.api.isAvailable)) {
    return { ...nat, listeners };
  }
  VZVmnetNetworkDeviceAttachment.api.require();
  if (options.dryRun) return { ...nat, listeners };
  const { openOwnNetwork } = await import("./own_network.ts");
  try {
    return { ...openOwnNetwork(card, field), listeners };
  } catch (error) {
    if (mustBeOwn || !(error instanceof MachineError)) throw error;
    options.debug(`${error.message}; NAT is what there is else`);
    return { ...nat, listeners };
  }
}

async function listen(
  forwards: readonly Forward[],
  field: string,
  { dryRun, cleanup }: OpenOptions,
): Promise<Listeners | undefined> {
  const { listenAll } = await import("./port_forward.ts");
  const listeners = await listenAll(forwards, `${field}.forward`);
  if (!dryRun) return cleanup.use(listeners);
  await listeners[Symbol.asyncDispose]();
}

/** A card whose frames go over a socket. */
type SocketCard = Exclude<Network, OwnableNetwork | { kind: "bridge" }>;

/** For a dry run, which connects to nobody. */
async function checkSocket(card: SocketCard, field: string): Promise<undefined> {
  try {
    if (card.kind === "stream") {
      (await import("./network_stream.ts")).checkStream({ ...card, place: card.address });
    } else if (card.kind !== "frames") {
      (await import("./network_dgram.ts")).checkDatagrams(card);
    }
  } catch (error) {
    throw toMachineError(field, "", error);
  }
}

/** The datagram socket of which the framework gets its frames. */
async function openSocket(card: SocketCard, i: number, context: OpenOptions): Promise<OpenedSocket> {
  const what = `network card ${i + 1}`;
  const { cleanup } = context;
  try {
    switch (card.kind) {
      case "frames": {
        const { checkFrames, openFrames } = await import("./network_frames.ts");
        checkFrames(card.frames, `network[${i}].frames`);
        return cleanup.use(openFrames(card.frames, context, what));
      }
      case "stream": {
        const { openStream } = await import("./network_stream.ts");
        return cleanup.use(await openStream({ ...card, place: card.address }, context, what));
      }
      default: {
        const { openDatagrams } = await import("./network_dgram.ts");
        return cleanup.use(openDatagrams(card, context, what));
      }
    }
  } catch (error) {
    throw toMachineError(`network[${i}]`, `cannot open ${what}`, error);
  }
}

function bridgedAttachment(name: string, field: string): VZBridgedNetworkDeviceAttachment {
  const all = VZBridgedNetworkInterface.all();
  const wanted = all.find((known) => known.identifier === name);
  if (wanted) return VZBridgedNetworkDeviceAttachment.create(wanted);
  const names = all.map((known) => known.identifier).join(", ");
  const there = names ? `there are ${names}` : "there are none that this process may use";
  throw new MachineError(`no interface '${name}' to bridge to: ${there}`, { field: `${field}.interface` });
}

/** The card. @throws {MachineError} When there is no such interface to bridge to. */
export function configureNetwork(
  { mac }: Network,
  opened: OpenedNetwork | undefined,
): VZVirtioNetworkDeviceConfiguration {
  const device = VZVirtioNetworkDeviceConfiguration.create(
    opened?.attachment() ?? VZNATNetworkDeviceAttachment.create(),
  );
  if (mac !== undefined) device.macAddress = VZMACAddress.create(mac);
  return device;
}
