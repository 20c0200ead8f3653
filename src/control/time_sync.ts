/** The guest's clock, which stands still while this computer sleeps: qemu's agent in the guest is told the time. */

import { inTime } from "../host/in_time.ts";
import type { Reporter } from "../machine/run_context.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import type { VsockConnection } from "../machine/vsock_device.ts";

/** This computer's clocks. */
export interface Clocks {
  /** The time, in milliseconds. */
  now(): number;
  /** Milliseconds in which this computer was awake. */
  awake(): number;
  /** How often they are compared, in milliseconds. */
  look: number;
}

/** A jump of the clock that is no correction, in milliseconds. */
const JUMP = 2_000;

/** How often an agent that does not answer is asked again, at the next looks: the guest may not be back yet. */
const TRIES = 3;

/** How long it may take, in milliseconds. */
const PATIENCE = 5_000;

/**
 * Deno's clock for durations stands still while a Mac sleeps, and timers with it: Rust's Instant is CLOCK_UPTIME_RAW on
 * macOS, CLOCK_MONOTONIC on Linux.
 */
const CLOCKS: Clocks = { now: () => Date.now(), awake: () => performance.now(), look: 15_000 };

/**
 * Tells the guest the time after each sleep.
 *
 * @param port Where in the guest its agent listens: `qemu-ga -m vsock-listen -p 3:PORT`.
 * @returns What ends that.
 */
export function keepTime(
  { vsock }: Pick<VirtualMachine, "vsock">,
  port: number,
  { info, debug }: Pick<Reporter, "info" | "debug">,
  { now, awake, look }: Clocks = CLOCKS,
): Disposable {
  const asleep = () => now() - awake();
  let known = asleep();
  let [tries, isTelling] = [0, false];
  const timer = setInterval(async () => {
    const jump = asleep() - known;
    if (Math.abs(jump) >= JUMP) {
      known += jump;
      tries = TRIES;
    }
    if (tries === 0 || isTelling) return;
    tries--;
    isTelling = true;
    try {
      await tell(await vsock.connect(port, { signal: AbortSignal.timeout(PATIENCE) }), now);
      tries = 0;
      info("the guest was told the time, which has jumped");
    } catch (error) {
      debug(`the guest could not be told the time: ${(error as Error).message}`);
    } finally {
      isTelling = false;
    }
  }, look);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** @throws {Error} When the agent does not say that it has set it. */
async function tell(connection: VsockConnection, now: () => number): Promise<void> {
  await using open = connection;
  const time = `${BigInt(Math.round(now())) * 1_000_000n}`;
  const writer = open.writable.getWriter();
  await writer.write(
    new TextEncoder().encode(`{"execute": "guest-set-time", "arguments":{"time": ${time}}}\n`),
  );
  let said = "";
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const chunk of open.readable) {
      said += decoder.decode(chunk, { stream: true });
      if (said.includes("\n") || said.length > 4096) return;
    }
  };
  await inTime(read(), PATIENCE);
  if (!/^\{"return": ?\{\}\}\r?\n/.test(said)) {
    throw new Error(`its agent has answered ${JSON.stringify(said)}`);
  }
}
