/** Networks that break while their machine runs. */

import { describeError, type VZVirtualMachine, wordsOf } from "../vz/mod.ts";
import type { OpenedNetwork } from "./open_network.ts";
import type { RunContext } from "./run_context.ts";

/** How long a card has to work before it is plugged in again at once, in milliseconds. */
const MENDING = 1_000;

/** A network breaks when the host sleeps, or its own changes: the card is plugged in again, as a cable would be. */
export function mendNetworks(
  networks: readonly (OpenedNetwork | undefined)[],
  framework: VZVirtualMachine,
  { info }: RunContext,
): void {
  const mended: number[] = [];
  framework.onNetworkLost = async (device, card, error) => {
    info(`network card ${card + 1} has lost its network (${describeError(error)}); it is plugged in again`);
    try {
      const since = performance.now() - (mended[card] ?? -Infinity);
      if (since < MENDING) await new Promise((resolve) => setTimeout(resolve, MENDING));
      await networks[card]!.connected?.();
      mended[card] = performance.now();
      await device.attach(networks[card]!.attachment());
    } catch (error) {
      info(`network card ${card + 1} stays without a network: ${wordsOf(error)}`);
    }
  };
}
