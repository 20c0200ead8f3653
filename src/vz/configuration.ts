import { NSError } from "../objc/mod.ts";
import { UnavailableError } from "./availability.ts";
import type { VZBootLoader } from "./boot_loader.ts";
import type { VZVirtioFileSystemDeviceConfiguration } from "./directory_sharing.ts";
import type { VZVirtioEntropyDeviceConfiguration } from "./entropy.ts";
import type { VZVirtioGraphicsDeviceConfiguration } from "./graphics.ts";
import type { VZUSBKeyboardConfiguration } from "./keyboard.ts";
import type { VZVirtioTraditionalMemoryBalloonDeviceConfiguration } from "./memory_balloon.ts";
import type { VZVirtioNetworkDeviceConfiguration } from "./network.ts";
import type { VZGenericPlatformConfiguration } from "./platform.ts";
import type { VZUSBScreenCoordinatePointingDeviceConfiguration } from "./pointing_device.ts";
import type { VZVirtioConsoleDeviceSerialPortConfiguration } from "./serial_port.ts";
import type { VZVirtioSocketDeviceConfiguration } from "./socket_device.ts";
import type { VZStorageDeviceConfiguration } from "./storage.ts";
import { VZXHCIControllerConfiguration } from "./usb.ts";
import { VZClass, VZObject } from "./vz_object.ts";

/** What a machine may have on this host; memory in bytes. */
export interface Limits {
  memory: { minimum: number; maximum: number };
  processors: { minimum: number; maximum: number };
}

/** The lists of devices, and what empties each. */
const LISTS = {
  disks: (all) => all.storageDevices = [],
  shares: (all) => all.directorySharingDevices = [],
  consoles: (all) => all.serialPorts = [],
  "network cards": (all) => all.networkDevices = [],
  sockets: (all) => all.socketDevices = [],
  screens: (all) => all.graphicsDevices = [],
  keyboards: (all) => all.keyboards = [],
  "pointing devices": (all) => all.pointingDevices = [],
  "entropy devices": (all) => all.entropyDevices = [],
  "memory balloons": (all) => all.memoryBalloonDevices = [],
  "USB controllers": (all) => {
    if (VZXHCIControllerConfiguration.api.isAvailable) all.usbControllers = [];
  },
} satisfies Record<string, (all: VZVirtualMachineConfiguration) => void>;

/** The name of a list of devices. */
export type DeviceList = keyof typeof LISTS;

/** What a virtual machine is made of. macOS 11. */
export class VZVirtualMachineConfiguration extends VZObject<"VZVirtualMachineConfiguration"> {
  static override readonly api = new VZClass("VZVirtualMachineConfiguration", "Virtualization", {
    "setPlatform:": "A machine's identity",
    "setDirectorySharingDevices:": "A shared folder",
    "setGraphicsDevices:": "A graphics device",
    "graphicsDevices": "A graphics device",
    "setKeyboards:": "A keyboard",
    "setPointingDevices:": "A pointing device",
    "usbControllers": "A USB controller",
    "setUsbControllers:": "A USB controller",
    "validateSaveRestoreSupportWithError:": "Saving a machine",
  });

  static create(): VZVirtualMachineConfiguration {
    return new this(this.api.create("init"));
  }

  /** What this host allows. */
  static limits(): Limits {
    return {
      memory: {
        minimum: Number(this.api.send("minimumAllowedMemorySize")),
        maximum: Number(this.api.send("maximumAllowedMemorySize")),
      },
      processors: {
        minimum: Number(this.api.send("minimumAllowedCPUCount")),
        maximum: Number(this.api.send("maximumAllowedCPUCount")),
      },
    };
  }

  set bootLoader(loader: VZBootLoader) {
    this.send("setBootLoader:", loader);
  }

  /** In bytes, a multiple of 1 MiB. */
  set memorySize(bytes: number) {
    this.send("setMemorySize:", bytes);
  }

  /** Number of virtual processors. */
  set cpuCount(count: number) {
    this.send("setCPUCount:", count);
  }

  set platform(platform: VZGenericPlatformConfiguration) {
    this.send("setPlatform:", platform);
  }

  /** Disks, in the order in which the guest finds them. */
  set storageDevices(devices: VZStorageDeviceConfiguration[]) {
    this.send("setStorageDevices:", devices);
  }

  set directorySharingDevices(devices: VZVirtioFileSystemDeviceConfiguration[]) {
    this.send("setDirectorySharingDevices:", devices);
  }

  set serialPorts(ports: VZVirtioConsoleDeviceSerialPortConfiguration[]) {
    this.send("setSerialPorts:", ports);
  }

  set entropyDevices(devices: VZVirtioEntropyDeviceConfiguration[]) {
    this.send("setEntropyDevices:", devices);
  }

  set memoryBalloonDevices(devices: VZVirtioTraditionalMemoryBalloonDeviceConfiguration[]) {
    this.send("setMemoryBalloonDevices:", devices);
  }

  set networkDevices(devices: VZVirtioNetworkDeviceConfiguration[]) {
    this.send("setNetworkDevices:", devices);
  }

  /** The framework takes one. */
  set socketDevices(devices: VZVirtioSocketDeviceConfiguration[]) {
    this.send("setSocketDevices:", devices);
  }

  /** The framework takes one. */
  set graphicsDevices(devices: VZVirtioGraphicsDeviceConfiguration[]) {
    this.send("setGraphicsDevices:", devices);
  }

  set keyboards(keyboards: VZUSBKeyboardConfiguration[]) {
    this.send("setKeyboards:", keyboards);
  }

  set pointingDevices(devices: VZUSBScreenCoordinatePointingDeviceConfiguration[]) {
    this.send("setPointingDevices:", devices);
  }

  /** Beside the one that the framework makes of itself for what is on USB. macOS 15. */
  set usbControllers(controllers: VZXHCIControllerConfiguration[]) {
    this.send("setUsbControllers:", controllers);
  }

  /**
   * Checks whether such a machine can be saved and restored. macOS 14, on Apple silicon: others, like Lima and Code-Hex's
   * bindings, have it for that only.
   *
   * @throws {NSError} When it has a device that cannot be.
   * @throws {UnavailableError} On an older macOS, and where the framework has no such method.
   */
  validateSaveRestoreSupport(): void {
    const selector = "validateSaveRestoreSupportWithError:";
    VZVirtualMachineConfiguration.api.requireMethod(selector);
    if (!this.respondsTo(selector)) throw new UnavailableError("Saving a machine needs Apple silicon");
    this.send(selector);
  }

  /**
   * What keeps such a machine from being saved and restored: the first list of which a machine that has nothing else
   * cannot be; undefined where each could be. macOS 14.
   *
   * @throws {UnavailableError} On an older macOS.
   */
  savingObstacle(): { devices: DeviceList; error: NSError } | undefined {
    for (const devices of Object.keys(LISTS) as DeviceList[]) {
      using alone = new VZVirtualMachineConfiguration(this.send("copy")!);
      for (const [other, empty] of Object.entries(LISTS)) {
        if (other !== devices) empty(alone);
      }
      try {
        alone.validateSaveRestoreSupport();
      } catch (error) {
        if (error instanceof NSError) return { devices, error };
        throw error;
      }
    }
  }

  /**
   * Checks it as the framework does before a start.
   *
   * @throws {NSError} VZErrorDomain 2 when it is not valid; also when the process lacks the entitlement.
   */
  validate(): void {
    this.send("validateWithError:");
  }
}
