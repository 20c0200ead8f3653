import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { guestOfThisFile } from "./guest_shell.ts";
import { Folder, guest, GUEST_FILES, pause, Vzrun, vzrun } from "./vzrun.ts";

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

// MAC.md, row 15.
Deno.test("network: one that breaks is told, the guest runs on, and its card works again", async () => {
  using folder = new Folder();
  const fifo = folder.file("break");
  assertEquals((await new Deno.Command("mkfifo", { args: [fifo] }).output()).success, true);
  // QEMU's network answers at 10.0.2.2.
  const commands = "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; " +
    "while read word; do ping -c1 -W1 10.0.2.2 >/dev/null && echo $word pong; done";
  await using run = new Vzrun([...guest(`stty -echo; ${commands}`), "-nic", "user"], {
    typing: true,
    env: { VIRTUALIZATION_BREAK_NETWORK: fifo },
  });
  const ping = async (word: string) => {
    for (const end = Date.now() + 60_000; !run.out.text.includes(`${word} pong`);) {
      assertLess(Date.now(), end, `no answer for ${word}`);
      await run.type(`${word}\n`);
      await pause(500);
    }
  };
  await ping("before");
  Deno.writeTextFileSync(fifo, "!");
  await run.err.until(/^vzrun: network card 1 has lost its network \(.*\); it is plugged in again\n$/);
  await ping("after");
  run.signal("SIGTERM");
  assertEquals(await run.end(20), 143);
});
