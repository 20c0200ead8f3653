/** Files for cloud-init: which of them is what. */

import { basename } from "@std/path/posix/basename";
import { ignoreNotFound } from "../../host/error.ts";
import { readAt } from "../../host/files.ts";
import { kindByContent, LARGEST_SEED_FILE, type SeedKind } from "../../images/user_data.ts";
import type { CloudInit } from "../../machine/cloud_init.ts";
import { UsageError } from "./usage_error.ts";

const WORDS: Record<SeedKind, string> = {
  userData: "user-data",
  metaData: "meta-data",
  networkConfig: "network-config",
  vendorData: "vendor-data",
};

/** What a file is by its name: `user-data`, `my-user-data.yaml`. */
const BY_NAME: [RegExp, SeedKind][] = [
  [/user[-_]?data/i, "userData"],
  [/meta[-_]?data/i, "metaData"],
  [/vendor[-_]?data/i, "vendorData"],
  [/network[-_]?config/i, "networkConfig"],
];

/** In a folder there may be anything else, too. */
const IN_FOLDER = /^(user-data|meta-data|vendor-data|network-config)(\.(ya?ml|json|txt|cfg))?$/;

/** `-cloud-init`'s: files, each told by its name or by what is in it, or a folder. */
export function parseCloudInit(text: string): CloudInit {
  // No argument holds a zero: it stands for a comma in a name while the others separate.
  const given = text.replaceAll(",,", "\0").split(",").map((part) => part.replaceAll("\0", ","));
  const isFolder = given.length === 1 && isDirectory(given[0]);
  const files = isFolder ? filesIn(given[0]) : given;
  const told: Partial<Record<SeedKind, { file: string }>> = {};
  for (const file of files) {
    const kind = kindByName(file) ?? kindOf(file) ?? "userData"; // and it is said what is wrong with it
    const other = told[kind];
    if (other) throw new UsageError(`'${other.file}' and '${file}' are both taken for ${WORDS[kind]}`);
    told[kind] = { file };
  }
  if (told.userData) return told;
  throw new UsageError(`there is no user-data ${isFolder ? "in this folder" : "among these"}`);
}

function isDirectory(path: string): boolean {
  try {
    return ignoreNotFound(() => Deno.statSync(path))?.isDirectory ?? false;
  } catch {
    return false; // what keeps it from use is said where files are checked
  }
}

function filesIn(folder: string): string[] {
  try {
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).filter((name) =>
      IN_FOLDER.test(name)
    );
    return names.sort().map((name) => `${folder.replace(/\/$/, "")}/${name}`);
  } catch {
    throw new UsageError("this folder cannot be read");
  }
}

function kindByName(file: string): SeedKind | undefined {
  const name = basename(file);
  return BY_NAME.find(([looks]) => looks.test(name))?.[1];
}

function kindOf(file: string): SeedKind | undefined {
  try {
    return kindByContent(readAt("user-data", file, 0, LARGEST_SEED_FILE));
  } catch {
    return undefined; // that it cannot be read is said where files are checked
  }
}
