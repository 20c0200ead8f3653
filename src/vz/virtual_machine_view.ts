import { DispatchQueue, openFramework } from "../objc/mod.ts";
import { QueueObject } from "./queue_object.ts";
import type { VZVirtualMachine } from "./virtual_machine.ts";
import { VZClass } from "./vz_object.ts";

/** How a machine is shown. */
export interface ViewOptions {
  /** Size of the view in points. */
  width: number;
  height: number;
  /** Whether keys like Command-Tab go to the guest. */
  capturesSystemKeys: boolean;
  /** Whether the guest's screen follows the view in the pixels of the host's screen: on a Retina screen twice its points. */
  hidpi: boolean;
}

/**
 * A view of a machine's screen, which also takes keys and the pointer to it. As all views it belongs to the
 * main queue. macOS 12; from 14 on the guest's screen can follow its size.
 */
export class VZVirtualMachineView extends QueueObject<"VZVirtualMachineView"> {
  static override readonly api = new VZClass("VZVirtualMachineView", "A window", {
    "setAutomaticallyReconfiguresDisplay:": "A screen that follows the window",
  });

  /** Makes a view. */
  static async create(
    { width, height, capturesSystemKeys, hidpi }: ViewOptions,
  ): Promise<VZVirtualMachineView> {
    openFramework("AppKit");
    const queue = DispatchQueue.main();
    const object = await this.api.createOn(queue, "initWithFrame:", [[0, 0], [width, height]]);
    const view = new this(queue, object);
    await view.call("setCapturesSystemKeys:", capturesSystemKeys);
    const follow = "setAutomaticallyReconfiguresDisplay:";
    if (object.respondsTo(follow)) await view.call(follow, hidpi);
    return view;
  }

  /** Its size in points. */
  async size(): Promise<[width: number, height: number]> {
    const [, size] = await this.call("bounds");
    return size;
  }

  /** Shows a machine, or none. */
  async show(machine: VZVirtualMachine | null): Promise<void> {
    await this.call("setVirtualMachine:", machine?.object);
  }
}
