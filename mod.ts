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
import { checkMachine } from "./src/machine/check.ts";
import type { EFIBoot, LinuxBoot, Machine, Serial } from "./src/machine/machine.ts";
import { closeFile, pipe, readSome, writeAll } from "./src/objc/mod.ts";
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
  /** What the guest writes. A guest whose console nobody reads waits when 64 KiB have come together. */
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What is typed at it. */
  writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** A Linux virtual machine, ended at the end of the block that has made it with `await using`. */
export class VirtualMachine implements AsyncDisposable {
  /** The guest's console hvc0. */
  readonly console: Console;
  /** How the run ended: the guest powered off, {@linkcode stop} was called, or it failed. */
  readonly stopped: Promise<Stop>;
  readonly #machine: Machinery;
  readonly #ended = Promise.withResolvers<Stop>();
  readonly #atEnd: AsyncDisposableStack;
  #running = false;

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
    const [toGuest, fromGuest] = [pipe(), pipe()];
    using made = new DisposableStack();
    const handles = [{ reading: toGuest.reading, writing: fromGuest.writing }];
    const variables = boot.from === "efi" ? boot.variables : undefined;
    const machinery = Machinery.create(configure(machine, handles, variables, made));
    made.move(); // from here on the files are the machine's
    resources.defer(() => closeFile(fromGuest.writing)); // so that who reads comes to an end
    const console: Console = {
      readable: new ReadableStream({
        async pull(controller) {
          const bytes = await readSome(fromGuest.reading, new Uint8Array(65536));
          if (bytes) controller.enqueue(bytes);
          else controller.close();
        },
      }, { highWaterMark: 0 }),
      writable: new WritableStream({
        async write(bytes) {
          if (!await writeAll(toGuest.writing, bytes)) throw new Error("The machine has ended");
        },
      }),
    };
    return new VirtualMachine(machinery, console, resources.move());
  }

  /**
   * Starts it, once, and settles when the guest's processors run.
   *
   * @throws {NSError} When it cannot.
   */
  async start(): Promise<void> {
    await this.#machine.start();
    this.#running = true;
    this.#machine.stopped.then(async (stop) => {
      this.#running = false;
      await this.#atEnd.disposeAsync();
      this.#ended.resolve(stop);
    });
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

  /** Ends it, if it runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running) await this.stop();
    await this.#atEnd.disposeAsync();
  }
}
