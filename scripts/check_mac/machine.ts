/** Machines by Apple's own names: what the framework does, and not what src/ makes of it. */

import { join } from "@std/path/posix/join";
import {
  type Argument,
  Class,
  completion,
  defineClass,
  type DefinedClass,
  DispatchQueue,
  fromObjC,
  NSError,
  type NSObject,
  openFramework,
  type Result,
} from "../../src/objc/mod.ts";
import {
  VZBootLoader,
  VZLinuxBootLoader,
  VZVirtioEntropyDeviceConfiguration,
  VZVirtualMachineConfiguration,
} from "../../src/vz/mod.ts";
import { until } from "./probe.ts";

const MiB = 1024 * 1024;

/** The folder of the repository. */
export const ROOT = join(import.meta.dirname!, "../..");

const GUEST = join(ROOT, "build/guest", Deno.build.arch);

/** The guest that ./dev builds. */
export const KERNEL = `${GUEST}/vmlinuz`, INITRD = `${GUEST}/initrd`;

/** For a command line: no kernel's messages, and no tests of ciphers, which take an emulated guest a second. */
const QUIET = "console=hvc0 quiet cryptomgr.notests init_on_alloc=0";

/** A kernel command line of the guest. @param run Shell commands without quotation marks. */
export function commandLine(run: string): string {
  return `${QUIET} run="${run}"`;
}

/** A configuration that is valid. @param run What the guest does. */
export function configuration(run = "read -r forever"): VZVirtualMachineConfiguration {
  const loader = VZLinuxBootLoader.create(KERNEL);
  loader.initialRamdisk = INITRD;
  loader.commandLine = commandLine(run);
  return configurationOf(loader);
}

/** A configuration with a boot loader. */
export function configurationOf(loader: VZBootLoader): VZVirtualMachineConfiguration {
  const made = VZVirtualMachineConfiguration.create();
  made.bootLoader = loader;
  made.memorySize = 512 * MiB;
  made.cpuCount = 1;
  made.entropyDevices = [VZVirtioEntropyDeviceConfiguration.create()];
  return made;
}

/** A class of Virtualization by its name, also where src/vz has sent nothing yet. @throws {Error} When there is none. */
export function classNamed(name: string): Class {
  openFramework("Virtualization");
  return Class.named(name);
}

/** An error and its causes, in one line: domain, code and words of each. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof NSError)) return String(error);
  const { domain, code, message, reason, cause } = error;
  const words = reason && !message.includes(reason) ? `${message} ${reason}` : message;
  return `${domain} ${code} “${words}”${cause ? ` < ${wordsOf(cause)}` : ""}`;
}

/** With what a configuration is refused; nothing when it is valid. */
export function refusal(made: VZVirtualMachineConfiguration): NSError | undefined {
  try {
    made.validate();
    return undefined;
  } catch (error) {
    if (error instanceof NSError) return error;
    throw error;
  }
}

/** VZVirtualMachineState, by value. */
const STATES = "stopped running paused error starting pausing resuming stopping saving restoring".split(" ");

const NSKeyValueObservingOptionNew = 1;

let delegates: DefinedClass<Machine> | undefined;

function delegateClass(): DefinedClass<Machine> {
  return delegates ??= defineClass<Machine>("VZRunCheckMacDelegate", {
    "guestDidStopVirtualMachine:": {
      types: "v@:@",
      implementation: (machine) => machine.told.push("guestDidStopVirtualMachine:"),
    },
    "virtualMachine:didStopWithError:": {
      types: "v@:@@",
      implementation: (machine, _, error) => {
        const words = wordsOf(NSError.from(error as NSObject));
        machine.told.push(`virtualMachine:didStopWithError: ${words}`);
      },
    },
    "observeValueForKeyPath:ofObject:change:context:": {
      types: "v@:@@@^v",
      implementation: (machine, _path, _object, change) => {
        const value = (fromObjC(change) as Map<string, unknown>).get("new");
        machine.observed.push(STATES[Number(value)]);
      },
    },
  });
}

/** A virtual machine on a queue of its own, stopped at the end of the block. */
export class Machine implements AsyncDisposable {
  /** Calls of the delegate, in their order. */
  readonly told: string[] = [];
  /** Values of `state`, as key-value observing told them. */
  readonly observed: string[] = [];
  readonly #queue = DispatchQueue.create("vzrun.check-mac");
  readonly #object: NSObject;
  readonly #delegate: NSObject;

  private constructor(made: VZVirtualMachineConfiguration) {
    this.#object = Class.named("VZVirtualMachine").create(
      "initWithConfiguration:queue:",
      made,
      this.#queue,
    );
    this.#delegate = delegateClass().create(this);
  }

  static async create(made: VZVirtualMachineConfiguration): Promise<Machine> {
    const machine = new Machine(made);
    await machine.call("setDelegate:", machine.#delegate);
    const observe = "addObserver:forKeyPath:options:context:";
    await machine.call(observe, machine.#delegate, "state", NSKeyValueObservingOptionNew, null);
    delegateClass().ref();
    return machine;
  }

  respondsTo(selector: string): boolean {
    return this.#object.respondsTo(selector);
  }

  call(selector: string, ...args: Argument[]): Promise<Result> {
    return this.callTo(this.#object, selector, ...args);
  }

  /** Sends a message to a device of its. */
  callTo(device: NSObject, selector: string, ...args: Argument[]): Promise<Result> {
    return this.#queue.call(device, selector, ...args);
  }

  async state(): Promise<string> {
    return STATES[Number(await this.call("state"))];
  }

  /** Sends a message with a completion handler. @returns The error that this gets. */
  complete(selector: string): Promise<NSError | undefined> {
    return this.completeTo(this.#object, selector);
  }

  /** The same to a device of its. */
  async completeTo(device: NSObject, selector: string, ...args: Argument[]): Promise<NSError | undefined> {
    const { block, called } = completion("v@?@");
    await this.callTo(device, selector, ...args, block);
    const [error] = await called;
    return error ? NSError.from(error as NSObject) : undefined;
  }

  start(): Promise<NSError | undefined> {
    return this.complete("startWithCompletionHandler:");
  }

  stop(): Promise<NSError | undefined> {
    return this.complete("stopWithCompletionHandler:");
  }

  /** Waits for its end. @returns Whether that came, in time. */
  ended(seconds: number): Promise<boolean> {
    return until(async () => ["stopped", "error"].includes(await this.state()), seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.respondsTo("canStop") && await this.call("canStop")) await this.stop();
    await this.call("removeObserver:forKeyPath:", this.#delegate, "state");
    delegateClass().unref();
  }
}
