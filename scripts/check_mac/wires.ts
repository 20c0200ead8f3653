/** Probes of the networks that vzrun makes itself: vmnet's, ports that lead into a guest, and frames. */

import { neighbours } from "../../src/host/arp_table.ts";
import { addressOf, leasedAddress } from "../../src/host/dhcp_leases.ts";
import { reachGuest } from "../../src/host/guest_reach.ts";
import { inTime } from "../../src/host/in_time.ts";
import { macOSVersion } from "../../src/host/system.ts";
import { createVmnetNetwork, VmnetError } from "../../src/host/vmnet.ts";
import { wordUnreachable } from "../../src/machine/port_forward.ts";
import { VZVmnetNetworkDeviceAttachment } from "../../src/vz/mod.ts";
import { THERE } from "./arp_answers.ts";
import { classNamed } from "./machine.ts";
import { FRAMES_MAC, GUEST_PORT, NAT_MAC, type NetworkGuest, subnets } from "./network_guest.ts";
import { addressInside, leases, PING_HOST, withCard, words } from "./networks.ts";
import { type Finding, found, type Probe, unclear, until } from "./probe.ts";

/** In seconds: somebody may have to be found who allows it. */
const PATIENCE = 40;

/** Whether the system has the class, whatever this program knows of its versions. */
function hasVmnetAttachment(): boolean {
  try {
    classNamed("VZVmnetNetworkDeviceAttachment");
    return true;
  } catch {
    return false;
  }
}

function makeNetwork(third: number): Finding {
  const prefix = `192.168.${third}`;
  using network = createVmnetNetwork({
    mode: "shared",
    host: `${prefix}.1`,
    mask: "255.255.255.0",
    reservation: { mac: NAT_MAC, address: `${prefix}.77` },
    rules: [],
  });
  const seen = words(withCard(VZVmnetNetworkDeviceAttachment.create(network)));
  return found(seen === "valid", `${prefix}.0/24 with ${prefix}.77 for ${NAT_MAC}: ${seen}`);
}

/** How the host knows the address of the guest's first card. */
function wayTo(address: string): string {
  if (leasedAddress(leases() ?? "", NAT_MAC) === address) return "by its lease";
  return neighbours().some((one) => one.mac === NAT_MAC && one.address === address) ? "by ARP" : "otherwise";
}

/** Sends words through a port of this host's. @returns What comes back, or nothing in time. */
async function throughPort(port: number, text: string): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await connection.write(new TextEncoder().encode(text));
    await connection.closeWrite();
    let back = "";
    const reading = new Response(connection.readable).text().then((all) => back = all, () => {});
    await inTime(reading, PATIENCE * 1000);
    return back;
  } finally {
    try {
      connection.close();
    } catch { /* its end has closed it */ }
  }
}

/** How the guest's port answers without a forward. */
async function directly(address: string): Promise<string> {
  try {
    const place = await reachGuest(address, GUEST_PORT, "tcp");
    using _connection = await Deno.connect({ ...place, signal: AbortSignal.timeout(5_000) });
    return "the guest itself takes connections";
  } catch (error) {
    return `the guest itself: ${wordUnreachable(error)}`;
  }
}

/** What there is to say of a guest that could have no network of its own. */
function withoutReservation({ refused }: NetworkGuest): string {
  return `no network could be made: ${refused.join("; ")}`;
}

/** In the order in which they are run. */
export const WIRES: readonly Probe[] = [
  {
    name: "vmnet-network",
    question: "Can a network be made with a reserved address, and is a machine valid with a card on it?",
    expected: "both, without more entitlements; before macOS 26 there are no such networks",
    run() {
      if (!VZVmnetNetworkDeviceAttachment.api.isAvailable) {
        const isThere = hasVmnetAttachment();
        return found(!isThere, `macOS ${macOSVersion()} has ${isThere ? "them" : "none"}`);
      }
      const refused: string[] = [];
      for (const third of subnets(210)) {
        try {
          const { seen, answer } = makeNetwork(third);
          return { seen: [seen, ...refused].join("; "), answer };
        } catch (error) {
          if (!(error instanceof VmnetError)) throw error;
          refused.push(error.message);
        }
      }
      return found(false, refused.join("; "));
    },
  },
  {
    name: "vmnet-reservation",
    question: "Does a guest on such a network get the reserved address by DHCP, and does the host find it?",
    expected: "the reserved address in both; it is told by a lease or by ARP. From macOS 26 on",
    async run(lab) {
      VZVmnetNetworkDeviceAttachment.api.require();
      const guest = await lab.networkGuest();
      const { reserved } = guest;
      if (reserved === undefined) return unclear(withoutReservation(guest));
      const address = await addressInside(guest);
      const isKnown = () => until(() => addressOf(NAT_MAC) === reserved, 5);
      const atOnce = await isKnown();
      if (!atOnce) await guest.tell(PING_HOST); // and so has the host hear it
      const holds = atOnce || await isKnown();
      const known = addressOf(NAT_MAC);
      const host = known === undefined ? "none" : `${known}, ${wayTo(known)}`;
      return found(
        holds && address === reserved,
        `reserved: ${reserved}; guest: ${address || "none"}; host: ${host}${
          atOnce ? "" : ", after the guest's ping"
        }`,
      );
    },
  },
  {
    name: "port-forward",
    question: "Does a port of the host's lead to a TCP server in a guest?",
    expected: "what is sent comes back; macOS 15 may ask first whether this may use the local network",
    async run(lab) {
      const guest = await lab.networkGuest();
      const address = await addressInside(guest);
      await guest.tell(
        `netstat -ltn | grep -q :${GUEST_PORT} || (nc -ll -p ${GUEST_PORT} -e cat >/dev/null 2>&1 &); ` +
          `until netstat -ltn | grep -q :${GUEST_PORT}; do usleep 50000; done`,
      );
      const text = "through a port";
      const back = await throughPort(guest.port, text);
      const way = `127.0.0.1:${guest.port} to ${address || "no address"}, port ${GUEST_PORT}`;
      if (back === text) return found(true, `${way}: the same came back`);
      const came = back === "" ? "nothing came back" : `“${back}” came back`;
      return found(false, [`${way}: ${came}`, await directly(address), ...guest.said].join("; "));
    },
  },
  {
    name: "stream-card",
    question: "Do frames go out of a card that is a pair of datagram sockets, and into it?",
    expected: "a question by ARP comes out, and the guest takes the answer to it",
    async run(lab) {
      const guest = await lab.networkGuest();
      const known = `grep -q ${THERE.mac} /proc/net/arp`;
      await guest.tell(
        "ip link set eth1 up; ip addr add 10.9.8.2/24 dev eth1; " +
          `(ping -c 10 ${THERE.address} >/dev/null 2>&1 &); ` +
          `for i in $(seq 100); do ${known} && break; usleep 100000; done`,
      );
      const { out } = await guest.tell(`grep -F '${THERE.address} ' /proc/net/arp`);
      const { asked } = guest.answers;
      const hasTaken = out.includes(THERE.mac);
      const taken = hasTaken ? `${THERE.address} is at ${THERE.mac}` : `“${out}”`;
      return found(
        asked.includes(FRAMES_MAC) && hasTaken,
        `questions from: ${asked.join(", ") || "nobody"}; the guest has: ${taken}`,
      );
    },
  },
];
