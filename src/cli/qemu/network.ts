/** Network cards, in the words that qemu has for them. */

import type { Network, OwnNetwork, PortForward } from "../../machine/network.ts";
import { type Answer, type Answers, kindOf, type Notes, partsOf, readKeys } from "./answers.ts";
import { NETWORK_WORDS } from "./network_words.ts";
import { UsageError } from "./usage_error.ts";
import { onOff, parseCount } from "./values.ts";

const OTHER_NETWORK = "there are user, bridge, dgram and stream";
const FRAMEWORKS = "how the network answers is the framework's";
const NO_TFTP = "there is no TFTP server: -kernel boots without";
const IS_OWN = "a network of the machine's own, from macOS 26 on";
const NO_IPV6 = "its IPv6 addresses are the framework's";

/** Keys of every card. */
export const CARD_KEYS = {
  mac: { does: "the card's address" },
  model: {
    so: "the card is a virtio one",
    values: ["virtio", "virtio-net-pci", "virtio-net-device", "virtio-net"],
  },
  id: { does: "its name" },
  name: { so: "a card needs no name" },
  vlan: { cannot: "a card has one network: -nic" },
} satisfies Answers;

const MTU = { does: "the largest packet, in bytes; over 1500 from macOS 13 on" };

const USER_KEYS = {
  hostfwd: {
    does: "tcp|udp:[ADDR]:PORT-[GUEST]:PORT: a port of the host's, on 127.0.0.1 unless ADDR says else",
  },
  net: { does: `its addresses, as in 192.168.80.0/24: ${IS_OWN}` },
  dhcpstart: { does: `the guest's address: ${IS_OWN}` },
  guestfwd: { cannot: "the guest reaches the host at its gateway's address" },
  host: { cannot: "the host has the first address of net=" },
  dns: { cannot: FRAMEWORKS },
  domainname: { cannot: FRAMEWORKS },
  dnssearch: { cannot: FRAMEWORKS },
  hostname: { cannot: "the guest gives itself its name" },
  restrict: {
    so: "the guest reaches the host and the network",
    values: ["off", "no"],
    cannot: "-nic vmnet-host has the host alone",
  },
  ipv4: { so: "it has one", values: ["on"], cannot: FRAMEWORKS },
  ipv6: { cannot: NO_IPV6 },
  "ipv6-net": { cannot: NO_IPV6 },
  "ipv6-host": { cannot: NO_IPV6 },
  tftp: { cannot: NO_TFTP },
  bootfile: { cannot: NO_TFTP },
  smb: { cannot: "-share TAG DIR shares a folder" },
} satisfies Answers;

const VMNET_KEYS = {
  "start-address": { does: "the host's address, the second of the network" },
  "end-address": { does: "the last that a guest gets" },
  "subnet-mask": { does: "how many addresses the network has" },
  isolated: { does: "other guests are not reached, which is so on a network of the machine's own" },
  "net-uuid": { cannot: "a network is one machine's" },
  "nat66-prefix": { cannot: NO_IPV6 },
} satisfies Answers;

const DGRAM_KEYS = {
  "remote.type": { does: "unix" },
  "remote.path": { does: "the unix socket that the frames go to" },
  "local.type": { does: "unix, or fd" },
  "local.path": { does: "the card's own socket; else one that is gone at exit" },
  "local.str": { does: "with fd: number of a connected datagram socket that vzrun was started with" },
  "vfkit-magic": { does: "ours: on: the greeting that gvproxy waits for" },
  mtu: MTU,
} satisfies Answers;

const STREAM_KEYS = {
  server: { does: "on: vzrun listens, and takes one peer at a time" },
  "addr.type": { does: "unix, or inet" },
  "addr.path": { does: "the unix socket" },
  "addr.host": { does: "with inet: the host" },
  "addr.port": { does: "with inet: its port" },
  "addr.ipv4": { so: "an address says which it is" },
  "addr.ipv6": { so: "an address says which it is" },
  reconnect: { does: "after how many seconds a peer that has gone is looked for; 1 by default" },
  "reconnect-ms": { does: "the same in milliseconds" },
  mtu: MTU,
} satisfies Answers;

type Kind = Answer & { keys?: Answers };

/** Those that there are, with the keys of each. */
const NETWORKS: Readonly<Record<typeof NETWORK_WORDS[number], Kind>> = {
  user: { does: "NAT, by the framework", keys: USER_KEYS },
  bridge: {
    does: "an interface of the host",
    keys: { br: { does: "the interface" }, helper: { cannot: "the framework makes the bridge" } },
  },
  none: { does: "no card" },
  dgram: { does: "frames as datagrams, for gvproxy and its like", keys: DGRAM_KEYS },
  stream: { does: "frames over a connection, for passt, socket_vmnet or another vzrun", keys: STREAM_KEYS },
  "vmnet-shared": {
    does: "NAT, on a network of the machine's own when its addresses are said",
    keys: VMNET_KEYS,
  },
  "vmnet-host": { does: "the host alone; from macOS 26 on", keys: VMNET_KEYS },
  "vmnet-bridged": {
    does: "an interface of the host",
    keys: {
      ifname: { does: "the interface" },
      isolated: {
        so: "guests reach each other",
        values: ["off"],
        cannot: "guests on a bridge reach each other",
      },
    },
  },
};

