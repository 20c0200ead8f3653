import { type Argument, DispatchQueue, type NSObject, openFramework } from "../objc/mod.ts";
import type { VZVirtualMachine } from "./virtual_machine.ts";
import { type Api, requireMethod, vzClass } from "./vz_object.ts";

/** How a machine is shown. */
export interface ViewOptions {
  /** Size of the view in points. */
  width: number;
  height: number;
  /** Whether keys like Command-Tab go to the guest. */
  capturesSystemKeys: boolean;
}

/**
 * A view of a machine's screen, which also takes keys and the pointer to it. As all views it belongs to the
 * main queue. macOS 12; from 14 on the guest's screen gets the size of the view.
 */
export class VZVirtualMachineView {
  static readonly api: Api = {
    class: "VZVirtualMachineView",
    what: "A window",
    macOS: "12.0",
    newer: { "setAutomaticallyReconfiguresDisplay:": ["A screen that follows the window", "14.0"] },
  };

  readonly #queue = DispatchQueue.main();

  readonly #view: NSObject;

  private constructor(view: NSObject) {
    this.#view = view;
  }

  /** The NSView, to be put into a window. */
  get object(): NSObject {
    return this.#view;
  }

  /** Makes a view. */
  static async create({ width, height, capturesSystemKeys }: ViewOptions): Promise<VZVirtualMachineView> {
    openFramework("AppKit");
    vzClass(VZVirtualMachineView.api);
    const frame = [[0, 0], [width, height]];
    const queue = DispatchQueue.main();
    const view = new VZVirtualMachineView(
      await queue.make(VZVirtualMachineView.api.class, "initWithFrame:", frame),
    );
    await view.#call("setCapturesSystemKeys:", capturesSystemKeys);
    const follow = "setAutomaticallyReconfiguresDisplay:";
    if (view.object.respondsTo(follow)) await view.#call(follow, true);
    return view;
  }

  /** Shows a machine, or none. */
  async show(machine: VZVirtualMachine | null): Promise<void> {
    await this.#call("setVirtualMachine:", machine?.object);
  }

  #call(selector: string, ...args: Argument[]): Promise<unknown> {
    requireMethod(VZVirtualMachineView.api, selector);
    return this.#queue.call(this.#view, selector, ...args);
  }
}
