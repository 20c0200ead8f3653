import {
  defineClass,
  type DefinedClass,
  DispatchQueue,
  elements,
  fileURL,
  fromObjC,
  NSError,
  type NSObject,
  same,
} from "../objc/mod.ts";
import type { VZVirtualMachineConfiguration } from "./configuration.ts";
import { VZGraphicsDevice, type VZGraphicsDisplay } from "./graphics.ts";
import { VZVirtioTraditionalMemoryBalloonDevice } from "./memory_balloon.ts";
import { VZNetworkDevice } from "./network.ts";
import { QueueObject } from "./queue_object.ts";
import { VZVirtioSocketDevice } from "./socket_device.ts";
import { VZUSBController } from "./usb.ts";
import { VZClass } from "./vz_object.ts";

/** VZVirtualMachineState, by value. */
const STATES: readonly State[] =
  "stopped running paused error starting pausing resuming stopping saving restoring".split(" ") as State[];

/** The state of a virtual machine. */
export type State =
  | "stopped"
  | "running"
  | "paused"
  | "error"
  | "starting"
  | "pausing"
  | "resuming"
  | "stopping"
  | "saving"
  | "restoring";

/** What can be done with a machine in one state and not in another. */
export type Operation = "requestStop" | "stop" | "pause" | "resume";

/** How a run of a machine ended: the guest powered off, `stop()` was called, or it failed. */
export type Stop = { kind: "guest" } | { kind: "stop" } | { kind: "error"; error: NSError };

const NSKeyValueObservingOptionNew = 1;

let delegates: DefinedClass<VZVirtualMachine> | undefined;

/** Keeps running machines from garbage collection. */
const running = new Set<VZVirtualMachine>();

/**
 * A virtual machine on a queue of its own. Nothing here waits for that queue: every method is a promise, and
 * what the machine has to say arrives on the event loop. macOS 11.
 *
 * @example
 * ```ts ignore
 * const machine = VZVirtualMachine.create(configuration);
 * await machine.start();
 * const stop = await machine.stopped;
 * ```
 */
export class VZVirtualMachine extends QueueObject<"VZVirtualMachine"> {
  static override readonly api = new VZClass("VZVirtualMachine", "Virtualization", {
    "stopWithCompletionHandler:": "Stopping a guest by force",
    "graphicsDevices": "A screen of another size",
    "networkDevices": "A network that is plugged in again",
    "usbControllers": "A USB disk that comes and goes",
    "saveMachineStateToURL:completionHandler:": "Saving a machine",
    "restoreMachineStateFromURL:completionHandler:": "Restoring a machine",
    "canStop": "Stopping a guest by force",
  });

  readonly #delegate: NSObject;
  #run = Promise.withResolvers<Stop>();

  readonly #watchers: ((state: State) => void)[] = [];

  /** Told when a card has lost its network, with the card's number and the reason: it has no attachment then. macOS 12. */
  onNetworkLost?: (device: VZNetworkDevice, card: number, error: NSError) => void;

  /** Settles when the delegate is set; the queue is serial, so a start comes after it in any case. */
  readonly #ready: Promise<void>;

  private constructor(configuration: VZVirtualMachineConfiguration) {
    const queue = DispatchQueue.create("vzrun.virtual-machine");
    super(queue, VZVirtualMachine.api.create("initWithConfiguration:queue:", configuration, queue));
    delegates ??= VZVirtualMachine.#defineDelegate();
    this.#delegate = delegates.create(this);
    this.#ready = this.call("setDelegate:", this.#delegate);
  }

  /** Makes a machine. The configuration is copied: changing it later has no effect. */
  static create(configuration: VZVirtualMachineConfiguration): VZVirtualMachine {
    return new VZVirtualMachine(configuration);
  }

