/** One guest with a console of each kind, a disk, a share and a network, which runs commands for many probes. */

import { fileHandle } from "../../src/host/descriptors.ts";
import {
  VZDiskImageStorageDeviceAttachment,
  VZFileHandleSerialPortAttachment,
  VZFileSerialPortAttachment,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  type VZSerialPortAttachment,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZVirtioBlockDeviceConfiguration,
  VZVirtioConsoleDeviceSerialPortConfiguration,
  VZVirtioFileSystemDeviceConfiguration,
  VZVirtioNetworkDeviceConfiguration,
} from "../../src/vz/mod.ts";
import {
  close,
  isNonblocking,
  makeRaw,
  O_RDONLY,
  open,
  openPipe,
  openPty,
  type Pty,
  Reader,
  writeText,
} from "./descriptors.ts";
import type { Lab } from "./lab.ts";
import { configuration, KERNEL, Machine, wordsOf } from "./machine.ts";
import { machineProcesses } from "./processes.ts";
import { Shell } from "./shell.ts";
import { LOOP } from "./shell_loop.ts";

/** The guest's consoles beside the one that takes commands: /dev/hvc1 and so on. */
export const HVC = { null: 1, pty: 2, file: 3, readsFile: 4, readsNull: 5, readsEnd: 6 } as const;

/** What the consoles have for the guest whose input comes to an end. */
export const FILE_WORDS = "words of a file", LAST_WORDS = "last words";

/** What the file says that the guest has as a share, read-only. */
export const SHARED_WORDS = "shared words";

/** Its network card's address. */
export const MAC = "52:54:00:c4:ec:4a";

/** How an image is opened that Linux may write. */
export function image(path: string): VZDiskImageStorageDeviceAttachment {
  const options = { readOnly: false, cachingMode: "cached", synchronizationMode: "fsync" } as const;
  return VZDiskImageStorageDeviceAttachment.create(path, options);
}

/** A port on descriptors, which stay the caller's; null for none. */
function handles(reading: number | null, writing: number | null): VZSerialPortAttachment {
  const handle = (descriptor: number | null) => descriptor === null ? null : fileHandle(descriptor);
  return VZFileHandleSerialPortAttachment.create(handle(reading), handle(writing));
}

/** Whether nobody else has a file open with a lock. */
export function isFree(path: string): boolean {
  using file = Deno.openSync(path);
  return file.tryLockSync(true); // which goes with the descriptor
}

/** What of the host is in the guest's hands. */
class Host implements Disposable {
  readonly toGuest = openPipe();
  readonly fromGuest = openPipe();
  readonly console = new Reader(this.fromGuest.reading);
  readonly pty: Pty = openPty();
  readonly disk: string;
  readonly shared: string;
  /** Where the console writes that is a file. */
  readonly said: string;
  readonly #input: number;
  readonly #null = open("/dev/null", O_RDONLY);
  readonly #ended = openPipe();
  #writingClosed = false;
  /** As vzrun holds it on what it has unpacked. */
  readonly #kernel = Deno.openSync(KERNEL);

  constructor(lab: Lab) {
    this.disk = lab.disk("guest-disk");
    this.said = lab.file("guest-said");
    this.shared = lab.file("guest-share");
    Deno.mkdirSync(this.shared);
    Deno.writeTextFileSync(`${this.shared}/file`, SHARED_WORDS);
    Deno.writeTextFileSync(lab.file("guest-input"), `${FILE_WORDS}\n`);
    this.#input = open(lab.file("guest-input"), O_RDONLY);
    writeText(this.#ended.writing, `${LAST_WORDS}\n`);
    close(this.#ended.writing);
    makeRaw(this.pty.device);
    this.#kernel.lockSync(false);
  }

  configuration() {
    const made = configuration(LOOP);
    const { master } = this.pty;
    made.serialPorts = [
      handles(this.toGuest.reading, this.fromGuest.writing),
      handles(null, null),
      handles(master, master),
      VZFileSerialPortAttachment.create(this.said, false),
      handles(this.#input, null),
      handles(this.#null, null),
      handles(this.#ended.reading, null),
    ].map((attachment) => VZVirtioConsoleDeviceSerialPortConfiguration.create(attachment));
    made.storageDevices = [VZVirtioBlockDeviceConfiguration.create(image(this.disk))];
    const share = VZSingleDirectoryShare.create(VZSharedDirectory.create(this.shared, true));
    made.directorySharingDevices = [VZVirtioFileSystemDeviceConfiguration.create("share", share)];
    const card = VZVirtioNetworkDeviceConfiguration.create(VZNATNetworkDeviceAttachment.create());
    card.macAddress = VZMACAddress.create(MAC);
    made.networkDevices = [card];
    return made;
  }

  /** What the framework has got of the first console and of the pty, and whether O_NONBLOCK is set on it. */
  get flags(): string {
    const { toGuest: { reading }, fromGuest: { writing }, pty: { master } } = this;
    const flag = (descriptor: number) => isNonblocking(descriptor) ? "O_NONBLOCK" : "blocking";
    return `reading ${flag(reading)}, writing ${flag(writing)}, pty ${flag(master)}`;
  }

  /** Closes our end of what the framework writes: the pipe has its end when the framework's is closed too. */
  closeWriting(): void {
    if (!this.#writingClosed) close(this.fromGuest.writing);
    this.#writingClosed = true;
  }

  [Symbol.dispose](): void {
    const { toGuest, pty } = this;
    this.closeWriting();
    close(toGuest.reading, toGuest.writing);
    close(pty.master, pty.device, this.#input, this.#null, this.#ended.reading);
    this.#kernel.close();
  }
}

/** A guest that runs. */
export class Guest implements AsyncDisposable {
  /** Before the start: whether somebody had the disk locked. */
  readonly wasFree: boolean;
  readonly flagsBefore: string;
  /** Of the system, those that have come with it: they run the machine. */
  processes: number[] = [];
  /** Seconds from the start until it took commands. */
  bootTime = 0;
  readonly #shell: Shell;

  private constructor(readonly host: Host, readonly machine: Machine) {
    this.#shell = new Shell(() => host.console.text, (text) => writeText(host.toGuest.writing, text));
    this.flagsBefore = host.flags;
    this.wasFree = isFree(host.disk);
  }

  /** Boots one. @throws {Error} When it does not come up. */
  static async boot(lab: Lab): Promise<Guest> {
    const host = new Host(lab);
    const guest = new Guest(host, await Machine.create(host.configuration()));
    try {
      const others = new Set(await machineProcesses(lab));
      const start = performance.now();
      const error = await guest.machine.start();
      if (error) throw new Error(`the guest does not start: ${wordsOf(error)}`);
      await guest.#shell.isReady();
      guest.bootTime = (performance.now() - start) / 1000;
      guest.processes = (await machineProcesses(lab)).filter((pid) => !others.has(pid));
      return guest;
    } catch (error) {
      await guest[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What commands write, and their exit status. They must come to an end. */
  tell(commands: string, seconds?: number): Promise<{ status: number; out: string }> {
    return this.#shell.tell(commands, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    this.host[Symbol.dispose]();
  }
}
