// The guest's clock after a sleep of this computer: qemu's agent in the guest sets it.

import { assertEquals } from "@std/assert";
import { VirtualMachine } from "vzrun";
import { keepTime } from "../../src/control/time_sync.ts";
import { commandLine } from "./vfkit_guest.ts";
import { chroot, guestFiles, SET_UP } from "./vsock_guest.ts";
import { eventually, GUEST } from "./vzrun.ts";

const AGENT = 1234;

/** The agent sets the hardware's clock too, by a program that wants to write to /etc. */
const SBIN = "mkdir /sbin.own; cp usr/sbin/qemu-ga /sbin.own; cp bin/true /sbin.own/hwclock; " +
  "mount -o bind /sbin.own usr/sbin";

Deno.test("time sync: a guest is told the time after a sleep, once, and not before its agent answers", async () => {
  using folder = await guestFiles();
  const agent = chroot(
    `/usr/sbin/qemu-ga -m vsock-listen -p 3:${AGENT} -t /tmp -f /tmp/ga.pid >/dev/null 2>&1 &`,
  );
  const isLate = "[ `date +%Y` -lt 2020 ]";
  const commands = `${SET_UP}; ${SBIN}; date -s 200101010000 >/dev/null; echo up; read x; ${agent}; ` +
    `while ${isLate}; do usleep 50000; done; echo set; read x`;
  await using machine = await VirtualMachine.create({
    boot: {
      kind: "linux",
      kernel: `${GUEST}/vmlinuz`,
      initrd: `${GUEST}/initrd`,
      commandLine: commandLine(commands),
    },
    memory: 256 * 2 ** 20,
    network: [],
    shares: [
      { tag: "host", folder: "/", readOnly: true },
      { tag: "files", folder: folder.path, readOnly: true },
    ],
    vsock: {},
  });
  let shown = "";
  machine.console.readable.pipeThrough(new TextDecoderStream())
    .pipeTo(new WritableStream({ write: (text) => void (shown += text) })).catch(() => {});
  await machine.start();
  await eventually("the guest", () => shown.includes("up"));

  const said: string[] = [];
  let [asleep, looks] = [0, 0];
  const awake = () => {
    looks++;
    return performance.now() - asleep;
  };
  const reporter = { info: (text: string) => said.push(text), debug: (text: string) => said.push(text) };
  using _keeper = keepTime(machine, AGENT, reporter, { now: () => Date.now(), awake, look: 100 });
  const manyLooks = async () => {
    const last = looks + 5;
    await eventually("looks", () => looks >= last);
  };
  asleep = 500; // as much as a clock is corrected by
  await manyLooks();
  assertEquals(said, []);

  asleep += 3_600_000;
  await eventually("the tries", () => said.length === 3);
  await manyLooks();
  assertEquals(
    said.map((text) => text.replace(/: .*/, "")),
    Array(3).fill("the guest could not be told the time"),
  );
  const writer = machine.console.writable.getWriter();
  await writer.write(new TextEncoder().encode("\n"));
  while (!await machine.vsock.connect(AGENT).then((found) => found.close() ?? true, () => false));

  asleep += 10_000;
  await eventually("the time", () => shown.includes("set"));
  await eventually("word of it", () => said.length === 4);
  await manyLooks();
  assertEquals(said.slice(3), ["the guest was told the time, which has jumped"]);
});