  static #defineDelegate(): DefinedClass<VZVirtualMachine> {
    return defineClass<VZVirtualMachine>("VZRunVirtualMachineDelegate", {
      "guestDidStopVirtualMachine:": {
        types: "v@:@",
        implementation: (machine) => machine.#ended({ kind: "guest" }),
      },
      "virtualMachine:didStopWithError:": {
        types: "v@:@@",
        implementation: (machine, _, error) =>
          machine.#ended({ kind: "error", error: NSError.from(error as NSObject) }),
      },
      "virtualMachine:networkDevice:attachmentWasDisconnectedWithError:": {
        types: "v@:@@@",
        implementation: (machine, _, device, error) =>
          machine.#networkLost(device as NSObject, error as NSObject),
      },
      "observeValueForKeyPath:ofObject:change:context:": {
        types: "v@:@@@^v",
        implementation: (machine, _path, _object, change) => {
          const value = (fromObjC(change) as Map<string, unknown>).get("new");
          machine.#watchers.forEach((watcher) => watcher(STATES[Number(value)]));
        },
      },
    });
  }

  async #networkLost(lost: NSObject, error: NSObject): Promise<void> {
    const devices = elements(await this.call("networkDevices") as NSObject);
    const card = devices.findIndex((device) => same(device, lost));
    this.onNetworkLost?.(new VZNetworkDevice(this.queue, lost), card, NSError.from(error));
  }

  #ended(stop: Stop): void {
    if (!running.delete(this)) return;
    delegates?.unref();
    this.#run.resolve(stop);
  }

  /**
   * Starts it, and settles when the guest's processors run.
   *
   * @throws {NSError} When it cannot: wrong state, a kernel that cannot be read, a limit of the host.
   */
  async start(): Promise<void> {
    await this.#going(() => this.complete("startWithCompletionHandler:"));
  }

  /**
   * Makes it what it was when it was saved, and paused, in place of a start. macOS 14.
   *
   * @param path What {@linkcode save} has written, on this computer and for a machine that is the same.
   * @throws {NSError} When it is not stopped, which it stays; of another machine's file VZErrorDomain 12 says only that
   * an argument is invalid.
   * @throws {UnavailableError} On an older macOS.
   */
  async restore(path: string): Promise<void> {
    using url = fileURL(path);
    await this.#going(() => this.complete("restoreMachineStateFromURL:completionHandler:", url));
  }

  /**
   * Writes what it is into a file, while it is paused. It stays so, and can go on. macOS 14.
   *
   * @param path Where nothing may be: the framework writes over no file, as Lima has found (pull 2900).
   * @throws {NSError} When it is not paused; VZErrorDomain 11 when it cannot be written.
   * @throws {UnavailableError} On an older macOS.
   */
  async save(path: string): Promise<void> {
    using url = fileURL(path);
    await this.complete("saveMachineStateToURL:completionHandler:", url);
  }

  async #going(go: () => Promise<unknown>): Promise<void> {
    if (!running.has(this)) {
      this.#run = Promise.withResolvers<Stop>();
      running.add(this);
      delegates?.ref();
    }
    try {
      await Promise.all([this.#ready, go()]);
    } catch (error) {
      // A second start of a running machine fails, and the machine runs on.
      if (["stopped", "error"].includes(await this.state())) {
        this.#ended({ kind: "error", error: error as NSError });
      }
      throw error;
    }
  }

  /** How the run that was started last ended. */
  get stopped(): Promise<Stop> {
    return this.#run.promise;
  }

  /**
   * Presses the guest's power button: it may stop, or not.
   *
   * @throws {NSError} When the machine is not in a state for it.
   */
  async requestStop(): Promise<void> {
    await this.call("requestStopWithError:");
  }

  /**
   * Ends it at once, as pulling the plug does. macOS 12.
   *
   * @throws {NSError} When it is not running.
   * @throws {UnavailableError} On macOS 11.
   */
  async stop(): Promise<void> {
    await this.complete("stopWithCompletionHandler:");
    this.#ended({ kind: "stop" });
  }

  /** @throws {NSError} When it is not running. */
  pause(): Promise<void> {
    return this.complete("pauseWithCompletionHandler:");
  }

  /** @throws {NSError} When it is not paused. */
  resume(): Promise<void> {
    return this.complete("resumeWithCompletionHandler:");
  }

  /** Calls a function with each new state from now on, as it happens. */
  async watchState(onChange: (state: State) => void): Promise<void> {
    if (this.#watchers.push(onChange) > 1) return;
    // The delegate is the observer too. Apple documents the property as observable.
    const observe = "addObserver:forKeyPath:options:context:";
    await this.call(observe, this.#delegate, "state", NSKeyValueObservingOptionNew, null);
  }

  /** Its state now; see also {@linkcode watchState}. */
  async state(): Promise<State> {
    return STATES[Number(await this.call("state"))];
  }

  /** Its screens. macOS 14. */
  async displays(): Promise<VZGraphicsDisplay[]> {
    const devices = elements(await this.call("graphicsDevices") as NSObject);
    const displays = devices.map((device) => new VZGraphicsDevice(this.queue, device).displays());
    return (await Promise.all(displays)).flat();
  }

  /** Its socket device; undefined when it has none. */
  async socketDevice(): Promise<VZVirtioSocketDevice | undefined> {
    const [device] = elements(await this.call("socketDevices") as NSObject);
    return device && new VZVirtioSocketDevice(this.queue, device);
  }

  /** Its balloon; undefined when it has none. */
  async memoryBalloonDevice(): Promise<VZVirtioTraditionalMemoryBalloonDevice | undefined> {
    const [device] = elements(await this.call("memoryBalloonDevices") as NSObject);
    return device && new VZVirtioTraditionalMemoryBalloonDevice(this.queue, device);
  }

  /** The first of the USB controllers that were configured; undefined when none was. macOS 15. */
  async usbController(): Promise<VZUSBController | undefined> {
    const [controller] = elements(await this.call("usbControllers") as NSObject);
    return controller && new VZUSBController(this.queue, controller);
  }

  /** Which operations its state allows now; on macOS 11, {@linkcode stop} never. */
  async operations(): Promise<Record<Operation, boolean>> {
    const [requestStop, stop, pause, resume] = await Promise.all([
      this.call("canRequestStop"),
      this.object.respondsTo("canStop") && this.call("canStop"),
      this.call("canPause"),
      this.call("canResume"),
    ]);
    return {
      requestStop: Boolean(requestStop),
      stop: Boolean(stop),
      pause: Boolean(pause),
      resume: Boolean(resume),
    };
  }
}
