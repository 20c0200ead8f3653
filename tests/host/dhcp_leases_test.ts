import { assertEquals } from "@std/assert";
import { leasedAddress } from "../../src/host/dhcp_leases.ts";

const LEASES = `{
\tname=debian
\tip_address=192.168.64.2
\thw_address=1,52:54:0:a:b:c
\tidentifier=1,52:54:0:a:b:c
\tlease=0x65a1b2c3
}
{
\tname=debian
\tip_address=192.168.64.7
\thw_address=1,52:54:0:a:b:c
\tidentifier=1,52:54:0:a:b:c
\tlease=0x65b00000
}
{
\tip_address=192.168.64.9
\thw_address=ff,f1:f5:dd:7f:0:2:0:0:ab:11
\tlease=0x65c00000
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
