/**
 * vzrun as a library: Linux virtual machines with Apple's Virtualization framework. A machine is described by plain
 * data, the same that `vzrun -dry-run` prints, and is then an object with promises and streams.
 *
 * It needs Deno's permissions `ffi`, `read` and `write`, and `env` for HOME and XDG_CACHE_HOME. On a Mac, the program
 * has to be signed with the entitlement `com.apple.security.virtualization`.
 *
 * @example
 * ```ts
 * import { VirtualMachine } from "vzrun";
 *
 * await using machine = await VirtualMachine.create({
 *   boot: { from: "linux", kernel: "vmlinuz", initrd: "initrd.gz", commandLine: "console=hvc0" },
 *   memory: 512 * 1024 * 1024,
 * });
 * await machine.start();
 * await machine.console.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
 * console.log(await machine.stopped);
 * ```
 * @module
 */

import { openFiles } from "./src/cli/files.ts";
import { makeIdentity } from "./src/cli/identity.ts";
import { setVerbosity } from "./src/cli/report.ts";
import { openStreamConsole } from "./src/cli/stream_console.ts";
import { checkMachine } from "./src/machine/check.ts";
import type { EFIBoot, LinuxBoot, Machine, Serial } from "./src/machine/machine.ts";
import {
  configure,
  type Stop,
  VirtualMachine as Machinery,
  VirtualMachineConfiguration,
} from "./src/vz/mod.ts";

export type {
  Cache,
  Disk,
  DiskFormat,
  Display,
  EFIBoot,
  LinuxBoot,
  Machine,
  Network,
  Serial,
  Share,
} from "./src/machine/machine.ts";
export { MachineError } from "./src/machine/error.ts";
export { NSError } from "./src/objc/mod.ts";
export type { Stop } from "./src/vz/mod.ts";

setVerbosity("quiet"); // what a library has to say it throws

const MiB = 1024 * 1024;

/** What a machine is to be. Only what it boots must be said. */
export interface Description extends Partial<Omit<Machine, "boot" | "serial" | "display">> {
  /** With EFI the file of the firmware's variables has to be named. */
  boot: LinuxBoot | EFIBoot & { variables: string };
  /** Consoles after hvc0, which is {@linkcode VirtualMachine.console}. */
  serial?: Extract<Serial, { to: "file" | "null" }>[];
}

/** The guest's console hvc0, from the machine's start to its end. */
export interface Console {
  /**
   * What the guest writes. A guest whose console nobody reads waits when 64 KiB have come together; of one that was
   * cancelled, the rest is thrown away.
   */
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What is typed at it. A write fails when the machine has ended. */
  writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** A Linux virtual machine, ended at the end of the block that has made it with `await using`. */
export class VirtualMachine implements AsyncDisposable {
  /** The guest's console hvc0. */
  readonly console: Console;
  /**
   * How the run ended: the guest powered off, {@linkcode stop} was called or the block left, or it failed, perhaps
   * to start.
   */
  readonly stopped: Promise<Stop>;
  readonly #machine: Machinery;
  readonly #ended = Promise.withResolvers<Stop>();
  readonly #atEnd: AsyncDisposableStack;
  #started?: Promise<void>;

  private constructor(machine: Machinery, console: Console, atEnd: AsyncDisposableStack) {
    this.#machine = machine;
    this.console = console;
    this.stopped = this.#ended.promise;
    this.#atEnd = atEnd;
  }

  /**
   * Makes a machine. Kernels are unpacked, disks that are missing and have a `size` are made, and everything is
   * checked. The defaults are 512 MiB of memory, one processor, and one network card on NAT.
   *
   * @throws {MachineError} When a file or a number does not fit.
   * @throws {NSError} When the framework refuses the machine; also when the program lacks the entitlement.
   */
  static async create(description: Description): Promise<VirtualMachine> {
    const { boot, serial = [], ...rest } = description;
    const limits = VirtualMachineConfiguration.limits();
    const described: Machine = {
      memory: Math.min(512 * MiB, limits.memory.maximum),
      processors: 1,
      disks: [],
      shares: [],
      network: [{ attachment: "nat" }],
      ...rest,
      boot,
      serial: [{ to: "stdio" }, ...serial],
    };
    checkMachine(described, limits);
    await using resources = new AsyncDisposableStack();
    const { signal } = new AbortController();
    const machine = await openFiles(described, { dryRun: false, signal, resources });
    if (machine.machineId !== undefined) await makeIdentity(machine.machineId);
    const console = resources.use(openStreamConsole());
    using made = new DisposableStack();
    const variables = boot.from === "efi" ? boot.variables : undefined;
    const machinery = Machinery.create(configure(machine, [console], variables, made));
    made.move(); // from here on the files are the machine's
    return new VirtualMachine(machinery, console, resources.move());
  }

  /**
   * Starts it, once, and settles when the guest's processors run.
   *
   * @throws {NSError} When it cannot.
   * @throws {Error} When it was started before, or is disposed of.
   */
  async start(): Promise<void> {
    if (this.#atEnd.disposed) throw new Error("The machine has ended: make another one to start");
    if (this.#started) throw new Error("The machine was started before: it starts only once");
    this.#started = this.#machine.start();
    this.#machine.stopped.then((stop) => this.#end(stop));
    await this.#started;
  }

  /**
   * Presses the guest's power button: it may stop, or not.
   *
   * @throws {NSError} When the machine does not run.
   */
  requestStop(): Promise<void> {
    return this.#machine.requestStop();
  }

  /**
   * Ends it at once, as pulling the plug does. macOS 12.
   *
   * @throws {NSError} When it does not run.
   */
  stop(): Promise<void> {
    return this.#machine.stop();
  }

  /**
   * Halts its processors.
   *
   * @throws {NSError} When it does not run.
   */
  pause(): Promise<void> {
    return this.#machine.pause();
  }

  /**
   * Lets its processors go on.
   *
   * @throws {NSError} When it is not paused.
   */
  resume(): Promise<void> {
    return this.#machine.resume();
  }

  async #end(stop: Stop): Promise<void> {
    await this.#atEnd.disposeAsync();
    this.#ended.resolve(stop);
  }

  /** Ends it, if it runs or starts. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#started) return await this.#end({ by: "stop" });
    const runs = await this.#started.then(() => true, () => false);
    if (runs && !this.#atEnd.disposed) await this.#stopUnlessEnding();
    await this.stopped;
  }

  async #stopUnlessEnding(): Promise<void> {
    try {
      await this.stop();
    } catch (error) {
      if (!["stopping", "stopped", "error"].includes(await this.#machine.state())) throw error;
    }
  }
}
