import { assertEquals, assertThrows } from "@std/assert";
import { MachineError } from "../../src/machine/error.ts";
import { addressesOf, checkSubnet, isOn } from "../../src/machine/subnet.ts";

Deno.test("subnet: what is said of a network, and what is not, makes its addresses", () => {
  const of = (subnet?: string, guestAddress?: string) =>
    Object.values(addressesOf({ subnet, guestAddress }, 130));
  assertEquals(of(), ["192.168.130.0", "192.168.130.1", "255.255.255.0", "192.168.130.15"]);
  assertEquals(of("192.168.80.0/24"), ["192.168.80.0", "192.168.80.1", "255.255.255.0", "192.168.80.15"]);
  assertEquals(of("192.168.80.1/24"), ["192.168.80.0", "192.168.80.1", "255.255.255.0", "192.168.80.15"]);
  assertEquals(of("192.168.0.0/16", "192.168.3.4"), [
    "192.168.0.0",
    "192.168.0.1",
    "255.255.0.0",
    "192.168.3.4",
  ]);
  assertEquals(of("192.168.5.16/28"), ["192.168.5.16", "192.168.5.17", "255.255.255.240", "192.168.5.30"]);
  assertEquals(of(undefined, "192.168.90.7"), [
    "192.168.90.0",
    "192.168.90.1",
    "255.255.255.0",
    "192.168.90.7",
  ]);
  const addresses = addressesOf({ subnet: "192.168.5.16/28" }, 0);
  const inside = ["192.168.5.15", "192.168.5.16", "192.168.5.31", "192.168.5.32", "nothing"].filter((one) =>
    isOn(addresses, one)
  );
  assertEquals(inside, ["192.168.5.16", "192.168.5.31"]);
});

Deno.test("subnet: what is no network, or no address of it, is told", () => {
  const wrong: [subnet: string | undefined, guest: string | undefined, message: RegExp][] = [
    ["192.168.80.0", undefined, /expected a network like/],
    ["192.168.80/24", undefined, /expected a network like/],
    ["192.168.300.0/24", undefined, /expected a network like/],
    ["192.168.80.0/29", undefined, /a \/16 to a \/28/],
    ["192.168.0.0/15", undefined, /a \/16 to a \/28/],
    ["10.0.0.0/24", undefined, /those of 192\.168\.0\.0\/16/],
    ["172.16.0.0/16", undefined, /those of 192\.168\.0\.0\/16/],
    ["192.168.80.0/24", "192.168.81.5", /it is not in 192\.168\.80\.0\/24/],
    ["192.168.80.0/24", "192.168.80.1", /neither the first two nor the last/],
    ["192.168.80.0/24", "192.168.80.255", /neither the first two nor the last/],
    [undefined, "192.168.80", /expected an address like/],
    [undefined, "1.2.3.4", /those of 192\.168\.0\.0\/16/],
  ];
  for (const [subnet, guestAddress, message] of wrong) {
    const error = assertThrows(() => checkSubnet({ subnet, guestAddress }, "network[0]"), MachineError);
    assertEquals(message.test(error.message), true, `${subnet} ${guestAddress}: ${error.message}`);
  }
  checkSubnet({}, "network[0]");
  checkSubnet({ subnet: "192.168.255.0/24", guestAddress: "192.168.255.254" }, "network[0]");
});
