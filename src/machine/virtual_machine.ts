/** The running machine: the one object that the command line, a window, control sockets and programs command. */

import type { Operation, State, VZVirtualMachine } from "../vz/mod.ts";
import type { AddressSources } from "../host/dhcp_leases.ts";
import type { NSError } from "../objc/mod.ts";
import { assemble, assembleSaved, type Parts } from "./assemble.ts";
import { MachineError, NothingToBootError } from "./error.ts";
import { waitForLocks } from "./file_locks.ts";
import type { AttachedDisk, HotPlug, PluggableDisk } from "./hot_plug.ts";
import type { Description, Machine } from "./machine.ts";
import type { Place, Reach } from "./port_forward.ts";
import type { PartialDescription } from "./restore.ts";
import { type RunContext, silentContext } from "./run_context.ts";
import type { SavedMachine } from "./saved_machine.ts";
import { type Console, type ConsoleStreams, wroteNothing } from "./serial.ts";
import type { VsockPorts } from "./vsock_device.ts";

/** How a run ended: the guest powered off, `stop()` was called, or it failed. */
export type Stop =
  | { kind: "guest" }
  | { kind: "stop" }
  | { kind: "error"; error: NSError | MachineError | NothingToBootError };

/** How soon firmware that finds nothing to boot stops the machine, and hardly a guest, in milliseconds. */
const SOON = 20_000;

/** Loaded for the first client of a forwarded port. */
async function reachGuest(...place: Parameters<Reach>): Promise<Place> {
  return await (await import("../host/guest_reach.ts")).reachGuest(...place);
}

/** The framework's machine, for a view of its screen. */
export let frameworkOf: (machine: VirtualMachine) => VZVirtualMachine;

/** A Linux virtual machine, ended at the end of the block that has made it with `await using`. */
export class VirtualMachine implements AsyncDisposable {
  /** What it is, with the files that it uses in the place of those that were given. */
  readonly machine: Machine;
  /** hvc0, hvc1 … */
  readonly consoles: readonly Console[];
  /**
   * How the run ended: the guest powered off, {@linkcode stop} was called or the block left, or it failed, perhaps
   * to start. Settles when all that it held is given back.
   */
  readonly stopped: Promise<Stop>;
  static {
    frameworkOf = (machine) => machine.#framework;
  }

