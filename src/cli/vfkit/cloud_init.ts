/** Files for cloud-init, which vfkit knows by their names. */

import { basename } from "@std/path/posix/basename";
import { ignoreNotFound } from "../../host/error.ts";
import type { CloudInit } from "../../machine/cloud_init.ts";
import { UsageError } from "../usage_error.ts";

const NAMES: Readonly<Record<string, "userData" | "metaData" | "networkConfig">> = {
  "user-data": "userData",
  "meta-data": "metaData",
  "network-config": "networkConfig",
};

/** What cloud-init reads of nothing: that there is nothing to do. */
const NOTHING = { text: "#cloud-config\n" };

/**
 * `--cloud-init`'s files. One that is empty is as one that is missing: nothing is to be done, or it is made.
 *
 * @throws {UsageError} When one has another name, or there is neither user-data nor meta-data.
 */
export function toCloudInit(files: readonly string[]): CloudInit {
  const told: CloudInit = {};
  const given = new Set<string>();
  for (const file of files) {
    const name = basename(file);
    if (!Object.hasOwn(NAMES, name)) {
      throw new UsageError(`--cloud-init: '${file}' is called none of ${Object.keys(NAMES).join(", ")}`);
    }
    if (given.has(name)) throw new UsageError(`--cloud-init: ${name} is given twice`);
    given.add(name);
    if (!isEmpty(file)) told[NAMES[name]] = { file };
  }
  if (!given.has("user-data") && !given.has("meta-data")) {
    throw new UsageError("--cloud-init: there is neither user-data nor meta-data");
  }
  told.userData ??= NOTHING;
  return told;
}

function isEmpty(file: string): boolean {
  try {
    const there = ignoreNotFound(() => Deno.statSync(file));
    return there !== undefined && there.isFile && there.size === 0;
  } catch {
    return false; // what keeps it from use is said where files are checked
  }
}
