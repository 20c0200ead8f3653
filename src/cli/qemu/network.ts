/** Network cards, in the words that qemu has for them. */

import type { Network } from "../../machine/network.ts";
import { type Answers, kindOf, type Notes, partsOf, readKeys } from "./answers.ts";
import { UsageError } from "./usage_error.ts";

const OTHER_NETWORK = "vzrun has the networks user and bridge";
const NO_FORWARDING = "ports are not forwarded yet: -verbose tells the guest's address";

export const NETWORK_KINDS: Answers = {
  user: { does: "NAT, by the framework" },
  bridge: { does: "an interface of the host" },
  none: { does: "no card" },
  tap: { cannot: `${OTHER_NETWORK}: -nic bridge,br=IF` },
  socket: { cannot: OTHER_NETWORK },
  dgram: { cannot: OTHER_NETWORK },
  stream: { cannot: OTHER_NETWORK },
  vde: { cannot: OTHER_NETWORK },
  l2tpv3: { cannot: OTHER_NETWORK },
  passt: { cannot: OTHER_NETWORK },
  "vhost-user": { cannot: OTHER_NETWORK },
  "vhost-vdpa": { cannot: OTHER_NETWORK },
  "vmnet-shared": { cannot: `${OTHER_NETWORK}: -nic user is a shared one` },
  "vmnet-host": { cannot: OTHER_NETWORK },
  "vmnet-bridged": { cannot: `${OTHER_NETWORK}: -nic bridge,br=IF` },
  hubport: { cannot: OTHER_NETWORK },
  "af-xdp": { cannot: OTHER_NETWORK },
  netmap: { cannot: OTHER_NETWORK },
};

const PLANNED = "the addresses of -nic user are the framework's";

export const NIC_KEYS = {
  br: { does: "the interface of the host, with bridge" },
  mac: { does: "the card's address" },
  model: {
    so: "the card is a virtio one",
    values: ["virtio", "virtio-net-pci", "virtio-net-device", "virtio-net"],
  },
  id: { does: "its name" },
  hostfwd: { cannot: NO_FORWARDING },
  guestfwd: { cannot: NO_FORWARDING },
  net: { cannot: PLANNED },
  host: { cannot: PLANNED },
  dhcpstart: { cannot: PLANNED },
  dns: { cannot: PLANNED },
  domainname: { cannot: PLANNED },
  dnssearch: { cannot: PLANNED },
  hostname: { cannot: "the guest gives itself its name" },
  restrict: {
    so: "the guest reaches the host and the network",
    values: ["off", "no"],
    cannot: "-nic none keeps a guest alone",
  },
  ipv6: { cannot: PLANNED },
  "ipv6-net": { cannot: PLANNED },
  "ipv6-host": { cannot: PLANNED },
  vlan: { cannot: "a card has one network: -nic" },
  name: { so: "a card needs no name" },
  ifname: { cannot: OTHER_NETWORK },
  ipv4: { so: "it has one", values: ["on"], cannot: PLANNED },
  tftp: { cannot: "there is no TFTP server: -kernel boots without" },
  bootfile: { cannot: "there is no TFTP server: -kernel boots without" },
  smb: { cannot: "-share TAG DIR shares a folder" },
  helper: { cannot: "the framework makes the bridge" },
  script: { so: "none is run", values: ["no"], cannot: "no script is run" },
  downscript: { so: "none is run", values: ["no"], cannot: "no script is run" },
} satisfies Answers;

/** A network as `-nic`, `-netdev` and `-net` describe it; `none` is no card. */
export function parseNetwork(text: string, notes: Notes): { card: Network | "none"; id?: string } {
  const [first, ...others] = partsOf(text);
  // user is what there is when none is named; its key is type=.
  const isKey = first?.[1] !== undefined;
  const kind = !isKey ? first?.[0] ?? "" : first[0] === "type" ? first[1]! : "user";
  const rest = isKey && first[0] !== "type" ? [first, ...others] : others;
  if (!kindOf(NETWORK_KINDS, kind)) throw new UsageError("the network is one of user, none, bridge");
  if (kind === "none") {
    if (rest.length > 0) throw new UsageError("none takes nothing more");
    return { card: "none" };
  }
  const given = readKeys(rest, NIC_KEYS, notes);
  if (kind === "bridge" && given.br === undefined) throw new UsageError("br=INTERFACE is missing");
  if (kind === "user" && given.br !== undefined) throw new UsageError("br= goes with bridge");
  const mac = given.mac === undefined ? {} : { mac: given.mac };
  const card: Network = kind === "bridge" ? { kind, interface: given.br!, ...mac } : { kind: "nat", ...mac };
  return { card, ...given.id !== undefined && { id: given.id } };
}
