/**
 * `deno task sign [FILE] [--identity I] [--entitlements P]`: signs an executable for macOS, so that it may make
 * virtual machines. FILE is dist/vzrun when it is not given; the entitlements are those of entitlements.plist.
 *
 * On macOS codesign does it; elsewhere rcodesign, where it is installed, and then the identity is a .p12 file.
 */

import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { reasonOf } from "../src/host/error.ts";
import { parseOptions, runScript } from "./command_line.ts";
import { MachOError, readMachO, type Slice, trueKeys } from "./macho.ts";

const ROOT = join(import.meta.dirname!, "..");
const BRIDGED = "com.apple.vm.networking";

/** An executable that cannot be signed: one line that says what to do. The file is then as it was. */
export class SignError extends Error {
  override name = "SignError";
}

/** What is to be signed, and how. */
export interface Order {
  file: string;
  /** Whose certificate; ad hoc, which is good on this machine only, without one. */
  identity?: string;
  /** Path of a property list. */
  entitlements: string;
}

/** A program that signs. */
export interface Signer {
  /** Its path, or its name when it is in PATH. */
  program: string;
  /** Arguments that sign a file in place. */
  sign(order: Order, identifier: string): string[];
  /** Arguments that check it afterwards. */
  verify?(file: string): string[];
}

/** Apple's. */
export const CODESIGN: Signer = {
  program: "/usr/bin/codesign",
  sign: ({ file, identity, entitlements }, identifier) => [
    "--force",
    "--sign",
    identity ?? "-",
    "--identifier",
    identifier,
    ...identity === undefined ? [] : ["--options", "runtime", "--timestamp"],
    "--entitlements",
    entitlements,
    file,
  ],
  verify: (file) => ["--verify", "--strict", file],
};

/** The one that runs anywhere. What it signs with a certificate it timestamps without being asked. */
export const RCODESIGN: Signer = {
  program: "rcodesign",
  sign: ({ file, identity, entitlements }, identifier) => [
    "sign",
    "--binary-identifier",
    identifier,
    ...identity === undefined ? [] : ["--p12-file", identity, "--code-signature-flags", "runtime"],
    "--entitlements-xml-path",
    entitlements,
    file,
  ],
};

/** What was done. */
export interface Signed {
  before: Slice[];
  after: Slice[];
}

function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    throw new SignError(`cannot open '${path}': ${reasonOf(error)}`);
  }
}

function slicesOf(file: string): Slice[] {
  try {
    return readMachO(readFile(file));
  } catch (error) {
    if (!(error instanceof MachOError)) throw error;
    throw new SignError(`cannot sign '${file}': ${error.message}; only programs for macOS have to be signed`);
  }
}

async function run(program: string, args: string[]): Promise<void> {
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command(program, { args, stdin: "null", stdout: "null", stderr: "piped" })
      .output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    const advice = program === RCODESIGN.program
      ? ": sign on a Mac, or install rcodesign (apple-codesign)"
      : "";
    throw new SignError(`${program} is missing${advice}`);
  }
  const said = new TextDecoder().decode(result.stderr).trim();
  if (!result.success) throw new SignError(`${basename(program)} ${args[0]} failed: ${said}`);
}

/** Checks that each architecture has just what it was to be signed with. */
function checkSigned(slices: Slice[], { identity }: Order, wanted: string[]): void {
  for (const { architecture, signature } of slices) {
    if (!signature) throw new SignError(`${architecture} was left without a signature`);
    if (signature.entitlements.toSorted().join() !== wanted.toSorted().join()) {
      throw new SignError(
        `${architecture} was signed with other entitlements: ${signature.entitlements.join(", ")}`,
      );
    }
    if (identity !== undefined && !(signature.certified && signature.flags.includes("runtime"))) {
      throw new SignError(`${architecture} was signed without '${identity}' or without the hardened runtime`);
    }
  }
}

/**
 * Signs an executable. It is replaced by a signed copy of it when all has gone well, and stays as it is otherwise.
 *
 * @throws {SignError} When it cannot be signed.
 */
export async function sign(order: Order, signer: Signer): Promise<Signed> {
  const before = slicesOf(order.file);
  const wanted = trueKeys(new TextDecoder().decode(readFile(order.entitlements)));
  const file = await Deno.realPath(order.file);
  // A running program is never written to, and the system remembers signatures by file: so it has to be a new one.
  const copy = await Deno.makeTempFile({ dir: dirname(file), prefix: `.${basename(file)}.` }).catch(
    (error) => {
      throw new SignError(`cannot write beside '${order.file}': ${reasonOf(error)}`);
    },
  );
  try {
    await Deno.copyFile(file, copy); // its mode too
    await run(signer.program, signer.sign({ ...order, file: copy }, basename(file)));
    if (signer.verify) await run(signer.program, signer.verify(copy));
    const after = slicesOf(copy);
    checkSigned(after, order, wanted);
    await Deno.rename(copy, file);
    return { before, after };
  } catch (error) {
    await Deno.remove(copy).catch(() => {}); // codesign may have replaced it
    throw error;
  }
}

/** How an architecture is signed now, and what became of its entitlements. */
export function report({ before, after }: Signed): string[] {
  return after.map(({ architecture, signature }) => {
    const had = before.find((slice) => slice.architecture === architecture)?.signature?.entitlements ?? [];
    const has = signature?.entitlements ?? [];
    const changes = [
      ...has.filter((name) => !had.includes(name)).map((name) => `+${name}`),
      ...had.filter((name) => !has.includes(name)).map((name) => `-${name}`),
    ];
    const kind = [signature?.certified ? `team ${signature.team}` : "ad hoc", ...signature?.flags ?? []]
      .filter((word) => word !== "adhoc");
    return `${architecture}: ${kind.join(", ")}; entitlements ${changes.join(" ") || "unchanged"}`;
  });
}

/**
 * Reads the command line.
 *
 * @throws {UsageError} For what is not understood.
 */
export function parseOrder(args: string[]): Order {
  const { words: [file = join(ROOT, "dist", "vzrun")], identity, entitlements } = parseOptions(args, {
    usage: "deno task sign [FILE] [--identity I] [--entitlements P]",
    string: ["identity", "entitlements"],
    words: 1,
  });
  return {
    file,
    ...identity === undefined || identity === "-" ? {} : { identity },
    entitlements: entitlements ?? join(ROOT, "entitlements.plist"),
  };
}

if (import.meta.main) {
  await runScript("sign", SignError, async () => {
    Deno.chdir(Deno.env.get("INIT_CWD") ?? "."); // deno task starts in the project's folder
    const order = parseOrder(Deno.args);
    if (trueKeys(new TextDecoder().decode(readFile(order.entitlements))).includes(BRIDGED)) {
      console.error(
        `sign: warning: ${BRIDGED} is for those to whom Apple has granted it: macOS kills the program at its ` +
          "start when the certificate has no such grant, and an ad hoc signature never has",
      );
    }
    const signed = await sign(order, Deno.build.os === "darwin" ? CODESIGN : RCODESIGN);
    for (const line of report(signed)) console.error(`sign: ${order.file}, ${line}`);
  });
}