/** All kinds that qemu has. */
export const NETWORK_KINDS: Readonly<Record<string, Kind>> = {
  ...NETWORKS,
  tap: { cannot: `${OTHER_NETWORK}: -nic bridge,br=IF` },
  socket: { cannot: `${OTHER_NETWORK}: -nic stream,addr.host=HOST,addr.port=PORT` },
  vde: { cannot: OTHER_NETWORK },
  l2tpv3: { cannot: OTHER_NETWORK },
  passt: { cannot: `${OTHER_NETWORK}: -nic stream,addr.path=PATH, beside passt` },
  "vhost-user": { cannot: OTHER_NETWORK },
  "vhost-vdpa": { cannot: OTHER_NETWORK },
  hubport: { cannot: OTHER_NETWORK },
  "af-xdp": { cannot: OTHER_NETWORK },
  netmap: { cannot: OTHER_NETWORK },
};

/** All keys of a kind. */
function keysOf(kind: string): Answers {
  return { ...NETWORK_KINDS[kind].keys, ...CARD_KEYS };
}

type Given = Partial<Record<string, string>>;

function needed(given: Given, key: string, value: string): string {
  const found = given[key];
  if (found === undefined) throw new UsageError(`${key}=${value} is missing`);
  return found;
}

const PORT = String.raw`(\d+)`;
const ADDRESS = String.raw`(?:\[([^\]]*)\]|([^:\[\]-]*))`;
const HOSTFWD = new RegExp(String.raw`^(tcp|udp|):${ADDRESS}:${PORT}-${ADDRESS}:${PORT}$`);

/** A `hostfwd=`. */
function parseForward(text: string): PortForward {
  const match = HOSTFWD.exec(text);
  if (!match) {
    throw new UsageError(`hostfwd=${text}: expected tcp|udp:[ADDR]:PORT-[GUEST]:PORT, as in tcp::2222-:22`);
  }
  const [, protocol, host6, host4, hostPort, guest6, guest4, guestPort] = match;
  const [hostAddress, guestAddress] = [host6 ?? host4, guest6 ?? guest4];
  return {
    ...protocol === "udp" && { protocol },
    ...hostAddress !== "" && { hostAddress },
    hostPort: Number(hostPort),
    ...guestAddress !== "" && { guestAddress },
    guestPort: Number(guestPort),
  };
}

/** How many bits of a mask are set, from the first on. */
function prefixOf(mask: string): number {
  const bits = mask.split(".").map((byte) => Number(byte).toString(2).padStart(8, "0")).join("");
  if (!/^1+0*$/.test(bits) || bits.length !== 32) throw new UsageError(`subnet-mask=${mask} is no mask`);
  return bits.indexOf("0") < 0 ? 32 : bits.indexOf("0");
}

/** An address as a number. */
function addressOf(text: string, key: string): number {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) throw new UsageError(`${key}=${text} is no address`);
  return text.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** Which address after the network's first the guest gets, if it may: qemu's. */
const USUAL_GUEST = 15;

/** The addresses of a network, as qemu says them: the host's, the last of the guests', and the mask. */
function range(start: string, end: string, mask: string): OwnNetwork {
  const [host, last] = [addressOf(start, "start-address"), addressOf(end, "end-address")];
  const prefix = prefixOf(mask);
  const size = 2 ** (32 - prefix);
  if (host % size !== 1) {
    throw new UsageError(
      `start-address=${start} is the host's: the second of the network, like 192.168.80.1`,
    );
  }
  const place = last - host + 1;
  if (place < 2 || place > size - 2) {
    throw new UsageError(`end-address=${end} is no guest's in ${start}/${prefix}`);
  }
  const guest = start.replace(/\d+$/, (byte) => `${Number(byte) + place - 1}`);
  return { subnet: `${start}/${prefix}`, ...place < USUAL_GUEST && { guestAddress: guest } };
}

function ownNetwork(given: Given): OwnNetwork {
  const { "start-address": start, "end-address": end, "subnet-mask": mask, isolated } = given;
  if ([start, end, mask].some((part) => part === undefined) && (start ?? end ?? mask) !== undefined) {
    throw new UsageError("start-address=, end-address= and subnet-mask= go together");
  }
  return {
    ...start !== undefined && range(start, end!, mask!),
    ...isolated !== undefined && onOff(isolated, "isolated") && { isolated: true },
  };
}

