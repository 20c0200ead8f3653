/** What the benchmarks share: programs, their commands, and processes. */

import { fromFileUrl } from "@std/path/posix/from-file-url";
import { V8_FLAGS } from "../scripts/v8_flags.ts";
import { ENVIRONMENT, GUEST, ROOT, SOONER } from "../tests/e2e/vzrun.ts";
import type { Row } from "./figures.ts";

/** What one group measures, a row as soon as it is known. */
export type Measure = (bench: Bench) => AsyncGenerator<Row>;

/** A run of the benchmarks. */
export interface Bench {
  /** Rounds of what is quick; what takes long has fewer. */
  rounds: number;
  /** A folder for what is made, which is empty at first. */
  scratch: string;
  /** A folder for what is kept for the next run. */
  kept: string;
  /** An executable that `deno task compile` has made. */
  executable?: string;
}

/** The kernel command line of a guest that runs shell commands; it boots sooner than without. */
export const commandLine = (commands: string) => `console=hvc0 quiet ${SOONER} run="${commands}"`;

/** Kernel and initial RAM disk of the guest. */
export const FILES = [`${GUEST}/vmlinuz`, `${GUEST}/initrd`];

const deno = (permissions: string[], script: string, args: readonly string[]) => [
  Deno.execPath(),
  "run",
  "-q",
  ...permissions,
  "--config",
  `${ROOT}/deno.json`,
  `${ROOT}/${script}`,
  ...args,
];

/** The command of vzrun, as `./dev run` has it. */
export const vzrun = (...args: string[]) => deno(["-P", V8_FLAGS], "main.ts", args);

/** The command of a program in bench/programs. */
export const program = (name: string, ...args: string[]) => deno(["-A"], `bench/programs/${name}.ts`, args);

/** The command of the native program that {@linkcode buildNative} has made. */
export const native = (kept: string, ...args: string[]) => [`${kept}/boot`, ...args];

/** The command of it that boots the same machine as {@linkcode machine}. */
export const nativeMachine = (kept: string, append: string) => native(kept, ...FILES, append, "512", "1");

/** What QEMU and vzrun are told alike. */
const common = (append: string) => [
  ...["-kernel", FILES[0], "-initrd", FILES[1], "-append", append, "-m", "512", "-smp", "1"],
];

/** Options of a machine whose serial port is standard input and output. */
export const machine = (append: string) => [...common(append), "-nographic", "-quiet"];

/** The command of QEMU alone with such a machine, and a network card on a network. */
export const qemu = (append: string, network: string) => [
  ...[`qemu-system-${Deno.build.arch}`, ...common(append), "-nodefaults", "-display", "none", "-cpu", "max"],
  ...["-machine", Deno.build.arch === "aarch64" ? "virt" : "q35", "-device", "virtio-serial-pci"],
  ...["-chardev", "stdio,id=c", "-device", "virtconsole,chardev=c"],
  ...["-device", "virtio-net-pci,netdev=n,romfile=", "-netdev", `${network},id=n`],
];

/** Milliseconds since 1970, with fractions, as a child's clock has it. */
export const now = () => performance.timeOrigin + performance.now();

/** What a command prints. @throws {Error} When it fails. */
export async function output([command, ...args]: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(command, { args, ...ENVIRONMENT, stderr: "inherit" })
    .output();
  if (!success) throw new Error(`failed: ${[command, ...args].join(" ")}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Milliseconds that a command takes, and what it prints. */
export async function timed(command: string[]): Promise<[ms: number, output: string]> {
  const from = now();
  const printed = await output(command);
  return [now() - from, printed];
}

/** The milliseconds that something takes with a start of Deno in it, without what that takes now. */
export async function beyondStart(measure: () => Promise<number>): Promise<number> {
  const [start] = await timed(program("nothing"));
  return await measure() - start;
}

/** Builds the native programs. */
export async function buildNative(kept: string): Promise<void> {
  const source = (name: string) => fromFileUrl(new URL(`native/${name}`, import.meta.url));
  const flags = async (kind: string) =>
    (await output(["make", "-s", "-C", `${ROOT}/linux`, kind])).split(" ");
  const [cflags, ldflags] = [await flags("cflags"), await flags("ldflags")];
  await output(["clang", "-O2", ...cflags, source("boot.m"), "-o", `${kept}/boot`, ...ldflags]);
  await output(["clang", "-O2", source("stamp.c"), "-o", `${kept}/stamp`]);
}

/** A figure of /proc/PID/status or of one of its threads, which are many. */
export function status(pid: number, key: string, thread?: string): number {
  const path = thread ? `/proc/${pid}/task/${thread}/status` : `/proc/${pid}/status`;
  return Number(new RegExp(`^${key}:\\s*(\\d+)`, "m").exec(Deno.readTextFileSync(path))![1]);
}
