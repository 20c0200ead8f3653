import { QueueObject } from "./queue_object.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** Lets the host take memory back from the guest. macOS 11. */
export class VZVirtioTraditionalMemoryBalloonDeviceConfiguration
  extends VZObject<"VZVirtioTraditionalMemoryBalloonDeviceConfiguration"> {
  static override readonly api = new VZClass(
    "VZVirtioTraditionalMemoryBalloonDeviceConfiguration",
    "The memory balloon",
  );

  static create(): VZVirtioTraditionalMemoryBalloonDeviceConfiguration {
    return new this(this.api.create("init"));
  }
}

/** The balloon of a running machine. macOS 11. */
export class VZVirtioTraditionalMemoryBalloonDevice
  extends QueueObject<"VZVirtioTraditionalMemoryBalloonDevice"> {
  static override readonly api = new VZClass(
    "VZVirtioTraditionalMemoryBalloonDevice",
    "The memory balloon",
  );

  /** How much memory the guest is to have, in bytes. */
  async target(): Promise<number> {
    return Number(await this.call("targetVirtualMachineMemorySize"));
  }

  /**
   * Asks the guest to have no more than that: it gives back what it can, when it can. The framework rounds down to whole
   * MiB, and up to the least memory that a machine can have; more than the machine has is not allowed.
   */
  async setTarget(bytes: number): Promise<void> {
    await this.call("setTargetVirtualMachineMemorySize:", bytes);
  }
}
