/** vmnet's functions, as a client calls them. */

import { projectFile } from "./files.ts";

/** Where the functions are that linux/ has instead of vmnet.framework's. */
export const LIBRARY = projectFile("linux/build/libVirtualization.so");

export const vmnet = Deno.dlopen(LIBRARY, {
  vmnet_network_configuration_create: { parameters: ["u32", "buffer"], result: "pointer" },
  vmnet_network_configuration_set_ipv4_subnet: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "u32",
  },
  vmnet_network_configuration_add_dhcp_reservation: {
    parameters: ["pointer", "buffer", "buffer"],
    result: "u32",
  },
  vmnet_network_configuration_add_port_forwarding_rule: {
    parameters: ["pointer", "u8", "u8", "u16", "u16", "buffer"],
    result: "u32",
  },
  vmnet_network_configuration_disable_dhcp: { parameters: ["pointer"], result: "void" },
  vmnet_network_configuration_disable_dns_proxy: { parameters: ["pointer"], result: "void" },
  vmnet_network_configuration_disable_nat44: { parameters: ["pointer"], result: "void" },
  vmnet_network_configuration_set_mtu: { parameters: ["pointer", "u32"], result: "u32" },
  vmnet_network_create: { parameters: ["pointer", "buffer"], result: "pointer" },
  vmnet_network_get_ipv4_subnet: { parameters: ["pointer", "buffer", "buffer"], result: "void" },
  CFRelease: { parameters: ["pointer"], result: "void" },
  guest_port_on_loopback: { parameters: ["buffer", "i32", "i32"], result: "i32", nonblocking: true },
}).symbols;

/** Values of vmnet_return_t. */
export const SUCCESS = 1000, FAILURE = 1001, INVALID = 1003;
/** Values of vmnet_mode_t. */
export const HOST = 1000, SHARED = 1001, BRIDGED = 1002;
export const TCP = 6, UDP = 17, AF_INET = 2;

/** A struct in_addr. */
export function inAddr(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.split(".").map(Number));
}

/** A struct ether_addr. */
export function etherAddr(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.split(":").map((byte) => parseInt(byte, 16)));
}

/** What a call with a vmnet_return_t to fill returns, and that. */
function withStatus(
  call: (status: Uint8Array<ArrayBuffer>) => Deno.PointerValue,
): [Deno.PointerValue, number] {
  const status = new Uint32Array(1);
  return [call(new Uint8Array(status.buffer)), status[0]];
}

export function createConfiguration(mode: number): [configuration: Deno.PointerValue, status: number] {
  return withStatus((status) => vmnet.vmnet_network_configuration_create(mode, status));
}

export function createNetwork(
  configuration: Deno.PointerValue,
): [network: Deno.PointerValue, status: number] {
  return withStatus((status) => vmnet.vmnet_network_create(configuration, status));
}

export function setSubnet(configuration: Deno.PointerValue, subnet: string, mask = "255.255.255.0"): number {
  return vmnet.vmnet_network_configuration_set_ipv4_subnet(configuration, inAddr(subnet), inAddr(mask));
}

export function reserve(configuration: Deno.PointerValue, mac: string, address: string): number {
  return vmnet.vmnet_network_configuration_add_dhcp_reservation(
    configuration,
    etherAddr(mac),
    inAddr(address),
  );
}

export function addRule(
  configuration: Deno.PointerValue,
  external: number,
  internal: number,
  address: string,
  protocol = TCP,
  family = AF_INET,
): number {
  return vmnet.vmnet_network_configuration_add_port_forwarding_rule(
    configuration,
    protocol,
    family,
    internal,
    external,
    inAddr(address),
  );
}

/** The subnet of a network, and its mask. */
export function subnetOf(network: Deno.PointerValue): string[] {
  const [subnet, mask] = [new Uint8Array(4), new Uint8Array(4)];
  vmnet.vmnet_network_get_ipv4_subnet(network, subnet, mask);
  return [subnet.join("."), mask.join(".")];
}

/** A port of the host's loopback that leads to a guest's. */
export function guestPort(address: string, port: number, isUDP = false): Promise<number> {
  return vmnet.guest_port_on_loopback(new TextEncoder().encode(`${address}\0`), port, isUDP ? 1 : 0);
}
