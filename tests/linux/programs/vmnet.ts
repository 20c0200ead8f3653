/** How many of vmnet's functions a client finds in the library that is named, and whether it finds the class. */

import { cString } from "../../../src/objc/runtime.ts";

const [path] = Deno.args;
const pointer = { type: "pointer" } as const;

function has(name: string): boolean {
  try {
    Deno.dlopen(path, { [name]: pointer });
    return true;
  } catch {
    return false;
  }
}

const configuration = ["create", "set_ipv4_subnet", "add_dhcp_reservation", "add_port_forwarding_rule"]
  .concat(
    ["disable_dhcp", "disable_dns_proxy", "disable_nat44", "set_mtu"],
  );
const names = [
  ...configuration.map((name) => `vmnet_network_configuration_${name}`),
  "vmnet_network_create",
  "vmnet_network_get_ipv4_subnet",
];
const runtime = Deno.dlopen(path, { objc_getClass: { parameters: ["buffer"], result: "pointer" } }).symbols;
const found = runtime.objc_getClass(cString("VZVmnetNetworkDeviceAttachment"));
console.log(`${names.filter(has).length} functions, ${found ? "a" : "no"} class`);
