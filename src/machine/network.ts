/** Network cards: what each is plugged into, and the check of it. */

import { LONGEST_SOCKET_PATH } from "../host/files.ts";
import type { FrameStreams } from "./network_frames.ts";
import { MachineError, Setting, type Text } from "./error.ts";
import type { Forward } from "./port_forward.ts";
import { checkSubnet } from "./subnet.ts";

/** A port of the host's that leads to one of the guest's: TCP, and of 127.0.0.1, unless it says otherwise. */
export type PortForward = Pick<Forward, "hostPort" | "guestPort"> & Partial<Forward>;

/** A network card, and what it is plugged into. */
export type Network =
  & { /** `52:54:00:12:34:56` */ mac?: string }
  & (
    /** The host's NAT. `forward` has ports of the host that lead to the guest's. */
    | { kind: "nat"; forward?: PortForward[] } & OwnNetwork
    /** A network of the guest and the host alone. macOS 26. */
    | { kind: "host"; forward?: PortForward[] } & OwnNetwork
    /** The network of an interface of the host's: `en0`. */
    | { kind: "bridge"; interface: string }
    /**
     * Frames as datagrams, to and from the program that has bound a unix socket at `remote`: gvproxy, with `magic` if it
     * waits for vfkit's greeting. `local` is where that program finds the card.
     */
    | { kind: "dgram"; remote: string; local?: string; magic?: boolean } & PacketSize
    /** The same on a connected datagram socket that this process was started with. */
    | { kind: "descriptor"; descriptor: number } & PacketSize
    /**
     * Frames over a connection, each after its length, as qemu, passt and socket_vmnet have them. A `server` listens, and
     * takes one peer at a time; `reconnect` is after how many seconds one that has gone is looked for again, 1 by default.
     */
    | { kind: "stream"; address: StreamAddress; server?: boolean; reconnect?: number } & PacketSize
    /** A program's own streams of frames. */
    | { kind: "frames"; frames: FrameStreams } & PacketSize
  );

/** Where a stream is. */
export type StreamAddress = { kind: "unix"; path: string } | { kind: "tcp"; host: string; port: number };

/** What makes a network one of the machine's own. macOS 26. */
export interface OwnNetwork {
  /** Its addresses, of which the first is the host's: `192.168.80.0/24`. */
  subnet?: string;
  /** The address that the guest gets from it. */
  guestAddress?: string;
  /** Guests of other machines are not reached. */
  isolated?: boolean;
}

/** How large packets may be. */
export interface PacketSize {
  /** In bytes, without the frame's head: 1500, and up to 65535 from macOS 13 on. */
  mtu?: number;
}

/** Before a peer is looked for again, in seconds. */
const LONGEST_PAUSE = 86_400;

/** All addresses of the host's. */
const ALL = ["0.0.0.0", "::"];

function fail(field: string, reason: Text): never {
  throw new MachineError(reason, { field });
}

function checkMAC(mac: string, field: string): void {
  const failMAC = (problem: string): never => fail(field, [new Setting("mac", mac), `: ${problem}`]);
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac)) failMAC("expected a MAC address like 52:54:00:12:34:56");
  if (!/[^0:]/.test(mac)) failMAC("that is an address which no card can have");
  if (parseInt(mac, 16) & 1) failMAC("that is a multicast address, which no card can have");
}

function checkSocketPath(path: string, field: string): void {
  const length = new TextEncoder().encode(path).length;
  if (length === 0) fail(field, "the path of a socket is empty");
  if (length > LONGEST_SOCKET_PATH) {
    fail(field, `'${path}' has ${length} bytes: the path of a socket has at most ${LONGEST_SOCKET_PATH}`);
  }
}

function checkPort(port: number, field: string): void {
  if (!(port >= 1 && port <= 65_535)) fail(field, `${port} is no port: there are 1 to 65535`);
}

