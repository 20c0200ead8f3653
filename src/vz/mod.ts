/** Apple's Virtualization framework as TypeScript: its names, without the prefix. @module */

export { BootLoader, LinuxBootLoader } from "./boot_loader.ts";
export { type Limits, VirtualMachineConfiguration } from "./configuration.ts";
export {
  DirectoryShare,
  LinuxRosettaDirectoryShare,
  SharedDirectory,
  SingleDirectoryShare,
  VirtioFileSystemDevice,
} from "./directory_sharing.ts";
export { EFIBootLoader, EFIVariableStore } from "./efi.ts";
export { VirtioEntropyDevice } from "./entropy.ts";
export { adviceOn, VZErrorCode } from "./error.ts";
export { VirtioGraphicsDevice, VirtioGraphicsScanout } from "./graphics.ts";
export { USBKeyboard } from "./keyboard.ts";
export { checkDevices, configure, type Handles } from "./machine.ts";
export { VirtioMemoryBalloon } from "./memory_balloon.ts";
export {
  BridgedNetworkAttachment,
  BridgedNetworkInterface,
  MACAddress,
  NATNetworkAttachment,
  NetworkAttachment,
  VirtioNetworkDevice,
} from "./network.ts";
export { GenericMachineIdentifier, GenericPlatform } from "./platform.ts";
export { USBScreenCoordinatePointingDevice } from "./pointing_device.ts";
export {
  FileHandleSerialPortAttachment,
  FileSerialPortAttachment,
  SerialPortAttachment,
  VirtioConsoleSerialPort,
} from "./serial_port.ts";
export {
  DiskImageAttachment,
  NVMExpressDevice,
  StorageDevice,
  USBMassStorageDevice,
  VirtioBlockDevice,
} from "./storage.ts";
export { type Ability, type State, type Stop, VirtualMachine } from "./virtual_machine.ts";
export { type ViewOptions, VirtualMachineView } from "./virtual_machine_view.ts";
export { type Api, requireMacOS, UnavailableError, VZObject } from "./vz_object.ts";