  readonly #framework: VZVirtualMachine;
  readonly #ended = Promise.withResolvers<Stop>();
  readonly #cleanup: AsyncDisposableStack;
  readonly #parts: Parts;
  /** Settles when what changes its state now is done. */
  #changing: Promise<unknown> = Promise.resolve();
  #isSaved = false;
  readonly #ready?: Promise<void>;
  #hotPlug?: HotPlug;
  #started?: Promise<void>;
  #startedAt = 0;
  #asked = false;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#framework = parts.framework;
    this.#cleanup = parts.cleanup;
    this.machine = parts.prepared.machine;
    this.consoles = parts.serial.map(({ console }) => console);
    this.stopped = this.#ended.promise;
    this.#ready = parts.vsock?.ready && this.#unlessEnded(parts.vsock.ready);
    this.#ready?.catch(() => {}); // nobody has to ask
  }

  /**
   * Makes a machine. Kernels are unpacked, disks that are missing and have a `size` are made, and everything is
   * checked. What is not said is as {@linkcode Description} has it: 4 GiB of memory and 4 processors, or less on a
   * small host, the console hvc0 as streams, and a network card on NAT.
   *
   * @param context What hears of it, and ends it; by default nobody.
   * @throws {MachineError} When a file or a number does not fit; in a worker.
   * @throws {NSError} When the framework refuses the machine; also when the program lacks the entitlement.
   */
  static async create(description: Description, context: Partial<RunContext> = {}): Promise<VirtualMachine> {
    return VirtualMachine.#of(await assemble(description, { ...silentContext(), ...context }));
  }

  /**
   * Makes a machine that goes on where {@linkcode save} has left one, when it is started. What the description does not
   * say is as it was saved; what it says must be the same, but for what only the host sees: where consoles and ports
   * lead, and the kernel. With `snapshot` of its disks, several can go on from one state, each with clones. macOS 14.
   *
   * @param path The folder into which it was saved, on this computer.
   * @throws {MachineError} When something differs, a disk is gone or was written since; and as {@linkcode create} does.
   *
   * @example
   * ```ts ignore
   * await using machine = await VirtualMachine.restore("saved");
   * await machine.start();
   * ```
   */
  static async restore(
    path: string,
    description: PartialDescription = {},
    context: Partial<RunContext> = {},
  ): Promise<VirtualMachine> {
    return VirtualMachine.#of(await assembleSaved(path, description, { ...silentContext(), ...context }));
  }

  static #of(parts: Parts): VirtualMachine {
    const machine = new VirtualMachine(parts);
    for (const [card, network] of parts.prepared.networks.entries()) {
      network?.listeners?.serve(() => machine.#reach(card), reachGuest, parts.context);
    }
    return machine;
  }

  /**
   * The first of its consoles that is streams: hvc0, unless the description says otherwise.
   *
   * @throws {TypeError} When none is.
   */
  get console(): ConsoleStreams {
    const console = this.consoles.find((console) => console.kind === "stream");
    if (console) return console;
    throw new TypeError("None of the machine's consoles is streams");
  }

  /**
   * Its sockets, by which a program talks with the guest without a network.
   *
   * @throws {TypeError} When it has no device for them.
   */
  get vsock(): VsockPorts {
    const { vsock } = this.#parts;
    if (vsock) return vsock.device;
    throw new TypeError("The machine has no socket device: its description has no vsock");
  }

  /**
   * Settles when systemd in the guest says that it is ready, and fails when the machine ends before.
   *
   * @throws {TypeError} When it was not asked to.
   */
  get ready(): Promise<void> {
    if (this.#ready) return this.#ready;
    throw new TypeError("Nobody asks the guest when it is ready: its description has no vsock.ready");
  }

  /**
   * Starts it, or lets a saved one go on, once, and settles when the guest's processors run.
   *
   * @throws {MachineError} When another machine or program keeps one of its files locked for 3 s.
   * @throws {NSError} When it cannot.
   * @throws {Error} When it was started before, or has ended.
   */
  async start(): Promise<void> {
    if (this.#cleanup.disposed) throw new Error("The machine has ended: make another one to start");
    if (this.#started) throw new Error("The machine was started before: it starts only once");
    this.#started = this.#start();
    await this.#started;
  }

  async #start(): Promise<void> {
    try {
      await waitForLocks(this.machine);
      if (this.#cleanup.disposed) throw new MachineError("the machine was ended before it was started");
    } catch (error) {
      if (error instanceof MachineError) await this.#end({ kind: "error", error });
      throw error;
    }
    const started = this.#parts.saved ? this.#restore(this.#parts.saved) : this.#framework.start();
    const named = async <E>(error: E) =>
      (await import("./block_device.ts")).namingServers(error, this.machine);
    this.#framework.stopped.then(async (stop) =>
      await this.#end(stop.kind === "error" ? { ...stop, error: await named(stop.error) } : stop)
    );
    await started.catch(async (error) => {
      throw await named(error);
    });
    this.#startedAt = performance.now();
  }

  async #restore(saved: SavedMachine): Promise<void> {
    try {
      await this.#framework.restore(`${saved.path}/${saved.state.file}`);
    } finally {
      saved[Symbol.dispose](); // its folder is free for another machine
    }
    await this.#framework.resume();
  }

  /**
   * Saves it, while it is paused, for {@linkcode restore}. It stays paused and can go on; then what was saved is of no
   * use any more as soon as the guest writes to a disk. What the folder had before is there until all is saved.
   * macOS 14.
   *
   * @param path A folder, which is made when it is not there, and is then for the user alone: all that the guest has in
   * its memory is in it.
   * @throws {MachineError} When it is not paused, has something that cannot be saved, or the folder cannot be used.
   * @throws {NSError} When it cannot be written, and on a Mac when the screen is locked.
   */
  save(path: string): Promise<void> {
    return this.#change(async () => {
      const { checkSavable, saveMachine } = await import("./save.ts");
      const state = await this.#framework.state();
      if (state !== "paused") {
        throw new MachineError(`the machine is ${state}: only one that is paused is saved`);
      }
      const { configuration, prepared } = this.#parts;
      checkSavable(configuration, prepared.described, this.attached);
      await saveMachine(path, prepared, (file) => this.#framework.save(file));
      this.#isSaved = true;
    });
  }

  /**
   * Whether it stands still as it was saved last, when what is being done with it now is done. To let it go on then would
   * make what was saved worthless.
   */
  async isSaved(): Promise<boolean> {
    await this.#changing;
    return this.#isSaved;
  }

  /** Does what changes the state when what was begun before is done: the framework refuses it in between. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(change);
    this.#changing = done.catch(() => {});
    return done;
  }

  /**
   * Presses the guest's power button: it may stop, or not.
   *
   * @throws {NSError} When the machine does not run.
   */
  requestStop(): Promise<void> {
    this.#asked = true;
    return this.#framework.requestStop();
  }

  /**
   * Ends it at once, as pulling the plug does; when it is being saved, after that. macOS 12.
   *
   * @throws {NSError} When it does not run.
   */
  stop(): Promise<void> {
    return this.#change(() => this.#framework.stop());
  }

  /**
   * Halts its processors.
   *
   * @throws {NSError} When it does not run.
   */
  pause(): Promise<void> {
    return this.#change(() => this.#framework.pause());
  }

  /**
   * Lets its processors go on.
   *
   * @throws {NSError} When it is not paused.
   */
  resume(): Promise<void> {
    return this.#change(async () => {
      this.#isSaved = false;
      await this.#framework.resume();
    });
  }

  /** Its state now; see also {@linkcode watchState}. */
  state(): Promise<State> {
    return this.#framework.state();
  }

  /** Calls a function with each new state from now on, as it happens. */
  watchState(onChange: (state: State) => void): Promise<void> {
    return this.#framework.watchState(onChange);
  }

  /** Which operations its state allows now. */
  operations(): Promise<Record<Operation, boolean>> {
    return this.#framework.operations();
  }

  /**
   * Attaches a disk on USB to the machine while it runs, as a stick is plugged in. At the machine's end it is given back
   * as its other disks are. macOS 15.
   *
   * @param disk As in a description; it is made ready in the same way.
   * @throws {MachineError} When the machine does not run or has no USB controller, or the disk is not fit; on an older
   * macOS.
   */
  async attach(disk: PluggableDisk): Promise<AttachedDisk> {
    if (this.#cleanup.disposed) throw new MachineError("the machine has ended");
    const { HotPlug } = await import("./hot_plug.ts");
    this.#hotPlug ??= this.#cleanup.use(new HotPlug(this.machine, this.#framework, this.#parts.context));
    return await this.#hotPlug.attach(disk);
  }

  /** The disks that have come so and are there. */
  get attached(): readonly AttachedDisk[] {
    return [...this.#hotPlug?.attached ?? []];
  }

  /** The guest's memory as it was last asked for, in bytes; see {@linkcode setMemoryTarget}. */
  async memoryTarget(): Promise<number> {
    return await (await import("./balloon.ts")).memoryTarget(this.#framework);
  }

  /**
   * Asks the guest to have no more memory than that, in bytes: it gives the rest back to the host when it can, and gets
   * it again with the next larger target.
   *
   * @throws {MachineError} When it is no whole number of MiB, more than the machine has or less than one can have; when
   * the machine does not run.
   */
  async setMemoryTarget(bytes: number): Promise<void> {
    await (await import("./balloon.ts")).setMemoryTarget(this.#framework, this.machine.memory, bytes);
  }

  /**
   * The guest's address on a network: that which the host's DHCP server has leased to its card, or under which the host
   * has heard it.
   *
   * @param card The card's number, from 0.
   * @throws {Error} When the machine ends before, or has no such card.
   */
  async address(card = 0): Promise<string> {
    const mac = this.machine.network[card]?.mac;
    if (mac === undefined) throw new Error(`The machine has no network card ${card}`);
    const { watchAddress } = await import("../host/dhcp_leases.ts");
    const known = Promise.withResolvers<string>();
    using _watch = watchAddress(mac, known.resolve, await this.#sources(card));
    return await this.#unlessEnded(known.promise);
  }

  async #unlessEnded<T>(promise: Promise<T>): Promise<T> {
    const ended = this.stopped.then(() => {
      throw new Error("The machine has ended");
    });
    return await Promise.race([promise, ended]);
  }

  /** On a network of its own, a machine has none of the addresses that its card had on another. */
  async #sources(card: number): Promise<AddressSources> {
    const addresses = this.#parts.prepared.networks[card]?.addresses;
    if (!addresses) return {};
    const { isOn } = await import("./subnet.ts");
    return { accept: (address) => isOn(addresses, address) };
  }

  /** Where a forwarded port leads: a guest may have taken another address than the one that is meant for it. */
  async #reach(card: number): Promise<string> {
    const { addressOf } = await import("../host/dhcp_leases.ts");
    const now = addressOf(this.machine.network[card].mac!, await this.#sources(card));
    return now ?? this.#parts.prepared.networks[card]?.addresses?.guest ?? await this.address(card);
  }

  async #end(stop: Stop): Promise<void> {
    const isSoon = performance.now() - this.#startedAt < SOON && !this.#parts.saved;
    await this.release(); // which takes the last of what the guest has written
    // Firmware that finds nothing to boot powers the machine off, as a guest does that has booted.
    const isFirmwares = stop.kind === "guest" && this.machine.boot.kind === "efi" && isSoon && !this.#asked;
    const foundNothing = isFirmwares && wroteNothing(this.#parts.serial);
    this.#ended.resolve(foundNothing ? { kind: "error", error: new NothingToBootError() } : stop);
  }

  /**
   * Gives back what it holds of the host, without ending it: for a program that ends, and the machine with it, while
   * a start does not come to its end.
   */
  async release(): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  /** Ends it, if it runs or starts. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#started) return await this.#end({ kind: "stop" });
    const runs = await this.#started.then(() => true, () => false);
    if (runs && !this.#cleanup.disposed) await this.#stopUnlessEnding();
    await this.stopped;
  }

  async #stopUnlessEnding(): Promise<void> {
    try {
      await this.stop();
    } catch (error) {
      if (!["stopping", "stopped", "error"].includes(await this.state())) throw error;
    }
  }
}
