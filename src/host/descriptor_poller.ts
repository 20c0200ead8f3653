/**
 * Waits for any number of descriptors on one thread: a call that blocks takes one of a few hundred that Deno has for such.
 * While nobody waits, nothing runs and nothing is open.
 */

import { openFunctions } from "../objc/mod.ts";
import { nextTurn } from "./event_loop.ts";
import { MSG_DONTWAIT } from "./libraries.ts";
import { POLLERR, POLLHUP, POLLIN, POLLNVAL } from "./poll.ts";
import { libc as now, SOCK_STREAM, socketPair } from "./socket_calls.ts";

const libc = openFunctions("system", {
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32", nonblocking: true },
});

const BYTE = new Uint8Array(1);

/** Somebody who waits. */
export interface Wait {
  /** What there is of the events, of errors and hang-ups; 0 when nobody waits for it any more. */
  found: Promise<number>;
  /** Ends it. */
  cancel(): void;
}

interface Waiter {
  descriptor: number;
  events: number;
  tell(found: number): void;
}

const waiters = new Set<Waiter>();

/** What ends the call of poll(2) that runs. */
let wake: (() => void) | undefined;
let isRunning = false;

/**
 * Waits for events of a descriptor, and for errors and hang-ups.
 *
 * @param events Of poll(2).
 *
 * Source: poll(2).
 */
export function waitFor(descriptor: number, events: number): Wait {
  const { promise: found, resolve: tell } = Promise.withResolvers<number>();
  const waiter = { descriptor, events, tell };
  waiters.add(waiter);
  wake?.();
  if (!isRunning) run();
  return {
    found,
    cancel() {
      if (!waiters.delete(waiter)) return;
      wake?.();
      tell(0);
    },
  };
}

/** How soon to look again whether there are descriptors to be had, in milliseconds. */
const RETRY = 100;

/** Two connected sockets, the second of which becomes readable when the first is written to. */
async function alarm(): Promise<{ ring(): void; bell: number } & Disposable> {
  let pair = socketPair(SOCK_STREAM);
  while (pair.failure) {
    await new Promise((resolve) => setTimeout(resolve, RETRY)); // too many files are open
    pair = socketPair(SOCK_STREAM);
  }
  const [hammer, bell] = pair.ends;
  return {
    bell,
    ring: () => now.send(hammer, BYTE, 1n, MSG_DONTWAIT),
    [Symbol.dispose]() {
      now.close(hammer);
      now.close(bell);
    },
  };
}

async function run(): Promise<void> {
  isRunning = true;
  using alarmed = await alarm();
  while (waiters.size > 0) {
    // Each descriptor once: macOS takes no more entries than a process may have descriptors.
    const polled = [...Map.groupBy(waiters, ({ descriptor }) => descriptor)];
    const pollfds = new Int32Array(2 * polled.length + 2); // int fd; short events; short revents
    polled.forEach(([descriptor, those], i) => {
      pollfds.set([descriptor, those.reduce((all, { events }) => all | events, 0)], 2 * i);
    });
    pollfds.set([alarmed.bell, POLLIN], 2 * polled.length);
    let isWoken = false;
    wake = () => {
      if (!isWoken) alarmed.ring();
      isWoken = true;
    };
    await libc.poll(new Uint8Array(pollfds.buffer), polled.length + 1, -1);
    wake = undefined;
    if (isWoken) now.recv(alarmed.bell, BYTE, 1n, MSG_DONTWAIT);
    polled.forEach(([, those], i) => {
      for (const waiter of those) {
        const found = (pollfds[2 * i + 1] >>> 16) & (waiter.events | POLLERR | POLLHUP | POLLNVAL);
        if (found && waiters.delete(waiter)) waiter.tell(found);
      }
    });
    // Who was told waits anew meanwhile; and poll(2) alone would leave timers waiting.
    await nextTurn();
  }
  isRunning = false;
}
