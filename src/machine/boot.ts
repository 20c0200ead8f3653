/** How a machine starts: a Linux kernel, or EFI firmware. */

import { exists, openFile, partialOf, removeOwn } from "../host/files.ts";
import { machineArchitecture, macOSVersion } from "../host/system.ts";
import type { Cache } from "../images/cache.ts";
import { type OpenedKernel, openKernel } from "../images/kernel.ts";
import {
  isOlder,
  type VZBootLoader,
  VZEFIBootLoader,
  VZEFIVariableStore,
  VZLinuxBootLoader,
} from "../vz/mod.ts";
import { MachineError, refusable, toMachineError } from "./error.ts";
import type { PrepareOptions } from "./prepare.ts";
import type { Reporter } from "./run_context.ts";
import type { Vsock } from "./vsock.ts";

/** A Linux kernel that is started without firmware. */
export interface LinuxBoot {
  /** Tells it from {@linkcode EFIBoot}. */
  kind: "linux";
  /** Path of the kernel. */
  kernel: string;
  /** The file that was given for it, and what that is, outermost first: `["gzip", "arm64 Image"]`. */
  source?: { file: string; layers: string[] };
  /** Path of the initial RAM disk. */
  initrd?: string;
  /** Kernel command line; a unified kernel image has its own. */
  commandLine?: string;
}

/** EFI firmware, which boots from the first disk that it can. */
export interface EFIBoot {
  /** Tells it from {@linkcode LinuxBoot}. */
  kind: "efi";
  /** File of the variable store, made when missing; without it the variables are gone when the machine ends. */
  variables?: string;
  /** A new store is made, in the place of one that is there. */
  overwrite?: boolean;
}

/** What a machine starts. */
export type Boot = LinuxBoot | EFIBoot;

const DEFAULT_COMMAND_LINE = "console=hvc0";

/**
 * Checks the files of a start.
 *
 * @throws {MachineError} When one cannot be used.
 */
export async function checkBoot(boot: Boot): Promise<void> {
  const check = (field: string, action: () => void) => refusable(`boot.${field}`, "", action);
  if (boot.kind === "efi") {
    const { variables } = boot;
    if (variables === undefined) return;
    const { checkOutputFile } = await import("../host/output_file.ts");
    return check("variables", () => checkOutputFile(variables));
  }
  const { kernel, initrd } = boot;
  check("kernel", () => openFile("kernel", kernel).close());
  if (initrd !== undefined) check("initrd", () => openFile("initial RAM disk", initrd).close());
}

/**
 * Takes a kernel out of its wrappings, and makes a place for variables that go with the run. Writes nothing except the kernel unpacked to identify it.
 *
 * @param notified Where systemd is to say when it is ready.
 * @param variables What EFI's variables are to be a copy of, whatever file there is for them.
 * @throws {MachineError} When it is no kernel that can be booted here.
 */
export async function prepareBoot(
  boot: Boot,
  shown: { screen: boolean; consoles: number },
  notified: Vsock | undefined,
  options: PrepareOptions,
  variables?: string,
): Promise<Boot> {
  if (boot.kind === "linux") return await prepareKernel(boot, shown, notified, options);
  const isCopy = boot.variables === undefined || variables !== undefined;
  return isCopy && !options.dryRun ? await prepareVariables(options, variables) : boot;
}

async function prepareKernel(
  boot: LinuxBoot,
  shown: { screen: boolean; consoles: number },
  notified: Vsock | undefined,
  { signal, cleanup, reporter }: PrepareOptions,
): Promise<LinuxBoot> {
  const file = boot.kernel;
  using bar = reporter.progress(`opening kernel '${file}'`);
  try {
    const arch = machineArchitecture() === "arm64" ? "aarch64" : "x86_64";
    const opened = await openKernel(file, arch, kernelCache(cleanup), { progress: bar.update, signal });
    const { kernel, layers } = opened;
    const initrd = boot.initrd ?? opened.initrd;
    const given = boot.commandLine ?? opened.commandLine ?? DEFAULT_COMMAND_LINE;
    const commandLine = notified ? (await import("./vsock.ts")).withNotifySocket(given, notified) : given;
    checkCommandLine(commandLine, opened, boot);
    const consoles = Array.from(commandLine.matchAll(/(?:^| )console=([^ ,]*)/g), ([, name]) => name);
    const isSeen = (name: string) => {
      const [, hvc] = /^hvc(\d+)$/.exec(name) ?? [];
      return hvc !== undefined ? Number(hvc) < shown.consoles : shown.screen && /^tty\d*$/.test(name);
    };
    if (consoles.length === 0 && !shown.screen && shown.consoles > 0) {
      const whose = boot.commandLine === undefined ? `the command line in '${file}'` : "the command line";
      reporter.info(`${whose} has no console=, so nothing may be seen: ${commandLine}`);
    } else if (consoles.length > 0 && shown.consoles > 0 && !consoles.some(isSeen)) {
      reporter.info(`no machine here has ${consoles.at(-1)}, the kernel's console: console=hvc0 is seen`);
    }
    warnOfOldMacOS(opened, commandLine, reporter);
    return { kind: "linux", kernel, source: { file, layers }, initrd, commandLine };
  } catch (error) {
    throw toMachineError("boot.kernel", `cannot boot kernel '${file}'`, error);
  }
}

