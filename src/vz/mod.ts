/** Apple's Virtualization framework as TypeScript, under Apple's names. @module */

export { isOlder, requireMacOS, UnavailableError } from "./availability.ts";
export {
  type BlockDeviceOptions,
  type ConnectionWatcher,
  VZDiskBlockDeviceStorageDeviceAttachment,
  VZNetworkBlockDeviceStorageDeviceAttachment,
} from "./block_device.ts";
export { VZBootLoader, VZLinuxBootLoader } from "./boot_loader.ts";
export { type DeviceList, type Limits, VZVirtualMachineConfiguration } from "./configuration.ts";
export {
  VZDirectoryShare,
  VZLinuxRosettaDirectoryShare,
  VZMultipleDirectoryShare,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZVirtioFileSystemDeviceConfiguration,
} from "./directory_sharing.ts";
export { VZEFIBootLoader, VZEFIVariableStore } from "./efi.ts";
export { VZVirtioEntropyDeviceConfiguration } from "./entropy.ts";
export { adviceOn, BRIDGING, describeError, innermost, VZErrorCode, wordsOf } from "./error.ts";
export {
  VZGraphicsDevice,
  VZGraphicsDisplay,
  VZVirtioGraphicsDeviceConfiguration,
  VZVirtioGraphicsScanoutConfiguration,
} from "./graphics.ts";
export { VZUSBKeyboardConfiguration } from "./keyboard.ts";
export {
  VZVirtioTraditionalMemoryBalloonDevice,
  VZVirtioTraditionalMemoryBalloonDeviceConfiguration,
} from "./memory_balloon.ts";
export {
  VZBridgedNetworkDeviceAttachment,
  VZBridgedNetworkInterface,
  VZFileHandleNetworkDeviceAttachment,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  VZNetworkDevice,
  VZNetworkDeviceAttachment,
  VZVirtioNetworkDeviceConfiguration,
  VZVmnetNetworkDeviceAttachment,
} from "./network.ts";
export { VZGenericMachineIdentifier, VZGenericPlatformConfiguration } from "./platform.ts";
export { VZUSBScreenCoordinatePointingDeviceConfiguration } from "./pointing_device.ts";
export {
  VZFileHandleSerialPortAttachment,
  VZFileSerialPortAttachment,
  VZSerialPortAttachment,
  VZVirtioConsoleDeviceSerialPortConfiguration,
} from "./serial_port.ts";
export {
  type Acceptance,
  VZVirtioSocketConnection,
  VZVirtioSocketDevice,
  VZVirtioSocketDeviceConfiguration,
  VZVirtioSocketListener,
} from "./socket_device.ts";
export {
  type DiskImageOptions,
  VZDiskImageStorageDeviceAttachment,
  VZNVMExpressControllerDeviceConfiguration,
  VZStorageDeviceAttachment,
  VZStorageDeviceConfiguration,
  VZUSBMassStorageDeviceConfiguration,
  VZVirtioBlockDeviceConfiguration,
} from "./storage.ts";
export { VZUSBController, VZUSBMassStorageDevice, VZXHCIControllerConfiguration } from "./usb.ts";
export { type Operation, type State, type Stop, VZVirtualMachine } from "./virtual_machine.ts";
export { type ViewOptions, VZVirtualMachineView } from "./virtual_machine_view.ts";
export { VZClass, VZObject } from "./vz_object.ts";