function dgram(given: Given): Network {
  const { "local.type": local, "remote.type": remote, mtu } = given;
  const size = mtu !== undefined && { mtu: parseCount(mtu) };
  if (local === "fd") {
    const foreign = Object.keys(given).find((key) => /^remote\.|local\.path|vfkit/.test(key));
    if (foreign) throw new UsageError(`${foreign}= does not go with local.type=fd`);
    return { kind: "descriptor", descriptor: parseCount(needed(given, "local.str", "N")), ...size };
  }
  for (const [key, type] of [["remote.type", remote ?? "unix"], ["local.type", local ?? "unix"]]) {
    if (type === "inet") throw new UsageError(`${key}=inet: the framework takes unix sockets, and fd`);
    if (type !== "unix") throw new UsageError(`${key}= is unix${key === "local.type" ? " or fd" : ""}`);
  }
  if (given["local.str"] !== undefined) throw new UsageError("local.str= goes with local.type=fd");
  const { "local.path": path, "vfkit-magic": magic } = given;
  return {
    kind: "dgram",
    remote: needed(given, "remote.path", "PATH"),
    ...path !== undefined && { local: path },
    ...magic !== undefined && onOff(magic, "vfkit-magic") && { magic: true },
    ...size,
  };
}

function stream(given: Given): Network {
  const { server, "addr.type": type, reconnect, "reconnect-ms": milliseconds, mtu } = given;
  const listens = server !== undefined && onOff(server, "server");
  if (type === undefined && given["addr.path"] === undefined && given["addr.port"] === undefined) {
    throw new UsageError("addr.path=PATH, or addr.host=HOST,addr.port=PORT, is missing");
  }
  const isUnix = (type ?? (given["addr.path"] === undefined ? "inet" : "unix")) === "unix";
  if (type !== undefined && type !== "unix" && type !== "inet") {
    throw new UsageError("addr.type= is unix or inet");
  }
  const foreign = (isUnix ? ["addr.host", "addr.port"] : ["addr.path"]).find((key) =>
    given[key] !== undefined
  );
  if (foreign) throw new UsageError(`${foreign}= does not go with addr.type=${isUnix ? "unix" : "inet"}`);
  if (reconnect !== undefined && milliseconds !== undefined) {
    throw new UsageError("reconnect= and reconnect-ms= exclude each other");
  }
  if (listens && (reconnect ?? milliseconds) !== undefined) {
    throw new UsageError("reconnect= is of who connects, and not of server=on");
  }
  return {
    kind: "stream",
    address: isUnix ? { kind: "unix", path: needed(given, "addr.path", "PATH") } : {
      kind: "tcp",
      host: given["addr.host"] || "127.0.0.1",
      port: parseCount(needed(given, "addr.port", "PORT")),
    },
    ...listens && { server: true },
    ...reconnect !== undefined && { reconnect: parseCount(reconnect) },
    ...milliseconds !== undefined && { reconnect: parseCount(milliseconds) / 1000 },
    ...mtu !== undefined && { mtu: parseCount(mtu) },
  };
}

function toNetwork(kind: string, given: Given, forward: PortForward[]): Network {
  switch (kind) {
    case "bridge":
      return { kind, interface: needed(given, "br", "INTERFACE") };
    case "vmnet-bridged":
      return { kind: "bridge", interface: needed(given, "ifname", "INTERFACE") };
    case "vmnet-shared":
      return { kind: "nat", ...ownNetwork(given) };
    case "vmnet-host":
      return { kind: "host", ...ownNetwork(given) };
    case "dgram":
      return dgram(given);
    case "stream":
      return stream(given);
  }
  const { net, dhcpstart } = given;
  return {
    kind: "nat",
    ...forward.length > 0 && { forward },
    ...net !== undefined && { subnet: net },
    ...dhcpstart !== undefined && { guestAddress: dhcpstart },
  };
}

/** A network as `-nic`, `-netdev` and `-net` describe it; `none` is no card. */
export function parseNetwork(text: string, notes: Notes): { card: Network | "none"; id?: string } {
  const [first, ...others] = partsOf(text);
  // user is what there is when none is named; its key is type=.
  const isKey = first?.[1] !== undefined;
  const kind = !isKey ? first?.[0] ?? "" : first[0] === "type" ? first[1]! : "user";
  const rest = isKey && first[0] !== "type" ? [first, ...others] : others;
  if (!kindOf(NETWORK_KINDS, kind)) throw new UsageError(`the network is one of ${NETWORK_WORDS.join(", ")}`);
  if (kind === "none") {
    if (rest.length > 0) throw new UsageError("none takes nothing more");
    return { card: "none" };
  }
  const keys = keysOf(kind);
  const foreign = rest.find(([key]) => !Object.hasOwn(keys, key));
  const owners = NETWORK_WORDS.filter((one) => foreign && Object.hasOwn(keysOf(one), foreign[0]));
  if (foreign && owners.length > 0) throw new UsageError(`${foreign[0]}= goes with ${owners.join(", ")}`);
  const forwards = rest.filter(([key, value]) => key === "hostfwd" && value !== undefined);
  const forward = forwards.map(([, value]) => parseForward(value!));
  const given: Given = readKeys(rest.filter((part) => !forwards.includes(part)), keys, notes);
  const card = toNetwork(kind, given, forward);
  return {
    card: { ...card, ...given.mac !== undefined && { mac: given.mac } },
    ...given.id !== undefined && { id: given.id },
  };
}
