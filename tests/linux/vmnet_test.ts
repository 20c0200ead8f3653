// The networks that vmnet makes for machines, and the ways to a guest's ports.

import { freePorts } from "../../scripts/free_ports.ts";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { createSocket } from "node:dgram";
import { neighbours } from "../../src/host/arp_table.ts";
import { Class, type NSObject } from "../../src/objc/mod.ts";
import { wrap } from "../../src/objc/object.ts";
import { commandOf, ended } from "../objc/child.ts";
import { within } from "./guest.ts";
import { card, Shell } from "./shell.ts";
import {
  addRule,
  BRIDGED,
  createConfiguration,
  createNetwork,
  FAILURE,
  guestPort,
  HOST,
  INVALID,
  LIBRARY,
  reserve,
  setSubnet,
  SHARED,
  subnetOf,
  SUCCESS,
  TCP,
  UDP,
  vmnet,
} from "./vmnet.ts";

const [MAC_A, MAC_B] = ["52:54:00:00:00:0a", "52:54:00:00:00:0b"];

Deno.test("vmnet: a network has the subnet that it was given, or one that is free, until it is released", () => {
  const [configuration, made] = createConfiguration(SHARED);
  assertEquals([made, setSubnet(configuration, "192.168.99.1")], [SUCCESS, SUCCESS]);
  const [network, status] = createNetwork(configuration);
  assertEquals([status, subnetOf(network)], [SUCCESS, ["192.168.99.0", "255.255.255.0"]]);
  assertEquals(createNetwork(configuration), [null, FAILURE]);

  const [any] = createConfiguration(HOST);
  const some = [createNetwork(any), createNetwork(any)];
  assertEquals(some.map(([one]) => subnetOf(one)[0]), ["192.168.64.0", "192.168.65.0"]);
  setSubnet(any, "192.168.64.0", "255.255.192.0"); // which has those two and the first in it
  assertEquals(createNetwork(any), [null, FAILURE]);

  for (const [one] of some) vmnet.CFRelease(one);
  assertEquals(createNetwork(any), [null, FAILURE]);
  vmnet.CFRelease(network);
  const [again, succeeded] = createNetwork(any);
  assertEquals([succeeded, subnetOf(again)], [SUCCESS, ["192.168.64.0", "255.255.192.0"]]);
  for (const object of [again, any, configuration]) vmnet.CFRelease(object);
});

Deno.test("vmnet: what makes no sense is refused, with the status that says so", () => {
  assertEquals(createConfiguration(BRIDGED), [null, INVALID]);
  const [configuration] = createConfiguration(SHARED);
  assertEquals(setSubnet(configuration, "192.168.99.0", "255.0.255.0"), INVALID);
  assertEquals(setSubnet(configuration, "192.168.99.0", "255.255.255.254"), INVALID);
  assertEquals(reserve(configuration, MAC_A, "192.168.99.7"), SUCCESS);
  assertEquals(reserve(configuration, MAC_A, "192.168.99.8"), INVALID);
  assertEquals(reserve(configuration, MAC_B, "192.168.99.7"), INVALID);
  assertEquals(addRule(configuration, 8080, 80, "192.168.99.7"), SUCCESS);
  assertEquals(addRule(configuration, 8080, 81, "192.168.99.7"), INVALID);
  assertEquals(addRule(configuration, 8080, 53, "192.168.99.7", UDP), SUCCESS);
  assertEquals(addRule(configuration, 8081, 80, "192.168.99.7", 1), INVALID);
  assertEquals(addRule(configuration, 8081, 80, "192.168.99.7", TCP, 30), INVALID);
  assertEquals(addRule(configuration, 0, 80, "192.168.99.7"), INVALID);
  for (const [mtu, status] of [[575, INVALID], [576, SUCCESS], [65535, SUCCESS], [65536, INVALID]]) {
    assertEquals(vmnet.vmnet_network_configuration_set_mtu(configuration, mtu), status, `${mtu}`);
  }
  setSubnet(configuration, "192.168.98.0");
  assertEquals(createNetwork(configuration), [null, INVALID]); // the reservation is outside
  vmnet.CFRelease(configuration);

  for (const what of ["dhcp", "dns_proxy"] as const) {
    const [without] = createConfiguration(SHARED);
    vmnet[`vmnet_network_configuration_disable_${what}`](without);
    assertEquals(createNetwork(without), [null, FAILURE], what);
    vmnet.CFRelease(without);
  }
});

