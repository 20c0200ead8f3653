/**
 * The entitlement without which macOS lets no program make virtual machines. Deno does not have it: a copy of it is
 * signed with it, once, and takes the process over.
 */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { fromFileUrl } from "@std/path/posix/from-file-url";
import { ownCacheFolder } from "../host/cache_folder.ts";
import { toFileError } from "../host/error.ts";
import { exists, removeAttribute } from "../host/files.ts";
import { hasEntitlement, isRoot, replaceProcess } from "../host/process.ts";
import * as log from "./log.ts";

const ENTITLEMENT = "com.apple.security.virtualization";
/** Says, to the copy, in which process it was started: a process keeps its number. So nothing goes round in a circle. */
const MARK = "VZRUN_SIGNED";
const PROPERTY_LIST = new URL("../../entitlements.plist", import.meta.url);

/** A program that may not make virtual machines: one line that says what the user can do. */
export class EntitlementError extends Error {
  override name = "EntitlementError";
}

/** What is known of a process that is about to start a machine. */
export interface Start {
  /** Path of the program: Deno, or vzrun when that is an executable. */
  program: string;
  entitled: boolean;
  standalone: boolean;
  /** It is the signed copy, started by the process itself. */
  again: boolean;
  root: boolean;
}

/**
 * What to do before a machine is started.
 *
 * @throws {EntitlementError} When there is nothing that vzrun can do.
 */
export function nextStep({ program, entitled, standalone, again, root }: Start): "start" | "sign" {
  if (entitled) return "start";
  const lacks = `'${program}' lacks the entitlement ${ENTITLEMENT}`;
  const sign = `codesign --force --sign - --entitlements entitlements.plist '${program}'`;
  if (standalone) {
    throw new EntitlementError(`${lacks}; sign it, with the file of vzrun's sources: ${sign}`);
  }
  if (again) throw new EntitlementError(`${lacks}, though it was signed with it; remove it and try again`);
  if (root) {
    throw new EntitlementError(
      `${lacks}, and as root no copy of Deno is signed by itself: run vzrun as a user, or ${sign}`,
    );
  }
  return "sign";
}

/** Where things are, and what signs. */
export interface Place {
  /** Path of Deno. */
  program: string;
  /** Folder in which the copy is kept. */
  folder: string;
  /** Apple's codesign. */
  codesign: string;
}

/** What a browser puts on what it has fetched, and copying keeps: macOS could refuse the copy for it. */
const QUARANTINE = "com.apple.quarantine";

/** Makes a signed copy of a program. */
async function sign(codesign: string, program: string, copy: string): Promise<void> {
  await Deno.copyFile(program, copy);
  removeAttribute(copy, QUARANTINE);
  const list = fromFileUrl(PROPERTY_LIST);
  const args = ["--force", "--sign", "-", "--identifier", "deno", "--entitlements", list, copy];
  // Deno lets no environment with DYLD_ variables pass to a program that was allowed by its name.
  const { success, stderr } = await new Deno.Command(codesign, { args, clearEnv: true, stdin: "null" })
    .output();
  if (!success) {
    throw new EntitlementError(
      `codesign cannot sign a copy of Deno: ${new TextDecoder().decode(stderr).trim()}`,
    );
  }
  await Deno.chmod(copy, 0o755);
}

/**
 * The signed copy of Deno: the one that is kept, or a new one when Deno or the entitlements have changed. Of two that
 * make it at once each makes a file, and the one that is finished first is kept: it may be running already.
 *
 * @returns Its path.
 * @throws {EntitlementError} When it cannot be made; nothing is left of it then.
 */
export async function signedCopy({ program, folder, codesign }: Place): Promise<string> {
  const { dev, ino, size, mtime } = await Deno.stat(program);
  const from = [dev, ino, size, mtime?.getTime(), await Deno.readTextFile(PROPERTY_LIST)].join();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(from))).toHex();
  const copy = `${folder}/deno-${Deno.version.deno}-${hash.slice(0, 16)}`;
  if (exists(copy)) return copy;
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  log.info(`signing a copy of Deno with the entitlement for virtual machines, which is kept in '${folder}'`);
  const unfinished = await Deno.makeTempFile({ dir: folder, prefix: "signing-" });
  try {
    await sign(codesign, program, unfinished);
    await Deno.link(unfinished, copy);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error; // another was faster
  } finally {
    await Deno.remove(unfinished);
  }
  return copy;
}

/**
 * A program under another name, in a folder of its own: a process is seen by the name of the file that it was started
 * from, and a symbolic link has none (a process of /usr/bin/vi is seen as vim).
 *
 * @returns Its path.
 */
export async function namedProgram(program: string, folder: string, name: string): Promise<string> {
  const { dev, ino, size, mtime } = await Deno.stat(program);
  const from = new TextEncoder().encode([dev, ino, size, mtime?.getTime()].join());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", from)).toHex();
  const named = `${folder}/as-${hash.slice(0, 16)}/${name}`;
  if (exists(named)) return named;
  await Deno.mkdir(dirname(named), { recursive: true, mode: 0o700 });
  try {
    await Deno.link(program, named);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return named; // another was faster
    await Deno.copyFile(program, named); // it is on another volume; APFS clones within one
  }
  return named;
}

/** What is asked of the system; the tests answer in its place. */
export interface System {
  entitled(): boolean;
  root(): boolean;
  codesign: string;
}

const MAC: System = {
  entitled: () => hasEntitlement(ENTITLEMENT),
  root: isRoot,
  codesign: "/usr/bin/codesign",
};

/** Whether others see a process of this program by that name. */
function hasName(program: string, name: string): boolean {
  try {
    return basename(Deno.realPathSync(program)) === name;
  } catch {
    return true; // what it is cannot be known, and so not be mended
  }
}

/**
 * Returns when the process may make virtual machines. One that may not, and can be, is replaced by one that may; and so
 * is one that others would see by another name.
 *
 * @param check Refuses what the user has to mend first, before anything is signed.
 * @param name The name that others are to see.
 * @throws {EntitlementError} When it may not.
 */
export async function ensureEntitled(
  check: () => void | Promise<void>,
  { name }: { name?: string } = {},
  system = MAC,
): Promise<void> {
  const program = Deno.execPath();
  const start: Start = {
    program,
    entitled: system.entitled(),
    standalone: Deno.build.standalone,
    again: Deno.env.get(MARK) === `${Deno.pid}`,
    root: system.root(),
  };
  if (!start.entitled) await check();
  const folder = ownCacheFolder();
  if (nextStep(start) === "start") {
    if (name === undefined || start.again || hasName(program, name)) return;
    try {
      return become(await namedProgram(program, folder!, name), name);
    } catch (error) {
      return log.debug(`other programs do not see this one as ${name}: ${(error as Error).message}`);
    }
  }
  let copy: string;
  try {
    if (folder === undefined) {
      throw new EntitlementError("without a HOME to write in no signed copy of Deno can be kept");
    }
    copy = await signedCopy({ program, folder, codesign: system.codesign });
    if (name !== undefined) copy = await namedProgram(copy, folder, name);
  } catch (error) {
    throw toFileError("cannot keep a signed copy of Deno", error);
  }
  become(copy, name);
}

function become(program: string, name: string | undefined): never {
  Deno.env.set(MARK, `${Deno.pid}`);
  replaceProcess(program, name);
}
