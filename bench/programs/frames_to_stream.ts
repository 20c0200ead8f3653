/** A program that is a machine's network, and hands its frames on to passt: for the benchmark of frames in TypeScript. */

import { VirtualMachine } from "vzrun";

const [kernel, initrd, commandLine, path] = Deno.args;
const HEADER = 4;
const passt = await Deno.connect({ transport: "unix", path });

const outward = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
  transform(frame, controller) {
    const message = new Uint8Array(HEADER + frame.length);
    new DataView(message.buffer).setUint32(0, frame.length);
    message.set(frame, HEADER);
    controller.enqueue(message);
  },
}, { highWaterMark: 256 });

let rest = new Uint8Array(0);
const inward = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
  transform(bytes, controller) {
    const all = new Uint8Array(rest.length + bytes.length);
    all.set(rest);
    all.set(bytes, rest.length);
    let at = 0;
    while (all.length - at >= HEADER) {
      const end = at + HEADER + new DataView(all.buffer).getUint32(at);
      if (end > all.length) break;
      controller.enqueue(all.slice(at + HEADER, end));
      at = end;
    }
    rest = all.slice(at);
  },
});

outward.readable.pipeTo(passt.writable).catch(() => {});
const frames = { readable: passt.readable.pipeThrough(inward), writable: outward.writable };
await using machine = await VirtualMachine.create({
  boot: { kind: "linux", kernel, initrd, commandLine },
  memory: 512 * 1024 * 1024,
  processors: 1,
  network: [{ kind: "frames", frames }],
});
await machine.start();
await machine.console.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
