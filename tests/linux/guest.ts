/** A real guest for tests: a machine whose console is two pipes. */

import { DispatchQueue, fromObjC } from "../../src/objc/mod.ts";
import { pipe, writeAll } from "../../src/host/descriptors.ts";
import {
  VZFileHandleSerialPortAttachment,
  VZLinuxBootLoader,
  VZVirtioConsoleDeviceSerialPortConfiguration,
  VZVirtioEntropyDeviceConfiguration,
  VZVirtioTraditionalMemoryBalloonDeviceConfiguration,
  VZVirtualMachine,
  VZVirtualMachineConfiguration,
} from "../../src/vz/mod.ts";
import { SOONER } from "../e2e/vzrun.ts";
import { guestFiles } from "./files.ts";

export { guestFiles, projectFile } from "./files.ts";

/** How long a guest may take to say something: an emulated one on a busy machine is slow. */
const LIMIT = 60_000;

/** A promise that must settle before the limit. */
export async function within<T>(what: string, promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited too long for ${what}`)), LIMIT);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The console of a guest. */
export class Guest {
  readonly loader: VZLinuxBootLoader;
  readonly configuration = VZVirtualMachineConfiguration.create();
  /** What its first port is on. */
  readonly console: VZFileHandleSerialPortAttachment;
  readonly #fromGuest = pipe();
  readonly #toGuest = pipe();
  /** What the guest has said so far. */
  output = "";
  #ended = false;
  #more = Promise.withResolvers<void>();
  readonly #reader: Promise<void>;

  /** @param run Shell commands for the guest to run. */
  constructor(run: string) {
    const { kernel, initrd } = guestFiles(Deno.build.arch);
    this.loader = VZLinuxBootLoader.create(kernel);
    this.loader.initialRamdisk = initrd;
    this.loader.commandLine = `console=hvc0 quiet ${SOONER} run="${run}"`;
    this.configuration.bootLoader = this.loader;
    this.configuration.memorySize = 256 * 1024 * 1024;
    this.configuration.cpuCount = 1;
    this.console = VZFileHandleSerialPortAttachment.create(this.#toGuest.reading, this.#fromGuest.writing);
    this.configuration.serialPorts = [VZVirtioConsoleDeviceSerialPortConfiguration.create(this.console)];
    this.configuration.entropyDevices = [VZVirtioEntropyDeviceConfiguration.create()];
    this.configuration.memoryBalloonDevices = [VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create()];
    this.#reader = this.#read();
  }

  async #read(): Promise<void> {
    const queue = DispatchQueue.create("guest's console");
    const text = new TextDecoder();
    while (!this.#ended) {
      const data = fromObjC(await queue.call(this.#fromGuest.reading, "availableData")) as Uint8Array;
      this.output += text.decode(data, { stream: true });
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
  }

  machine(): VZVirtualMachine {
    return VZVirtualMachine.create(this.configuration);
  }

  /** Waits until the guest has said something for the n-th time. */
  async said(text: string, times = 1): Promise<void> {
    await this.until(JSON.stringify(text), () => this.output.split(text).length > times);
  }

  /** Waits until what the guest has said is enough. */
  async until(what: string, isEnough: () => boolean): Promise<void> {
    const wait = async () => {
      while (!isEnough()) await this.#more.promise;
    };
    try {
      await within(what, wait());
    } catch (error) {
      throw new Error(`${(error as Error).message}; the guest said ${JSON.stringify(this.output)}`);
    }
  }

  /** Types something at the guest's console. */
  async type(text: string): Promise<void> {
    await writeAll(this.#toGuest.writing, new TextEncoder().encode(text));
  }

  /** Reads no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    // The reader waits for a byte, and our end of its pipe is still open.
    await writeAll(this.#fromGuest.writing, Uint8Array.of(0));
    await this.#reader;
  }
}
