/** The file that EFI's variables are in when nobody wants to keep them. */

import { processExists } from "../objc/mod.ts";

/** A file that goes when it is disposed of. */
export interface TransientFile extends Disposable {
  path: string;
}

const PREFIX = "vzrun-efi-";

/** Removes what runs that were killed have left beside ours. */
function removeLeftovers(folder: string): void {
  for (const { name } of Deno.readDirSync(folder)) {
    const owner = new RegExp(`^${PREFIX}(\\d+)-`).exec(name);
    if (!owner || processExists(Number(owner[1]))) continue;
    try {
      Deno.removeSync(`${folder}/${name}`, { recursive: true });
    } catch { /* another user's, or another run was quicker */ }
  }
}

/** A place for a new variable store. */
export function transientVariables(): TransientFile {
  const folder = Deno.makeTempDirSync({ prefix: `${PREFIX}${Deno.pid}-` });
  removeLeftovers(folder.replace(/\/[^/]*$/, ""));
  return {
    path: `${folder}/variables`,
    [Symbol.dispose]: () => Deno.removeSync(folder, { recursive: true }),
  };
}
