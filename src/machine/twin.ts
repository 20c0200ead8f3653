/** Two machines of one name that run at the same time. */

import { ownCacheFolder } from "../host/cache_folder.ts";
import { isSystemError } from "../host/error.ts";
import { removeOwn } from "../host/files.ts";
import { lockFile } from "../host/lock.ts";
import type { Machine } from "./machine.ts";
import { makeMAC } from "./network.ts";
import type { Reporter } from "./run_context.ts";

/**
 * Says when a machine gets MAC addresses of its name that another one, of the same name, runs with. What tells is a
 * lock in the cache's folder, which goes with the machine.
 *
 * @param advice What a user can do.
 */
export async function noticeTwin(
  { name, network }: Machine,
  cleanup: AsyncDisposableStack,
  { info }: Pick<Reporter, "info">,
  advice = "give one of them another name",
): Promise<void> {
  const ofName = await Promise.all(network.map((_, card) => makeMAC(name, card)));
  const shared = network.findIndex(({ mac }, card) => mac === ofName[card]);
  const folder = ownCacheFolder();
  if (name === undefined || shared < 0 || folder === undefined) return;
  try {
    Deno.mkdirSync(`${folder}/running`, { recursive: true, mode: 0o700 });
    const path = `${folder}/running/${ofName[0].replaceAll(":", "")}`;
    const lock = lockFile(path);
    if (!lock) {
      const same = `its network card has the same address, ${ofName[shared]}`;
      return info(`another machine of the name '${name}' runs: ${same}; ${advice}`);
    }
    const own = lock.statSync();
    cleanup.defer(() => {
      using _lock = lock;
      removeOwn(path, own);
    });
  } catch (error) {
    if (!isSystemError(error)) throw error; // where nothing can be kept, nothing is noticed
  }
}
