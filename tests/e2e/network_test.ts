// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertMatch } from "@std/assert";
import { guestOfThisFile } from "./guest_shell.ts";
import { guest, GUEST_FILES, vzrun } from "./vzrun.ts";

/** The addresses that the machine's cards have, as a dry run tells them. */
async function addresses(...args: string[]): Promise<string[]> {
  const { code, out, err } = await vzrun(["-dry-run", ...GUEST_FILES.slice(0, 2), ...args], {}, 10);
  assertEquals([code, err], [0, ""]);
  return JSON.parse(out).network.map(({ mac }: { mac: string }) => mac);
}

/** The guest that has cards, and a name. */
const inGuest = guestOfThisFile(() => {
  const cards = ["user", "user,mac=52:54:0:12:34:56", "user,mac=52:54:00:ab:cd:ef"];
  return { args: ["-name", "web", ...cards.flatMap((card) => ["-nic", card])] };
});

Deno.test("network: the guest gets an address and reaches a server on the host's loopback", async () => {
  const body = "a".repeat(100_000);
  const heard: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    heard.push(new URL(url).pathname);
    return new Response(body);
  });
  try {
    const commands =
      "udhcpc -i eth0 -q -n >/dev/null 2>&1; ip -4 -o addr show eth0 | grep -o 'inet [0-9.]*'; " +
      `wget -q -O - http://10.0.2.2:${server.addr.port}/hello | wc -c`;
    assertEquals(await inGuest(commands), { status: 0, out: `inet 10.0.2.15\r\n${body.length}\r\n` });
    assertEquals(heard, ["/hello"]);
  } finally {
    await server.shutdown();
  }
});

Deno.test("network: each card has the address that it was given, and -nic none leaves no card", async () => {
  const show =
    "cd /sys/class/net; for card in eth[1-9]*; do echo $card $(cat $card/address 2>/dev/null); done";
  assertEquals(await inGuest(show), {
    status: 0,
    out: "eth1 52:54:00:12:34:56\r\neth2 52:54:00:ab:cd:ef\r\n",
  });
  assertEquals(await vzrun([...guest("ls /sys/class/net"), "-nic", "none"]), {
    code: 0,
    out: "lo\r\n",
    err: "",
  });
});

Deno.test("network: a named machine keeps its address", async () => {
  const [first, second] = await addresses("-name", "web", "-nic", "user", "-nic", "user");
  assertMatch(`${first} ${second}`, /^02(:..){5} 02(:..){5}$/);
  assertEquals(await addresses("-name", "web"), [first]);
  const { out } = await inGuest("cat /sys/class/net/eth0/address");
  assertEquals(out, `${first}\r\n`);
});
