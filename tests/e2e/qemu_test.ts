// What is pasted from qemu's lines, and done: each boots a guest that sees it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { guestOfThisFile } from "./guest_shell.ts";
import { Folder, guest, Vzrun, vzrun, within } from "./vzrun.ts";

const UUID = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

const folder = new Folder();
Deno.test.afterAll(() => folder[Symbol.dispose]());

const inGuest = guestOfThisFile(() => {
  for (const name of ["first", "second", "third", "stick"]) {
    const image = new Uint8Array(4096);
    image.set(new TextEncoder().encode(name));
    Deno.writeFileSync(folder.file(name), image);
  }
  const args = "-machine accel=kvm:tcg -cpu host -enable-kvm -nodefaults -serial mon:stdio -monitor none " +
    `-name guest=pasted,debug-threads=on -uuid ${UUID} -rtc base=utc ` +
    "-drive file=third,index=2 -drive if=none,id=d0,file=first -device virtio-blk-pci,drive=d0,serial=S1,bootindex=1 " +
    "-blockdev driver=file,node-name=f,filename=second -blockdev driver=raw,node-name=r,file=f,read-only=on " +
    "-device virtio-blk-pci,drive=r -device qemu-xhci " +
    "-netdev user,id=n0 -device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56 " +
    "-net nic,model=virtio,macaddr=52:54:00:12:34:57 -net user " +
    "-chardev socket,path=c.sock,server=on,wait=off,id=c1 -device virtio-serial-pci -device virtconsole,chardev=c1 " +
    "-chardev file,path=log,id=c2 -serial chardev:c2 " +
    "-object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 -device virtio-balloon-pci";
  return { args: args.split(" "), how: { cwd: folder.path } };
});

Deno.test("qemu: disks by -drive, -device and -blockdev are where they were put, with their serial numbers", async () => {
  const commands = "for x in a b c; do head -c 6 /dev/vd$x; echo; done; cat /sys/block/vda/serial; echo; " +
    "cat /sys/block/vdb/ro /sys/block/vdc/ro";
  const { out } = await inGuest(commands);
  assertEquals(out.replaceAll("\0", ""), "first\r\nsecond\r\nthird\r\nS1\r\n1\r\n0\r\n");
});

Deno.test("qemu: cards by -device and by -net have their addresses, and there is no other", async () => {
  const { out } = await inGuest("cat /sys/class/net/eth*/address");
  assertEquals(out, "52:54:00:12:34:56\r\n52:54:00:12:34:57\r\n");
});

Deno.test("qemu: consoles by -chardev go to their socket and their file", async () => {
  await inGuest("echo for the file >/dev/hvc2");
  assertEquals(Deno.readTextFileSync(folder.file("log")), "for the file\r\n");
  using client = await Deno.connect({ transport: "unix", path: folder.file("c.sock") });
  await inGuest("echo for the socket >/dev/hvc1");
  const bytes = new Uint8Array(100);
  const length = await within("the socket's line", client.read(bytes));
  assertEquals(new TextDecoder().decode(bytes.subarray(0, length ?? 0)), "for the socket\r\n");
});

Deno.test({
  name: "qemu: -uuid is the machine's, and the devices are there that each machine has",
  ignore: Deno.build.arch !== "x86_64", // where a guest finds it
  async fn() {
    const { out } = await inGuest(
      "cat /sys/class/dmi/id/product_uuid /sys/class/misc/hw_random/rng_available",
    );
    assertMatch(out, new RegExp(`^${UUID}\r\n.*virtio`, "i"));
  },
});

Deno.test("qemu: -nodefaults leaves a machine what it is given, and processors and memory are counted", async () => {
  const what = "ls /sys/class/net | grep -c eth; nproc; grep MemTotal /proc/meminfo";
  const args = [...guest(what).filter((word) => !["-m", "256", "-smp", "1"].includes(word))];
  args.push("-nodefaults", "-serial", "stdio", "-m", "size=512M,slots=2,maxmem=2G", "-smp", "cpus=2,cores=2");
  const { code, out, err } = await vzrun(args);
  assertEquals([code, err], [0, ""]);
  const [, cards, processors, memory] = /^(\d+)\r\n(\d+)\r\nMemTotal: +(\d+) kB/.exec(out) ?? [];
  assertEquals([cards, processors], ["0", "2"], out);
  assert(Number(memory) > 400_000 && Number(memory) < 512 * 1024, memory);
});

Deno.test("qemu: a console on a port waits for its client, speaks telnet, and drops what nobody hears", async () => {
  const commands = "exec 3<>/dev/hvc1; printf 'a\\377b\\n' >&3; read word <&3; echo got $word";
  const args = [...guest(commands), "-serial", "stdio", "-serial", "telnet:localhost:0,server=on"];
  await using run = new Vzrun(args);
  await run.err.until(/hvc1 is at localhost:\d+\n/);
  const port = Number(/localhost:(\d+)/.exec(run.err.text)![1]);
  assertEquals(run.out.text, "");
  using client = await Deno.connect({ hostname: "localhost", port });
  const received: number[] = [];
  const wanted = [255, 251, 1, 255, 251, 3, 255, 251, 0, 255, 253, 0, 0x61, 255, 255, 0x62, 13, 10];
  while (received.length < wanted.length) {
    const bytes = new Uint8Array(100);
    const length = await within("what the guest wrote", client.read(bytes));
    received.push(...bytes.subarray(0, length ?? 0));
  }
  assertEquals(received, wanted);
  // DO ECHO in the middle of a word, and a line.
  await client.write(Uint8Array.of(0x77, 255, 253, 1, 0x6f));
  await client.write(new TextEncoder().encode("rd\n"));
  assertEquals([await run.end(), run.out.text], [0, "got word\r\n"]);
});

Deno.test("qemu: a port that is in use is named, and nothing starts", async () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  const { code, out, err } = await vzrun([...guest("true"), "-serial", `tcp::${port},server=on,wait=off`]);
  assertEquals([code, out], [2, ""]);
  assertMatch(err, new RegExp(`^vzrun: cannot listen at 127\\.0\\.0\\.1:${port}: [^\n]*in use\n$`));
});
