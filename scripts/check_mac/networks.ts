/** Probes of networks and screens, and of what validation says to what cannot be. */

import { neighbours } from "../../src/host/arp_table.ts";
import { leasedAddress } from "../../src/host/dhcp_leases.ts";
import { hasLibrary } from "../../src/host/libraries.ts";
import { hasEntitlement } from "../../src/host/process.ts";
import { elements, type NSObject } from "../../src/objc/mod.ts";
import {
  BRIDGING,
  VZVirtioGraphicsDeviceConfiguration,
  VZVirtioGraphicsScanoutConfiguration,
  type VZVirtualMachineConfiguration,
} from "../../src/vz/mod.ts";
import { type Guest, MAC } from "./guest.ts";
import { classNamed, configuration, refusal, wordsOf } from "./machine.ts";
import { found, type Probe, until } from "./probe.ts";

const LEASES = "/var/db/dhcpd_leases";

/** What is leased now; undefined where there is no such file. */
export function leases(): string | undefined {
  try {
    return Deno.readTextFileSync(LEASES);
  } catch {
    return undefined;
  }
}

/** What validation says. */
export function words(made: VZVirtualMachineConfiguration): string {
  const error = refusal(made);
  return error ? wordsOf(error) : "valid";
}

/** A configuration with a network card, as src/vz makes none: without attachment, or bridged to nothing. */
export function withCard(attachment: NSObject | null): VZVirtualMachineConfiguration {
  const card = classNamed("VZVirtioNetworkDeviceConfiguration").create();
  card.send("setAttachment:", attachment);
  const made = configuration();
  made.send("setNetworkDevices:", [card as never]);
  return made;
}

function interfaces(): NSObject[] {
  const array = classNamed("VZBridgedNetworkInterface").send("networkInterfaces") as NSObject;
  return elements(array);
}

/** A configuration with graphics devices that have so many screens. */
function withScreens(...counts: number[]): VZVirtualMachineConfiguration {
  const made = configuration();
  made.graphicsDevices = counts.map((count) =>
    VZVirtioGraphicsDeviceConfiguration.create(
      Array.from({ length: count }, () => VZVirtioGraphicsScanoutConfiguration.create(1280, 800)),
    )
  );
  return made;
}

/** A command of a guest's: the host hears of it. */
export const PING_HOST =
  "ping -c 1 $(ip route | sed -n 's/^default via \\([0-9.]*\\).*/\\1/p') >/dev/null 2>&1";

/** A guest's own address on its first card, which it asks for when it has none; nothing when it gets none. */
export async function addressInside(guest: Pick<Guest, "tell">): Promise<string> {
  const show = "ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*'";
  const ask = "ip link set eth0 up; udhcpc -i eth0 -q -n -t 10 >/dev/null 2>&1";
  const { out } = await guest.tell(`${show} || { ${ask}; ${show}; }`);
  return out.replace("inet ", "");
}

/** In the order in which they are run. */
export const NETWORKS: readonly Probe[] = [
  {
    name: "interfaces",
    question: `Are the host's interfaces listed without the entitlement ${BRIDGING}? (row 14)`,
    expected: "they are, on a Mac; Linux lists its bridges, which may be none",
    run() {
      const names = interfaces().map((one) => String(one.send("identifier")));
      const entitled = hasLibrary("Security") && hasEntitlement(BRIDGING);
      const seen = `${names.join(", ") || "none"}; ${entitled ? "with" : "without"} the entitlement`;
      return found(names.length > 0 || Deno.build.os !== "darwin", seen);
    },
  },
  {
    name: "bridge-refused",
    question: "Does a bridge without the entitlement fail validation, and in which words? (row 14)",
    expected: `VZErrorDomain 2, “… in a process that lacks the “${BRIDGING}” entitlement.”`,
    run() {
      const bridge = classNamed("VZBridgedNetworkDeviceAttachment");
      const [first = null] = interfaces();
      const seen = words(withCard(bridge.create("initWithInterface:", first)));
      return found(seen.includes("VZErrorDomain 2 ") && seen.includes(`lacks the “${BRIDGING}”`), seen);
    },
  },
  {
    name: "no-attachment",
    question: "Is a network device without attachment invalid, and in which words? (row 17)",
    expected: "VZErrorDomain 2",
    run() {
      const seen = words(withCard(null));
      return found(seen.includes("VZErrorDomain 2 "), seen);
    },
  },
  {
    name: "two-scanouts",
    question:
      "Is a graphics device with two screens invalid, and are two devices with one each valid? (row 19)",
    expected: "“More than one scanout is configured”, and valid",
    run() {
      const [one, two] = [words(withScreens(2)), words(withScreens(1, 1))];
      return found(one.includes("More than one scanout is configured") && two === "valid", `${one}; ${two}`);
    },
  },
  {
    name: "no-boot-loader",
    question: "Which words has validation for a machine without boot loader, memory, or processors?",
    expected: "VZErrorDomain 2 for each",
    run() {
      const without: [string, (made: VZVirtualMachineConfiguration) => void][] = [
        ["boot loader", (made) => made.send("setBootLoader:", null)],
        ["memory", (made) => made.memorySize = 0],
        ["processors", (made) => made.cpuCount = 0],
      ];
      const seen = without.map(([what, take]) => {
        const made = configuration();
        take(made);
        return `${what}: ${words(made)}`;
      });
      return found(seen.every((one) => one.includes("VZErrorDomain 2 ")), seen.join("; "));
    },
  },
  {
    name: "lease",
    question: "Does a guest on NAT get an address, and does /var/db/dhcpd_leases tell which?",
    expected: "the same address in both; Linux has no such file",
    async run(lab) {
      const address = await addressInside(await lab.guest());
      if (leases() === undefined) {
        return found(/^[\d.]+$/.test(address), `guest: ${address || "none"}; no ${LEASES}`);
      }
      const leased = () => leasedAddress(leases() ?? "", MAC);
      const same = await until(() => leased() === address, 5);
      return found(same, `guest: ${address || "none"}; ${LEASES}: ${leased() ?? "not there"}`);
    },
  },
  {
    name: "arp-table",
    question: "Does the host's table of neighbours, by sysctl, have a guest on NAT by its card? (row 16)",
    expected: "the guest's address and card",
    async run(lab) {
      const guest = await lab.guest();
      const address = await addressInside(guest);
      await guest.tell(PING_HOST);
      const ours = () => neighbours().find(({ mac }) => mac === MAC)?.address;
      return found(
        await until(() => ours() === address, 5),
        `guest: ${address || "none"}; table: ${neighbours().length}, ${ours() ?? "none"} for its card`,
      );
    },
  },
];
