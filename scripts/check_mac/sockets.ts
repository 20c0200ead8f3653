/** Probes of unix datagram sockets, of which the framework gets frames. */

import { DatagramSocket, HEADER, MOST_FRAME } from "../../src/host/datagram_socket.ts";
import { descriptorOf } from "../../src/host/descriptors.ts";
import { describeErrno, errno, prepareErrno } from "../../src/host/errno.ts";
import { inTime } from "../../src/host/in_time.ts";
import {
  EAGAIN,
  ENOBUFS,
  MSG_DONTWAIT,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  UNIX_ADDRESS,
} from "../../src/host/libraries.ts";
import { cString, openFunctions } from "../../src/objc/mod.ts";
import { found, pause, type Probe, until } from "./probe.ts";

const libc = openFunctions("system", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

const [AF_UNIX, SOCK_DGRAM] = [1, 2];

const MiB = 2 ** 20;

/** How many frames no receiver has room for. */
const TOO_MANY = 100_000;

const FRAME = new Uint8Array(1500);

/** In seconds. */
const SOON = 5;

const address = (path: string) => Uint8Array.from([...UNIX_ADDRESS, ...cString(path)]);

/** Sends as much as a descriptor takes. @returns How many frames that were, and what the next one failed with. */
function fill(descriptor: number): { sent: number; failure: number } {
  prepareErrno();
  for (let sent = 0; sent < TOO_MANY; sent++) {
    if (libc.send(descriptor, FRAME, BigInt(FRAME.length), MSG_DONTWAIT) < 0) {
      return { sent, failure: errno() };
    }
  }
  return { sent: TOO_MANY, failure: 0 };
}

/** The size of a buffer. */
function sizeOf(descriptor: number, option: number): number {
  const value = new Int32Array(1);
  const length = new Uint8Array(Int32Array.of(value.byteLength).buffer);
  libc.getsockopt(descriptor, SOL_SOCKET, option, new Uint8Array(value.buffer), length);
  return value[0];
}

/** Another program's socket, in a file. */
class Peer implements Disposable {
  readonly #descriptor = libc.socket(AF_UNIX, SOCK_DGRAM, 0);

  constructor(path: string) {
    const at = address(path);
    if (libc.bind(this.#descriptor, at, at.length) < 0) throw new Error(`no socket can be made at '${path}'`);
  }

  /** The datagrams that have come. */
  received(): string[] {
    const all: string[] = [];
    const buffer = new Uint8Array(100);
    for (let length; (length = libc.recv(this.#descriptor, buffer, 100n, MSG_DONTWAIT)) >= 0n;) {
      all.push(new TextDecoder().decode(buffer.subarray(0, Number(length))));
    }
    return all;
  }

  /** Whether it could be sent to a socket in a file. */
  send(path: string, text: string): boolean {
    const [to, bytes] = [address(path), new TextEncoder().encode(text)];
    return libc.connect(this.#descriptor, to, to.length) === 0 &&
      libc.send(this.#descriptor, bytes, BigInt(bytes.length), MSG_DONTWAIT) >= 0n;
  }

  [Symbol.dispose](): void {
    libc.close(this.#descriptor);
  }
}

/** In the order in which they are run. */
export const SOCKETS: readonly Probe[] = [
  {
    name: "datagram-shutdown",
    question: "Does shutdown(2) of a datagram socket wake another thread that waits for it in poll(2)?",
    expected: "at once; else the end of a card would wait for a frame",
    async run() {
      const [one, other] = DatagramSocket.pair();
      const first = Promise.withResolvers<void>();
      const received = one.receive(() => first.resolve());
      await other.send(FRAME);
      await inTime(first.promise, SOON * 1000);
      await pause(200); // then that thread waits again, if not before
      const start = performance.now();
      one[Symbol.dispose]();
      const isWoken = await inTime(received, SOON * 1000);
      const time = performance.now() - start;
      other[Symbol.dispose]();
      return found(isWoken, isWoken ? `after ${time.toFixed(1)} ms` : `not in ${SOON} s`);
    },
  },
  {
    name: "datagram-full",
    question: "With what does a send(2) to a full receiver fail, and is there room again when it receives?",
    expected: "ENOBUFS on a Mac, EAGAIN on Linux; then all arrive, and the one that found no room too",
    async run() {
      const [one, other] = DatagramSocket.pair();
      const { sent, failure } = fill(descriptorOf(one.handle));
      let count = 0;
      const received = other.receive((frames) => {
        count += frames.length / (HEADER + FRAME.length);
      });
      const last = await Promise.race([one.send(FRAME), pause(SOON * 1000)]);
      const haveCome = await until(() => count >= sent + 1, SOON);
      for (const socket of [one, other]) socket[Symbol.dispose]();
      await inTime(received, SOON * 1000);
      const name = new Map([[ENOBUFS, "ENOBUFS"], [EAGAIN, "EAGAIN"]]).get(failure);
      const full = failure === 0 ? "it is never full" : name ?? describeErrno(failure);
      return found(
        name !== undefined && last === "sent" && haveCome,
        `${full} after ${sent} frames of ${FRAME.length} bytes; one more: ${
          last ?? "waits"
        }; ${count} arrived`,
      );
    },
  },
  {
    name: "datagram-reconnect",
    question: "Does a second connect(2) take a bound datagram socket to the peer that is there now?",
    expected: "frames go to the new peer alone, and come from it",
    async run(lab) {
      const [remote, local] = [lab.file("remote"), lab.file("local")];
      using first = new Peer(remote);
      using socket = DatagramSocket.connect({ remote, local });
      const back: string[] = [];
      socket.receive((frames) => {
        back.push(new TextDecoder().decode(frames.subarray(HEADER)));
      });
      await socket.send(new TextEncoder().encode("one"));
      Deno.removeSync(remote);
      using second = new Peer(remote);
      socket.reconnect();
      await socket.send(new TextEncoder().encode("two"));
      const [old, now] = [first.received(), second.received()];
      const isSent = second.send(local, "three");
      const comesBack = isSent && await until(() => back.length > 0, SOON);
      return found(
        old.join() === "one" && now.join() === "two" && comesBack && back.join() === "three",
        `the first got ${old.join(", ") || "nothing"}, the second ${
          now.join(", ") || "nothing"
        }; from that came ${back.join(", ") || (isSent ? "nothing" : "nothing, it could not send")}`,
      );
    },
  },
  {
    name: "datagram-buffers",
    question: "Which buffers does the system grant, of 1 MiB to send and 4 MiB to receive?",
    expected: "both on a Mac; on Linux at least a frame's",
    run() {
      const [one, other] = DatagramSocket.pair();
      const sizes = [SO_SNDBUF, SO_RCVBUF].map((option) => sizeOf(descriptorOf(one.handle), option));
      for (const socket of [one, other]) socket[Symbol.dispose]();
      const [sending, receiving] = sizes;
      const least = Deno.build.os === "darwin" ? [MiB, 4 * MiB] : [MOST_FRAME, MOST_FRAME];
      const holds = sizes.every((size, i) => size >= least[i]);
      return found(holds, `${sending} bytes to send, ${receiving} to receive`);
    },
  },
];
