// Cards whose frames a client carries, as datagrams on a socket.

import { assertEquals } from "@std/assert";
import { Class, fromObjC, type NSObject } from "../../src/objc/mod.ts";
import { Datagrams } from "./datagrams.ts";
import { State } from "./raw.ts";
import { card, Shell } from "./shell.ts";

const [ETHERNET, ICMP_TYPE, ICMP_CHECKSUM] = [14, 34, 36];

/** Turns an echo request into the answer: the other way round, and another type. */
function answer(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const answer = frame.slice();
  const swap = (one: number, other: number, length: number) => {
    answer.set(frame.subarray(one, one + length), other);
    answer.set(frame.subarray(other, other + length), one);
  };
  swap(0, 6, 6);
  swap(ETHERNET + 12, ETHERNET + 16, 4);
  answer[ICMP_TYPE] = 0;
  const view = new DataView(answer.buffer);
  const sum = view.getUint16(ICMP_CHECKSUM) + 0x800;
  view.setUint16(ICMP_CHECKSUM, (sum & 0xffff) + (sum >> 16));
  return answer;
}

/** The other end of a card, which answers pings until it is closed. */
class Host {
  readonly #socket: Datagrams;
  readonly #served: Promise<void>;

  /** @param card The card's socket. */
  constructor(card: Datagrams, path?: string) {
    this.#socket = new Datagrams(path);
    card.connect(this.#socket);
    this.#socket.connect(card);
    this.#served = this.#serve();
  }

  async #serve(): Promise<void> {
    for (let frame; (frame = await this.#socket.receive()).length > 0;) {
      if (frame[12] === 8 && frame[13] === 0 && frame[ICMP_TYPE] === 8) this.#socket.send(answer(frame));
    }
  }

  sendNothing(): void {
    this.#socket.send(new Uint8Array());
  }

  async close(): Promise<void> {
    this.#socket.end();
    await this.#served;
    this.#socket.close();
  }
}

function attachmentOf(handle: NSObject): NSObject {
  return Class.named("VZFileHandleNetworkDeviceAttachment").create("initWithFileHandle:", handle);
}

Deno.test("frames: a card survives its other end, empty frames, and is large; a new connection makes it work again", async () => {
  const folder = Deno.makeTempDirSync();
  const paths = (name: string) => [`${folder}/${name}`, undefined];
  try {
    const sockets = paths("card").map((path) => new Datagrams(path));
    let hosts = paths("first").map((path, i) => new Host(sockets[i], path));
    const cards = sockets.map(({ descriptor }, i) => {
      const handle = Class.named("NSFileHandle").create("initWithFileDescriptor:", descriptor);
      const attachment = attachmentOf(handle);
      if (i === 0) attachment.send("setMaximumTransmissionUnit:", 65535);
      return card(`52:54:00:00:00:0${i}`, attachment);
    });
    await using shell = new Shell(cards);
    await shell.boot();
    const setUp = [0, 1].map((i) =>
      `ip link set eth${i} up; ip addr add 10.9.${i}.1/24 dev eth${i}; ` +
      `arp -s 10.9.${i}.2 02:00:00:00:00:02; cat /sys/class/net/eth${i}/mtu; `
    );
    assertEquals(await shell.tell(setUp.join("")), "65535\n1500");
    /** Whether each card's host answers. */
    const ping = async (limit: number, ...sizes: number[]) => {
      const pings = sizes.map((size, i) =>
        `ping -c 1 -W ${limit} -s ${size} 10.9.${i}.2 >/dev/null; echo $?; `
      );
      return (await shell.tell(pings.join(""))).split("\n").map((status) => status === "0");
    };
    assertEquals(await ping(30, 65507, 1472), [true, true]); // as large as packets can be

    for (const host of hosts) host.sendNothing();
    assertEquals(await ping(30, 56, 56), [true, true]);

    for (const host of hosts) await host.close();
    assertEquals(await ping(1, 56, 56), [false, false]);
    assertEquals(await ping(1, 56, 56), [false, false]);
    hosts = paths("second").map((path, i) => new Host(sockets[i], path));
    assertEquals(await ping(30, 56, 56), [true, true]);
    assertEquals(await shell.machine.state(), State.running);

    const { queue, object } = shell.machine;
    const devices = fromObjC(await queue.call(object, "networkDevices")) as NSObject[];
    for (const device of devices) {
      const attachment = await queue.call(device, "attachment") as NSObject;
      const handle = attachment.send("fileHandle") as NSObject;
      await queue.call(device, "setAttachment:", null);
      await queue.call(device, "setAttachment:", attachmentOf(handle));
    }
    assertEquals(await ping(30, 56, 56), [true, true]);

    await shell.stop();
    for (const host of hosts) await host.close();
    for (const socket of sockets) socket.close();
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