Deno.test("vmnet: an older macOS has neither the functions nor the class", async () => {
  const found = async (version: string) => {
    const { code, stdout, stderr } = await ended(commandOf("linux/programs/vmnet.ts", LIBRARY), {
      VIRTUALIZATION_MACOS: version,
    });
    assertEquals([code, stderr], [0, ""]);
    return stdout;
  };
  assertEquals(await found("26.0"), "10 functions, a class\n");
  assertEquals(await found("15.0"), "0 functions, no class\n");
});

function onNAT(mac: string): NSObject {
  return card(mac, Class.named("VZNATNetworkDeviceAttachment").create());
}

/** A card on a network, which is the attachment's from then on. */
function onNetwork(mac: string, configuration: Deno.PointerValue): NSObject {
  const [network, status] = createNetwork(configuration);
  assertEquals(status, SUCCESS);
  const attachment = Class.named("VZVmnetNetworkDeviceAttachment").create("initWithNetwork:", wrap(network));
  for (const object of [network, configuration]) vmnet.CFRelease(object);
  return card(mac, attachment);
}

/** What a server that echoes says. */
async function echoOf(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(100);
  const length = await within(`an answer from port ${port}`, connection.read(bytes)) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, length));
}

/** Sends a datagram until something is done: one that comes before the guest can be reached may be lost. */
async function whileSending<T>(port: number, done: Promise<T>): Promise<T> {
  const socket = createSocket("udp4");
  const again = setInterval(() => socket.send("anyone?", port, "127.0.0.1"), 100);
  try {
    return await done;
  } finally {
    clearInterval(again);
    socket.close();
  }
}

const known = (macs: string[]) =>
  neighbours().filter(({ mac }) => macs.includes(mac)).map(({ mac, address }) => `${mac} ${address}`);

