/**
 * A program that is a machine's network: it answers ARP and ping for 10.9.8.1.
 *
 *     deno run -A examples/answer_ping.ts KERNEL INITRD "COMMAND LINE"
 */

import { VirtualMachine } from "vzrun";

const MAC = [0x02, 0, 0, 0, 0, 0x01];
const ADDRESS = [10, 9, 8, 1];
const [ARP, IPV4, ICMP] = [0x0806, 0x0800, 1];

const isOurs = (frame: Uint8Array, at: number) => ADDRESS.every((byte, i) => frame[at + i] === byte);

/** Sends a frame back to where it came from. */
function turnRound(frame: Uint8Array): void {
  frame.copyWithin(0, 6, 12);
  frame.set(MAC, 6);
}

/** The frame that answers one: RFC 826 has ARP, and RFC 792 ping. */
function answer(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const type = view.getUint16(12);
  if (type === ARP && view.getUint16(20) === 1 && isOurs(frame, 38)) {
    turnRound(frame);
    view.setUint16(20, 2); // a reply
    frame.copyWithin(32, 22, 32); // to who has asked
    frame.set([...MAC, ...ADDRESS], 22);
    return frame;
  }
  const icmp = 14 + (frame[14] & 15) * 4;
  if (type === IPV4 && frame[23] === ICMP && frame[icmp] === 8 && isOurs(frame, 30)) {
    turnRound(frame);
    frame.copyWithin(30, 26, 30);
    frame.set(ADDRESS, 26);
    frame[icmp] = 0; // an echo reply, whose checksum is larger by what is gone
    const checksum = view.getUint16(icmp + 2) + 0x0800;
    view.setUint16(icmp + 2, (checksum & 0xffff) + (checksum >> 16));
    return frame;
  }
}

const frames = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
  transform(frame, controller) {
    const reply = answer(frame);
    if (reply) controller.enqueue(reply);
  },
});

const [kernel, initrd, commandLine] = Deno.args;
await using machine = await VirtualMachine.create({
  boot: { kind: "linux", kernel, initrd, commandLine },
  memory: 256 * 1024 * 1024,
  network: [{ kind: "frames", frames }],
});
await machine.start();
await machine.console.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
await machine.stopped;