/** An address without a name, of IPv4 or IPv6. */
function isAddress(text: string): boolean {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    return text.split(".").every((byte) => Number(byte) <= 255 && byte === String(Number(byte)));
  }
  return /^[0-9a-f:.]+$/i.test(text) && URL.canParse(`http://[${text}]`);
}

/** An address as the system writes it. */
const normalAddress = (text: string) =>
  text.includes(":") ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;

/** A forward with all that was not said. */
export function completeForward(forward: PortForward): Forward {
  const { hostAddress = "127.0.0.1", guestAddress } = forward;
  return {
    protocol: "tcp",
    ...forward,
    hostAddress: normalAddress(hostAddress),
    ...guestAddress !== undefined && { guestAddress: normalAddress(guestAddress) },
  };
}

function checkForward(forward: PortForward, field: string): void {
  const { hostAddress = "127.0.0.1", guestAddress, hostPort, guestPort } = forward;
  checkPort(hostPort, `${field}.hostPort`);
  checkPort(guestPort, `${field}.guestPort`);
  if (!isAddress(hostAddress)) fail(`${field}.hostAddress`, `'${hostAddress}' is no address of the host's`);
  if (guestAddress !== undefined && !isAddress(guestAddress)) {
    fail(`${field}.guestAddress`, `'${guestAddress}' is no address of the guest's`);
  }
}

function checkCard(card: Network, field: string): void {
  if (card.mac !== undefined) checkMAC(card.mac, `${field}.mac`);
  if ("mtu" in card && card.mtu !== undefined && !(card.mtu >= 1500 && card.mtu <= 65_535)) {
    fail(`${field}.mtu`, [new Setting("mtu", String(card.mtu)), ": a packet has 1500 to 65535 bytes"]);
  }
  switch (card.kind) {
    case "nat":
    case "host":
      card.forward?.forEach((forward, i) => checkForward(forward, `${field}.forward[${i}]`));
      return checkSubnet(card, field);
    case "dgram":
      checkSocketPath(card.remote, `${field}.remote`);
      if (card.local !== undefined) checkSocketPath(card.local, `${field}.local`);
      if (card.local === card.remote) fail(`${field}.local`, `'${card.local}' is given twice, as both ends`);
      return;
    case "stream":
      if (card.address.kind === "unix") checkSocketPath(card.address.path, `${field}.address`);
      else checkPort(card.address.port, `${field}.address`);
      if (card.reconnect === undefined) return;
      if (card.server) fail(`${field}.reconnect`, "who listens connects to nobody again");
      if (card.reconnect > LONGEST_PAUSE) {
        fail(`${field}.reconnect`, `${card.reconnect} s are too long: a day at most`);
      }
      return;
    case "descriptor":
      if (!(card.descriptor >= 0 && card.descriptor < 2 ** 31)) {
        fail(`${field}.descriptor`, `${card.descriptor} is no descriptor's number`);
      }
  }
}

/**
 * Checks cards: no two have the same address, or take the same port.
 *
 * @throws {MachineError} When one is not fit.
 */
export function checkNetwork(network: Network[]): void {
  network.forEach((card, i) => checkCard(card, `network[${i}]`));
  const addresses = network.flatMap(({ mac }) => mac ?? []);
  const twice = addresses.find((mac, i) => addresses.indexOf(mac) < i);
  if (twice) fail("network", `two cards cannot both have the address ${twice}`);
  const forwards = network.flatMap((card) => "forward" in card && card.forward || []).map(completeForward);
  for (const [i, { protocol, hostAddress, hostPort }] of forwards.entries()) {
    const isSame = (other: Forward) =>
      other.protocol === protocol && other.hostPort === hostPort &&
      (other.hostAddress === hostAddress || ALL.includes(hostAddress) || ALL.includes(other.hostAddress));
    if (!forwards.slice(0, i).some(isSame)) continue;
    fail("network", `${protocol} port ${hostPort} of ${hostAddress} is given twice`);
  }
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
