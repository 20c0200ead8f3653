/** Where kernels are kept that had to be unpacked. Loaded for the first of them: many a kernel is as it is started. */

import { ownCacheFolder } from "../host/cache_folder.ts";
import { TransientFolder } from "../host/transient_folder.ts";
import { Cache } from "../images/cache.ts";

/** Opens the cache of this user's kernels, until the run's cleanup. */
export function openKernelCache(cleanup: AsyncDisposableStack): Cache {
  const temporary = () => cleanup.use(new TransientFolder("kernel")).path; // without a HOME to write in, nothing is kept
  return cleanup.use(new Cache(() => ownCacheFolder() ?? temporary()));
}