/** The cache of kernels that are unpacked, opened for the first of them. */
function kernelCache(cleanup: AsyncDisposableStack): Pick<Cache, "file" | "forget"> {
  let cache: Cache | undefined;
  return {
    async file(...what) {
      const { openKernelCache } = await import("./kernel_cache.ts");
      cache ??= openKernelCache(cleanup);
      return await cache.file(...what);
    },
    forget: (path) => cache?.forget(path),
  };
}

/** Kernels that hang on Macs with Intel processors before a macOS, newest first. Sources: Lima's issues 3334 and 1577. */
const HANGS = [
  { kernel: "6.12", macOS: "15.5", cure: "nopku" },
  { kernel: "6.2", macOS: "13.5", cure: undefined },
];

function warnOfOldMacOS({ version }: OpenedKernel, commandLine: string, { info }: Reporter): void {
  const [, kernel] = /^(\d+\.\d+)/.exec(version ?? "") ?? [];
  if (kernel === undefined) return;
  const current = macOSVersion();
  for (const { kernel: first, macOS, cure } of HANGS) {
    if (isOlder(kernel, first) || !isOlder(current, macOS)) continue;
    if (cure !== undefined && commandLine.split(" ").includes(cure)) continue;
    const help = cure === undefined ? "" : `; \`${cure}\` on its command line may help`;
    info(
      `this kernel is ${kernel}, and on Intel ${first} and later may hang before macOS ${macOS} (this is ${current})${help}`,
    );
    return;
  }
}

/** A kernel starts with a command line that is too long, and shows nothing. */
function checkCommandLine(
  text: string,
  { commandLineLimit: limit }: OpenedKernel,
  { kernel }: LinuxBoot,
): void {
  const { length } = new TextEncoder().encode(text);
  if (length <= limit) return;
  throw new MachineError(`${length} bytes: kernel '${kernel}' takes ${limit}`, { field: "boot.commandLine" });
}

async function prepareVariables({ cleanup }: PrepareOptions, from: string | undefined): Promise<EFIBoot> {
  try {
    const { TransientFolder } = await import("../host/transient_folder.ts");
    const variables = `${cleanup.use(new TransientFolder("efi")).path}/variables`;
    if (from !== undefined) await Deno.copyFile(from, variables);
    return { kind: "efi", variables };
  } catch (error) {
    throw toMachineError("boot.variables", "cannot make a folder for EFI's variables", error);
  }
}

/**
 * The boot loader of a prepared start. A variable store that is missing is made.
 *
 * @param rollback Takes it away again, when it is disposed of.
 * @throws {MachineError} When the store cannot be made.
 */
export function configureBoot(boot: Boot, rollback: DisposableStack): VZBootLoader {
  if (boot.kind === "efi") return VZEFIBootLoader.create(variableStore(boot, rollback));
  const loader = VZLinuxBootLoader.create(boot.kernel);
  if (boot.commandLine !== undefined) loader.commandLine = boot.commandLine;
  if (boot.initrd !== undefined) loader.initialRamdisk = boot.initrd;
  return loader;
}

function variableStore({ variables, overwrite }: EFIBoot, rollback: DisposableStack): VZEFIVariableStore {
  const path = variables!;
  return refusable("boot.variables", `cannot make the variable store '${path}'`, () => {
    const isThere = exists(path);
    if (isThere && overwrite) return newStoreAt(Deno.realPathSync(path));
    if (isThere && Deno.statSync(path).size > 0) return VZEFIVariableStore.open(path);
    const store = VZEFIVariableStore.create(path, isThere); // of an empty file
    if (isThere) return store;
    const made = Deno.lstatSync(path);
    rollback.defer(() => removeOwn(path, made));
    return store;
  });
}

/** A new store in the place of another: whole, or not at all. */
function newStoreAt(path: string): VZEFIVariableStore {
  const partial = partialOf(path);
  VZEFIVariableStore.create(partial, true)[Symbol.dispose]();
  Deno.renameSync(partial, path);
  return VZEFIVariableStore.open(path);
}