Deno.test("vmnet: a guest has the address and the ports that its network gives it, and the host finds them", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [tcp, udp, nobodys] = freePorts(3);
  const [shared] = createConfiguration(SHARED);
  setSubnet(shared, "192.168.99.0");
  reserve(shared, MAC_A, "192.168.99.77");
  assertEquals(addRule(shared, tcp, 7, "192.168.99.77"), SUCCESS);
  assertEquals(addRule(shared, udp, 7, "192.168.99.77", UDP), SUCCESS);
  assertEquals(addRule(shared, taken.addr.port, 7, "192.168.99.77"), SUCCESS);
  assertEquals(addRule(shared, nobodys, 7, "192.168.99.78"), SUCCESS);
  assertEquals(vmnet.vmnet_network_configuration_set_mtu(shared, 1400), SUCCESS);
  const [host] = createConfiguration(HOST);
  const [NAT_0, NAT_1] = ["52:54:00:00:00:01", "52:54:00:00:00:02"];
  const macs = [NAT_0, MAC_A, MAC_B, NAT_1];
  const addresses = ["10.0.2.15", "192.168.99.77", "192.168.64.2", "10.0.2.16"];
  await using shell = new Shell([
    onNAT(NAT_0),
    onNetwork(MAC_A, shared),
    onNetwork(MAC_B, host),
    onNAT(NAT_1),
  ]);
  assertEquals(known(macs), []);
  assertEquals(await guestPort("192.168.99.77", 7), 0);
  await shell.boot();
  assertEquals(known(macs), macs.map((mac, i) => `${mac} ${addresses[i]}`));

  const ask = "for i in 0 1 2 3; do udhcpc -i eth$i -q -n >/dev/null 2>&1; done; " +
    "ip -4 -o addr show | sed -n 's/.*\\(eth.\\) *inet \\([0-9./]*\\).*/\\1 \\2/p'; cat /sys/class/net/eth1/mtu";
  const said = addresses.map((address, i) => `eth${i} ${address}/24`);
  assertEquals(await shell.tell(ask), [...said, "1400"].join("\n"));

  await shell.tell("for port in 7 8; do nc -ll -p $port -e /bin/cat >/dev/null 2>&1 & done");
  await shell.tell("until [ $(cat /proc/net/tcp* | grep -c ':000[78] ') = 2 ]; do usleep 20000; done");
  assertEquals(await echoOf(tcp, "by the rule"), "by the rule");
  // No program of the guest's listens at a port of UDP, but the guest counts what comes.
  const more = "n() { awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp; }; was=$(n); " +
    "until [ $(n) -gt $was ]; do usleep 20000; done";
  await whileSending(udp, shell.tell(more));
  await assertRejects(() => echoOf(nobodys, ""), Deno.errors.ConnectionRefused);

  assertEquals(await guestPort("192.168.99.77", 7), tcp);
  assertEquals(await guestPort("192.168.99.77", 7, true), udp);
  const asked = await Promise.all([8, 8, 9].map((port) => guestPort("192.168.99.77", port)));
  const [port] = asked;
  assert(port > 0 && asked[1] === port && asked[2] > 0 && asked[2] !== port, asked.join(" "));
  assertEquals(await guestPort("192.168.99.77", 8), port);
  assertEquals(await echoOf(port, "by its address"), "by its address");
  assertEquals(await echoOf(await guestPort("10.0.2.15", 7), "on the NAT"), "on the NAT");
  assertEquals(await echoOf(await guestPort("192.168.64.2", 7), "of the host's"), "of the host's");
  await whileSending(await guestPort("10.0.2.15", 7, true), shell.tell(more));
  assertEquals(await guestPort("192.168.99.78", 7), 0);
  assertEquals(await guestPort("nonsense", 7), 0);
  assertEquals(await guestPort("192.168.99.77", 65536), -1);

  // The taken port is its owner's all along, whom guests of a shared network reach, and no others.
  const greeted = async () => {
    using connection = await taken.accept();
    await connection.write(new TextEncoder().encode("the owner\n"));
  };
  const reach = (gateway: string) =>
    `nc -w 5 ${gateway} ${taken.addr.port} </dev/null 2>/dev/null || echo nobody`;
  const [, reply] = await Promise.all([greeted(), shell.tell(reach("192.168.99.1"))]);
  assertEquals(reply, "the owner");
  assertEquals(await shell.tell(reach("192.168.64.1")), "nobody");

  await shell.stop();
  assertEquals(known(macs), []);
  assertEquals(await guestPort("192.168.99.77", 7), 0);
  await assertRejects(() => echoOf(port, ""), Deno.errors.ConnectionRefused);
});

Deno.test("vmnet: of two machines with one address the newer is reached; rules may be lost", async () => {
  const [port] = freePorts(1);
  const start = async () => {
    const [configuration] = createConfiguration(SHARED);
    setSubnet(configuration, "192.168.97.0");
    reserve(configuration, MAC_A, "192.168.97.9");
    addRule(configuration, port, 7, "192.168.97.9");
    const shell = new Shell([onNAT(MAC_B), onNetwork(MAC_A, configuration)]);
    await shell.start();
    return shell;
  };
  await using first = await start();
  const ports = [await guestPort("10.0.2.15", 1)];
  {
    using _open = await Deno.connect({ hostname: "127.0.0.1", port });
    await first.stop();
  }
  // A connection that has just ended keeps the rule from nothing.
  await first.start();
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  ports.push(await guestPort("10.0.2.15", 1));
  await using second = new Shell([onNAT(MAC_A)]);
  await second.start();
  ports.push(await guestPort("10.0.2.15", 1));
  await second.stop();
  ports.push(await guestPort("10.0.2.15", 1));
  assert(ports.every((port) => port > 0), ports.join(" "));
  assertEquals(ports[3], ports[1]);
  assert(ports[2] !== ports[1]);

  // One that is asked for while the machine stops is answered in any case.
  const [during] = await Promise.all([within("a port", guestPort("10.0.2.15", 2)), first.stop()]);
  assert(during >= 0, `${during}`);
  Deno.env.set("VIRTUALIZATION_PORT_RULES", "lost");
  try {
    await first.start();
  } finally {
    Deno.env.delete("VIRTUALIZATION_PORT_RULES");
  }
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
});
