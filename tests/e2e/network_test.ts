import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { guestOfThisFile } from "./guest_shell.ts";
import { VirtualMachine } from "vzrun";
import { Folder, guest, GUEST_FILES, pause, Vzrun, vzrun, within } from "./vzrun.ts";

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

Deno.test("network: the guest's address is known, on NAT and on a network of the machine's own", async () => {
  const [, kernel, , initrd] = GUEST_FILES;
  await using machine = await VirtualMachine.create({
    boot: { kind: "linux", kernel, initrd, commandLine: "console=hvc0 quiet" },
    memory: 256 * 2 ** 20,
    network: [{ kind: "nat" }, { kind: "nat", subnet: "192.168.231.0/24" }, {
      kind: "host",
      subnet: "192.168.192.0/20",
      guestAddress: "192.168.201.4",
    }],
  });
  await machine.start();
  const addresses = Promise.all([0, 1, 2].map((card) => machine.address(card)));
  assertEquals(await within("the addresses", addresses, 20), [
    "10.0.2.15",
    "192.168.231.15",
    "192.168.201.4",
  ]);
});

Deno.test("network: -verbose says the address, and what an older macOS has not is refused", async () => {
  const { code, err } = await vzrun([...guest("true"), "-verbose"]);
  assertEquals(code, 0);
  assertMatch(err, /^vzrun: the guest's address is 10\.0\.2\.15$/m);
  for (const kind of ["vmnet-host", "vmnet-shared,isolated=on", "user,net=192.168.90.0/24"]) {
    const env = { VIRTUALIZATION_MACOS: "15.0" };
    assertEquals(await vzrun([...guest("true"), "-nic", kind], { env }), {
      code: 2,
      out: "",
      err: "vzrun: -nic: A network of the machine's own needs macOS 26 (this is 15.0)\n",
    });
  }
});

Deno.test("network: a port that is in use is told before anything starts", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  using folder = new Folder();
  for (const mode of [["-dry-run"], []]) {
    const disk = ["-drive", `file=${folder.file("new")},size=1M`];
    const args = [...guest("true"), ...mode, ...disk, "-nic", `user,hostfwd=tcp::${port}-:22`];
    assertEquals(await vzrun(args), {
      code: 2,
      out: "",
      err: `vzrun: -nic: cannot listen at 127.0.0.1:${port} (tcp): it is in use\n`,
    });
  }
  assertEquals([...Deno.readDirSync(folder.path)], []);
});
