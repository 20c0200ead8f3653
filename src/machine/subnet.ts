/** The addresses of a network that is the machine's own. */

import { MachineError, Setting } from "./error.ts";
import type { OwnNetwork } from "./network.ts";

/** The addresses of a network as numbers. */
interface Range {
  first: number;
  size: number;
}

/** Those that vmnet takes: in this one, a /28 at the least. */
const [ALL, SHORTEST, LONGEST] = ["192.168.0.0", 16, 28];

/** Which of a network's addresses the guest gets, as qemu's first guest does. */
const USUAL_GUEST = 15;

const numberOf = (address: string) => address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
const textOf = (address: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

function isIPv4(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split(".").every((byte) => Number(byte) <= 255);
}

function parse(subnet: string, field: string): Range {
  const [, address, length] = /^([\d.]+)\/(\d+)$/.exec(subnet) ?? [];
  const fail = (problem: string): never => {
    throw new MachineError([new Setting("subnet", subnet), `: ${problem}`], { field: `${field}.subnet` });
  };
  if (address === undefined || !isIPv4(address)) fail("expected a network like 192.168.80.0/24");
  if (Number(length) < SHORTEST || Number(length) > LONGEST) {
    fail(`a network is a /${SHORTEST} to a /${LONGEST}`);
  }
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(numberOf(address) / size) * size;
  if (numberOf(ALL) !== first - first % 2 ** (32 - SHORTEST)) {
    fail(`the framework takes those of ${ALL}/${SHORTEST}`);
  }
  return { first, size };
}

/**
 * Checks what is said of the addresses of a network.
 *
 * @throws {MachineError} When one is none, or not of that network.
 */
export function checkSubnet({ subnet, guestAddress }: OwnNetwork, field: string): void {
  const range = subnet === undefined ? undefined : parse(subnet, field);
  if (guestAddress === undefined) return;
  const fail = (problem: string): never => {
    const reason = [new Setting("guestAddress", guestAddress), `: ${problem}`];
    throw new MachineError(reason, { field: `${field}.guestAddress` });
  };
  if (!isIPv4(guestAddress)) fail("expected an address like 192.168.80.15");
  const { first, size } = range ?? parse(`${guestAddress}/24`, field);
  const place = numberOf(guestAddress) - first;
  if (place < 0 || place >= size) fail(`it is not in ${subnet}`);
  if (place <= 1 || place === size - 1) fail("a guest has neither the first two nor the last of a network");
}

/** A network with the address that the guest is to get. */
export interface Addresses {
  /** The first address, which is nobody's. */
  subnet: string;
  /** The second, which is the host's. */
  host: string;
  mask: string;
  guest: string;
}

/** Whether an address is on a network. */
export function isOn({ subnet, mask }: Addresses, address: string): boolean {
  const place = numberOf(address) - numberOf(subnet);
  return isIPv4(address) && place >= 0 && place < 2 ** 32 - numberOf(mask);
}

/** What was said of a network, with what was not. @param third Third byte of a network when none is said. */
export function addressesOf({ subnet, guestAddress }: OwnNetwork, third: number): Addresses {
  const said = subnet ?? (guestAddress === undefined ? `192.168.${third}.0/24` : `${guestAddress}/24`);
  const { first, size } = parse(said, "network");
  const guest = guestAddress ?? textOf(first + Math.min(USUAL_GUEST, size - 2));
  return { subnet: textOf(first), host: textOf(first + 1), mask: textOf(2 ** 32 - size), guest };
}
