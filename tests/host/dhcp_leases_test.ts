import { assertEquals } from "@std/assert";
import type { Neighbour } from "../../src/host/arp_table.ts";
import { addressOf, identifiedAddress, leasedAddress, watchAddress } from "../../src/host/dhcp_leases.ts";
import { within } from "../e2e/vzrun.ts";

const LEASES = `{
\tname=debian
\tip_address=192.168.64.2
\thw_address=1,52:54:0:a:b:c
\tidentifier=1,52:54:0:a:b:c
\tlease=0x75a1b2c3
}
{
\tname=debian
\tip_address=192.168.64.7
\thw_address=1,52:54:0:a:b:c
\tidentifier=1,52:54:0:a:b:c
\tlease=0x75b00000
}
{
\tip_address=192.168.64.9
\thw_address=ff,f1:f5:dd:7f:0:2:0:0:ab:11
\tlease=0x75c00000
}
`;

Deno.test("leases: a card's address is the one that was leased last, whatever its zeros", () => {
  assertEquals(leasedAddress(LEASES, "52:54:00:0a:0b:0c"), "192.168.64.7");
  assertEquals(leasedAddress(LEASES, "52:54:0:A:B:C"), "192.168.64.7");
});

Deno.test("leases: of a card that has none, and of a file that is damaged, nothing is told", () => {
  assertEquals(leasedAddress(LEASES, "52:54:00:0a:0b:0d"), undefined);
  for (let end = 0; end < 100; end++) {
    assertEquals(leasedAddress(LEASES.slice(0, end), "52:54:0:a:b:c"), undefined);
  }
  for (const text of ["", "{", "}{", "{ip_address=1.2.3.4}", "{\nhw_address=1,52:54:0:a:b:c\n}"]) {
    assertEquals(leasedAddress(text, "52:54:0:a:b:c"), undefined, text);
  }
});

const SYSTEMD = "52:54:00:0a:0b:0d";

Deno.test("leases: a guest that names itself by an identifier is found by whom the host has heard", () => {
  const table = [{ address: "192.168.64.9", mac: SYSTEMD }, { address: "10.0.0.9", mac: SYSTEMD }];
  assertEquals(identifiedAddress(LEASES, SYSTEMD.toUpperCase(), table), "192.168.64.9");
  assertEquals(identifiedAddress(LEASES, "52:54:00:0a:0b:0e", table), undefined);
  assertEquals(identifiedAddress(LEASES, SYSTEMD, table.slice(1)), undefined); // no lease has it: of an earlier network
});

Deno.test("leases: an address is told when it is leased, once, also of a guest that the host hears only later", async () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/dhcpd_leases`;
  const table: Neighbour[] = [];
  const [byCard, byIdentifier] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  {
    using _card = watchAddress("52:54:00:0a:0b:0c", byCard.resolve, { path, table: () => table });
    using _identifier = watchAddress(SYSTEMD, byIdentifier.resolve, { path, table: () => table });
    Deno.writeTextFileSync(`${path}-`, LEASES);
    Deno.renameSync(`${path}-`, path);
    assertEquals(await within("the card's lease", byCard.promise), "192.168.64.7");
    table.push({ address: "192.168.64.9", mac: SYSTEMD });
    assertEquals(await within("the identifier's lease", byIdentifier.promise), "192.168.64.9");
    const known = Promise.withResolvers<string>();
    using _known = watchAddress("52:54:0:a:b:c", known.resolve, { path, table: () => table });
    assertEquals(await within("a lease that is there", known.promise), "192.168.64.7");
  }
  Deno.removeSync(folder, { recursive: true });
});

Deno.test("addresses: a lease of another network is not the card's, and what is heard of it counts", () => {
  const folder = Deno.makeTempDirSync();
  const path = `${folder}/leases`;
  Deno.writeTextFileSync(
    path,
    "{\n\tip_address=192.168.64.5\n\thw_address=1,52:54:0:a:b:c\n\tlease=0x70000000\n}\n",
  );
  const mac = "52:54:00:0a:0b:0c";
  const heard = [{ address: "192.168.64.9", mac }, { address: "192.168.130.20", mac }];
  const sources = { path, table: () => heard };
  assertEquals(addressOf(mac, sources), "192.168.64.5");
  const accept = (address: string) => address.startsWith("192.168.130.");
  assertEquals(addressOf(mac, { ...sources, accept }), "192.168.130.20");
  assertEquals(addressOf(mac, { ...sources, table: () => [], accept }), undefined);
  Deno.removeSync(folder, { recursive: true });
});
