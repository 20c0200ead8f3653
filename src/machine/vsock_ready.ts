/** systemd's word that the guest is ready, in the protocol of sd_notify(3). */

import type { Reporter } from "./run_context.ts";
import type { VsockConnection, VsockDevice } from "./vsock_device.ts";

/** How long a message may be, in bytes. */
const LONGEST = 4_096;

/** How many may be told at once. */
const AT_ONCE = 16;

/** The lines of a message, for which systemd has connected; one that is too long is none. */
async function messageOf(connection: VsockConnection): Promise<string[]> {
  const bytes: number[] = [];
  for await (const chunk of connection.readable) {
    if (bytes.length + chunk.length > LONGEST) return [];
    bytes.push(...chunk);
  }
  return new TextDecoder().decode(Uint8Array.from(bytes)).split("\n");
}

/**
 * Hears what systemd says at a port of the host's, as long as the machine runs.
 *
 * @returns What settles when the guest is ready.
 */
export async function hearReady(
  device: Pick<VsockDevice, "serve">,
  port: number,
  { result, debug }: Pick<Reporter, "result" | "debug">,
): Promise<{ ready: Promise<void> }> {
  const ready = Promise.withResolvers<void>();
  let [isReady, talking] = [false, 0];
  const hear = async (coming: Promise<VsockConnection>) => {
    talking++;
    try {
      await using connection = await coming;
      for (const line of await messageOf(connection)) {
        if (line.startsWith("STATUS=")) debug(`the guest says: ${line.slice("STATUS=".length)}`);
        if (line !== "READY=1" || isReady) continue;
        isReady = true;
        result("the guest is ready");
        ready.resolve();
      }
    } catch (error) {
      debug(`what systemd says is not heard: ${(error as Error).message}`);
    } finally {
      talking--;
    }
  };
  await device.serve(port, () => talking < AT_ONCE ? hear : undefined);
  return { ready: ready.promise };
}
