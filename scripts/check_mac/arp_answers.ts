/** A network that is frames in TypeScript, with one other address on it. */

import type { FrameStreams } from "../../src/machine/network_frames.ts";

/** The address that is there, and whose it is. */
export const THERE = { address: "10.9.8.1", mac: "02:00:00:00:00:01" } as const;

const ARP = 0x0806;
const [QUESTION, ANSWER] = [1, 2];
const [ETHERNET_HEADER, ARP_MESSAGE] = [14, 28];

const address = THERE.address.split(".").map(Number);
const mac = THERE.mac.split(":").map((byte) => parseInt(byte, 16));

/** Answers who asks for that address, and says who has asked. */
export class ARPAnswers {
  /** The cards that have asked, each time that they did. */
  readonly asked: string[] = [];
  readonly frames: FrameStreams;

  constructor() {
    this.frames = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
      transform: (frame, controller) => {
        const answer = this.#answer(frame);
        if (answer) controller.enqueue(answer);
      },
    });
  }

  /** Source: RFC 826. */
  #answer(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
    if (frame.length < ETHERNET_HEADER + ARP_MESSAGE) return undefined;
    const asking = new DataView(frame.buffer, frame.byteOffset, frame.length);
    const isQuestion = asking.getUint16(12) === ARP && asking.getUint16(20) === QUESTION;
    if (!isQuestion || frame.subarray(38, 42).join(".") !== THERE.address) return undefined;
    const asker = frame.subarray(22, 32); // card and address
    this.asked.push(Array.from(asker.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join(":"));
    const kinds = frame.subarray(12, 20); // of the frame and of the addresses
    return Uint8Array.of(...asker.subarray(0, 6), ...mac, ...kinds, 0, ANSWER, ...mac, ...address, ...asker);
  }
}
