/** Networks of vmnet.framework, which a program makes of its own. macOS 26. */

import { type NSObject, openFunctions, releaseObject, wrap } from "../objc/mod.ts";
import "./libraries.ts";

const vmnet = openFunctions("vmnet", {
  vmnet_network_configuration_create: { parameters: ["u32", "buffer"], result: "pointer" },
  vmnet_network_configuration_set_ipv4_subnet: { parameters: ["pointer", "buffer", "buffer"], result: "u32" },
  vmnet_network_configuration_add_dhcp_reservation: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "u32",
  },
  vmnet_network_configuration_add_port_forwarding_rule: {
    parameters: ["pointer", "u8", "u8", "u16", "u16", "buffer"],
    result: "u32",
  },
  vmnet_network_create: { parameters: ["pointer", "buffer"], result: "pointer" },
});

/** operating_modes_t of vmnet. */
const MODES = { host: 1000, shared: 1001 } as const;

const VMNET_SUCCESS = 1000;

/** What vmnet_return_t says, as far as the making of a network can fail with it. */
const REASONS: Readonly<Record<number, string>> = {
  1001: "vmnet failed; another network may have these addresses",
  1002: "there is no memory for it",
  1003: "vmnet does not take these values",
  1009: "the host's Internet Sharing is busy",
  1010: "this process may not",
};

const AF_INET = 2;
const PROTOCOLS = { tcp: 6, udp: 17 } as const;

/** A network that cannot be made. */
export class VmnetError extends Error {
  override name = "VmnetError";
}

/** A network as it is to be. */
export interface VmnetNetwork {
  /** Whether the guest reaches no more than the host, or what the host reaches too. */
  mode: keyof typeof MODES;
  /** The host's address, the second of the network: `192.168.80.1`. */
  host: string;
  /** `255.255.255.0` */
  mask: string;
  /** Who gets which address. */
  reservation: { mac: string; address: string };
  /** Ports of all of the host's addresses that lead to ports of that one. */
  rules: readonly { protocol: keyof typeof PROTOCOLS; hostPort: number; guestPort: number }[];
}

const bytesOf = (text: string, separator: string, radix: number) =>
  Uint8Array.from(text.split(separator), (byte) => parseInt(byte, radix));
const inAddress = (text: string) => bytesOf(text, ".", 10);

function check(what: string, status: number): void {
  if (status === VMNET_SUCCESS) return;
  throw new VmnetError(`${what}: ${REASONS[status] ?? `vmnet says ${status}`}`);
}

/** An object that a function of vmnet makes, and whose status it writes. */
function made(
  what: string,
  make: (status: Uint8Array<ArrayBuffer>) => Deno.PointerValue,
): Deno.PointerObject {
  const status = new Uint32Array(1);
  const pointer = make(new Uint8Array(status.buffer));
  if (pointer !== null) return pointer;
  check(what, status[0]);
  throw new VmnetError(`${what}: vmnet gives no reason`);
}

/**
 * Makes a network, which is there as long as the object is.
 *
 * @throws {VmnetError} When it cannot be made; addresses that another network has are the usual reason.
 *
 * Source: vmnet.h of macOS 26.
 */
export function createVmnetNetwork({ mode, host, mask, reservation, rules }: VmnetNetwork): NSObject {
  const what = `no network around ${host}`;
  const guest = inAddress(reservation.address);
  const pointer = made(what, (status) => vmnet.vmnet_network_configuration_create(MODES[mode], status));
  try {
    check(
      what,
      vmnet.vmnet_network_configuration_set_ipv4_subnet(pointer, inAddress(host), inAddress(mask)),
    );
    const mac = bytesOf(reservation.mac, ":", 16);
    check(
      `no network with ${reservation.address}`,
      vmnet.vmnet_network_configuration_add_dhcp_reservation(pointer, mac, guest),
    );
    for (const { protocol, hostPort, guestPort } of rules) {
      const status = vmnet.vmnet_network_configuration_add_port_forwarding_rule(
        pointer,
        PROTOCOLS[protocol],
        AF_INET,
        guestPort,
        hostPort,
        guest,
      );
      check(`no network with port ${hostPort}`, status);
    }
    return wrap(made(what, (status) => vmnet.vmnet_network_create(pointer, status)), true)!;
  } finally {
    releaseObject(pointer); // objects of Core Foundation are Objective-C's too
  }
}
