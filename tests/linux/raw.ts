/** Machines by Apple's own names, with nothing between: what the framework does, and not what src/ makes of it. */

import {
  type Argument,
  Class,
  completion,
  DispatchQueue,
  fileURL,
  type NSObject,
  openFramework,
  type Result,
} from "../../src/objc/mod.ts";
import "../../src/host/libraries.ts"; // says where the library is
import { SOONER } from "../e2e/vzrun.ts";
import { guestFiles, projectFile } from "./files.ts";
import { within } from "./guest.ts";

export { guestFiles, projectFile };

openFramework("Virtualization");

const MiB = 1024 * 1024;
const { kernel, initrd } = guestFiles(Deno.build.arch);

/** Waits until something is so, with a limit: an emulated guest on a busy machine is slow. */
export async function until(
  what: string,
  isSo: () => unknown | Promise<unknown>,
  limit = 60_000,
): Promise<void> {
  const start = performance.now();
  while (!(await isSo())) {
    if (performance.now() - start > limit) throw new Error(`waited too long for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The values of VZVirtualMachineState that tests meet. */
export const State = { stopped: 0n, running: 1n, paused: 2n, error: 3n } as const;

/** An error and its causes, outermost first: domain, code, reason. */
export function causes(error: NSObject | null): [domain: string, code: number, reason: string][] {
  if (!error) return [];
  const info = error.send("userInfo") as NSObject;
  const under = info.send("objectForKey:", "NSUnderlyingError") as NSObject | null;
  const reason = String(error.send("localizedFailureReason"));
  return [[String(error.send("domain")), Number(error.send("code")), reason], ...causes(under)];
}

/** A boot loader for a kernel. */
export function linuxBootLoader(kernelPath = kernel, run?: string): NSObject {
  const loader = Class.named("VZLinuxBootLoader").create("initWithKernelURL:", fileURL(kernelPath));
  if (run === undefined) return loader;
  loader.send("setInitialRamdiskURL:", fileURL(initrd));
  loader.send("setCommandLine:", `console=hvc0 quiet ${SOONER} run="${run}"`);
  return loader;
}

/** A configuration that is valid. @param run Shell commands for the guest to run; without them it panics. */
export function configuration(run?: string): NSObject {
  const configuration = Class.named("VZVirtualMachineConfiguration").create();
  configuration.send("setBootLoader:", linuxBootLoader(kernel, run));
  configuration.send("setMemorySize:", 256 * MiB);
  return configuration;
}

/** A serial port. */
export function serialPort(attachment: NSObject | null): NSObject {
  const port = Class.named("VZVirtioConsoleDeviceSerialPortConfiguration").create();
  port.send("setAttachment:", attachment);
  return port;
}

/** A serial port on descriptors, which stay the caller's; -1 for none. */
export function descriptorPort(reading: number, writing: number): NSObject {
  const handle = (descriptor: number): Argument =>
    descriptor < 0 ? null : Class.named("NSFileHandle").create("initWithFileDescriptor:", descriptor);
  return serialPort(
    Class.named("VZFileHandleSerialPortAttachment").create(
      "initWithFileHandleForReading:fileHandleForWriting:",
      handle(reading),
      handle(writing),
    ),
  );
}

/** A serial port that writes a file anew. */
export function filePort(path: string): NSObject {
  return serialPort(
    Class.named("VZFileSerialPortAttachment").create("initWithURL:append:error:", fileURL(path), false),
  );
}

/** A disk image's attachment. */
export function image(path: string, readOnly = false): NSObject {
  return Class.named("VZDiskImageStorageDeviceAttachment").create(
    "initWithURL:readOnly:error:",
    fileURL(path),
    readOnly,
  );
}

/** Virtio disks of images. */
export function disks(...attachments: NSObject[]): NSObject[] {
  return attachments.map((attachment) =>
    Class.named("VZVirtioBlockDeviceConfiguration").create("initWithAttachment:", attachment)
  );
}

/** A virtual machine on a queue of its own. */
export class Machine implements AsyncDisposable {
  readonly queue = DispatchQueue.create("raw machine");
  readonly object: NSObject;

  constructor(configuration: NSObject) {
    this.object = Class.named("VZVirtualMachine").create(
      "initWithConfiguration:queue:",
      configuration,
      this.queue,
    );
  }

  call(selector: string, ...args: Argument[]): Promise<Result> {
    return this.queue.call(this.object, selector, ...args);
  }

  state(): Promise<Result> {
    return this.call("state");
  }

  /** Sends a message with a completion handler, and gives its error and that one's causes; none is success. */
  async complete(selector: string): Promise<ReturnType<typeof causes>> {
    const { block, called } = completion("v@?@");
    await this.call(selector, block);
    const [error] = await within(`the handler of ${selector}`, called);
    return causes(error as NSObject | null);
  }

  start(): Promise<ReturnType<typeof causes>> {
    return this.complete("startWithCompletionHandler:");
  }

  /** Waits until it has stopped, whatever it was that did. */
  async ended(limit?: number): Promise<void> {
    const over: unknown[] = [State.stopped, State.error];
    await until("the machine's end", async () => over.includes(await this.state()), limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.object.respondsTo("canStop")) return; // on macOS 11, where a machine ends when it is collected
    if (await this.call("canStop")) await this.complete("stopWithCompletionHandler:");
  }
}
