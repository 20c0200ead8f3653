import { assertEquals, assertThrows } from "@std/assert";
import { MachineError } from "../../src/machine/error.ts";
import { addressesOf, checkSubnet, isOn } from "../../src/machine/subnet.ts";

Deno.test("subnet: what is said of a network, and what is not, makes its addresses", () => {
  const of = (subnet?: string, guestAddress?: string) =>
    Object.values(addressesOf({ subnet, guestAddress }, 130));
  assertEquals(of(), ["192.168.130.0", "255.255.255.0", "192.168.130.15"]);
  assertEquals(of("192.168.80.0/24"), ["192.168.80.0", "255.255.255.0", "192.168.80.15"]);
  assertEquals(of("192.168.80.1/24"), ["192.168.80.0", "255.255.255.0", "192.168.80.15"]);
  assertEquals(of("10.77.0.0/16", "10.77.3.4"), ["10.77.0.0", "255.255.0.0", "10.77.3.4"]);
  assertEquals(of("172.16.5.8/29"), ["172.16.5.8", "255.255.255.248", "172.16.5.14"]);
  assertEquals(of(undefined, "192.168.90.7"), ["192.168.90.0", "255.255.255.0", "192.168.90.7"]);
  const addresses = addressesOf({ subnet: "172.16.5.8/29" }, 0);
  const inside = ["172.16.5.7", "172.16.5.8", "172.16.5.15", "172.16.5.16", "nothing"].filter((one) =>
    isOn(addresses, one)
  );
  assertEquals(inside, ["172.16.5.8", "172.16.5.15"]);
});

Deno.test("subnet: what is no network, or no address of it, is told", () => {
  const wrong: [subnet: string | undefined, guest: string | undefined, message: RegExp][] = [
    ["192.168.80.0", undefined, /expected a network like/],
    ["192.168.80/24", undefined, /expected a network like/],
    ["192.168.300.0/24", undefined, /expected a network like/],
    ["192.168.80.0/30", undefined, /a \/16 to a \/29/],
    ["192.168.0.0/15", undefined, /a \/16 to a \/29/],
    ["8.8.8.0/24", undefined, /is in 10\.0\.0\.0\/8/],
    ["172.32.0.0/16", undefined, /is in 10\.0\.0\.0\/8/],
    ["192.168.80.0/24", "192.168.81.5", /it is not in 192\.168\.80\.0\/24/],
    ["192.168.80.0/24", "192.168.80.1", /neither the first two nor the last/],
    ["192.168.80.0/24", "192.168.80.255", /neither the first two nor the last/],
    [undefined, "192.168.80", /expected an address like/],
    [undefined, "1.2.3.4", /is in 10\.0\.0\.0\/8/],
  ];
  for (const [subnet, guestAddress, message] of wrong) {
    const error = assertThrows(() => checkSubnet({ subnet, guestAddress }, "network[0]"), MachineError);
    assertEquals(message.test(error.message), true, `${subnet} ${guestAddress}: ${error.message}`);
  }
  checkSubnet({}, "network[0]");
  checkSubnet({ subnet: "172.31.255.0/24", guestAddress: "172.31.255.254" }, "network[0]");
});
