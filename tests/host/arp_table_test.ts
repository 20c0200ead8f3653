import { assertEquals } from "@std/assert";
import { neighbours, parseARPTable } from "../../src/host/arp_table.ts";

/** An entry: a struct rt_msghdr of 92 bytes, the address's sockaddr and the card's, which may have a name. */
function entry(address: number[], mac: number[], name = ""): number[] {
  const protocol = [16, 2, 0, 0, ...address, 0, 0, 0, 0, 0, 0, 0, 0];
  const data = [...new TextEncoder().encode(name), ...mac];
  const link = [8 + Math.max(data.length, 12), 18, 7, 0, 6, name.length, mac.length, 0, ...data];
  const rest = [...link, ...Array(Math.max(0, 20 - link.length)).fill(0)];
  while (rest.length % 4) rest.push(0);
  const length = 92 + protocol.length + rest.length;
  return [length & 0xff, length >> 8, 5, 4, ...Array(88).fill(0), ...protocol, ...rest];
}

const MAC = [0x52, 0x54, 0, 0x0a, 0x0b, 0x0c];

Deno.test("ARP: a table of macOS's gives addresses and cards, and passes over those who have not answered", () => {
  const table = Uint8Array.from([
    ...entry([192, 168, 64, 7], MAC),
    ...entry([192, 168, 64, 8], []),
    ...entry([10, 0, 0, 1], [1, 2, 3, 4, 5, 6], "bridge100"),
  ]);
  const found = [
    { address: "192.168.64.7", mac: "52:54:00:0a:0b:0c" },
    { address: "10.0.0.1", mac: "01:02:03:04:05:06" },
  ];
  assertEquals(parseARPTable(table), found);
  for (let end = 0; end < table.length; end++) {
    const some = parseARPTable(table.subarray(0, end));
    assertEquals(some, found.slice(0, some.length), `${end} bytes`);
  }
});

Deno.test({
  name: "ARP: whom the host has heard is what the system says",
  ignore: Deno.build.os !== "linux",
  fn() {
    const lines = Deno.readTextFileSync("/proc/net/arp").trim().split("\n").slice(1).map((line) =>
      line.split(/ +/)
    );
    const heard = lines.filter(([, , flags]) => Number(flags) & 2).map(([address, , , mac]) => ({
      address,
      mac,
    }));
    assertEquals(neighbours(), heard);
  },
});
