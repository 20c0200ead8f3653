/** A Machine as a configuration of Virtualization. */

import { NSError, type NSObject } from "../objc/mod.ts";
import { MachineError } from "../machine/error.ts";
import { exists } from "../machine/files.ts";
import { makeDisks } from "../machine/disks.ts";
import type { Display, EFIBoot, LinuxBoot, Machine, Network, Serial, Share } from "../machine/machine.ts";
import { type VZBootLoader, VZLinuxBootLoader } from "./boot_loader.ts";
import { VZVirtualMachineConfiguration } from "./configuration.ts";
import {
  VZLinuxRosettaDirectoryShare,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZVirtioFileSystemDeviceConfiguration,
} from "./directory_sharing.ts";
import { VZEFIBootLoader, VZEFIVariableStore } from "./efi.ts";
import { VZVirtioEntropyDeviceConfiguration } from "./entropy.ts";
import { VZVirtioGraphicsDeviceConfiguration, VZVirtioGraphicsScanoutConfiguration } from "./graphics.ts";
import { VZUSBKeyboardConfiguration } from "./keyboard.ts";
import { VZVirtioTraditionalMemoryBalloonDeviceConfiguration } from "./memory_balloon.ts";
import {
  VZBridgedNetworkDeviceAttachment,
  VZBridgedNetworkInterface,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  type VZNetworkDeviceAttachment,
  VZVirtioNetworkDeviceConfiguration,
} from "./network.ts";
import { VZGenericMachineIdentifier, VZGenericPlatformConfiguration } from "./platform.ts";
import { VZUSBScreenCoordinatePointingDeviceConfiguration } from "./pointing_device.ts";
import {
  VZFileHandleSerialPortAttachment,
  VZFileSerialPortAttachment,
  type VZSerialPortAttachment,
  VZVirtioConsoleDeviceSerialPortConfiguration,
} from "./serial_port.ts";
import { storageDevice } from "./storage.ts";

/** What a console that is no file is attached to. */
export interface Handles {
  /** NSFileHandle of what the guest receives. */
  reading: NSObject;
  /** NSFileHandle of where goes what the guest sends. */
  writing: NSObject;
}

/** Runs what the framework may refuse; its refusal becomes one line that names what was asked for. */
function refusable<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof NSError)) throw error;
    throw new MachineError(`${what}: ${error.reason ?? error.message}`);
  }
}

function bootLoader(
  boot: LinuxBoot | EFIBoot,
  variables: string | undefined,
  made: DisposableStack,
): VZBootLoader {
  if (boot.from === "efi") {
    if (variables === undefined) throw new TypeError("EFI needs a file for its variables");
    return VZEFIBootLoader.create(openVariableStore(variables) ?? makeVariableStore(variables, made));
  }
  const loader = VZLinuxBootLoader.create(boot.kernel);
  if (boot.commandLine !== undefined) loader.commandLine = boot.commandLine;
  if (boot.initrd !== undefined) loader.initialRamdisk = boot.initrd;
  return loader;
}

/** The store in a file; nothing when there is none yet. */
function openVariableStore(path: string): VZEFIVariableStore | undefined {
  return exists(path) && Deno.statSync(path).size > 0 ? VZEFIVariableStore.open(path) : undefined;
}

function makeVariableStore(path: string, made: DisposableStack): VZEFIVariableStore {
  const store = refusable(`cannot make the variable store '${path}'`, () => VZEFIVariableStore.create(path));
  made.defer(() => Deno.removeSync(path));
  return store;
}

function platform(path: string): VZGenericPlatformConfiguration {
  const identifier = VZGenericMachineIdentifier.from(Deno.readFileSync(path));
  if (!identifier) throw new MachineError(`'${path}' holds no machine's identity; remove it for a new one`);
  return VZGenericPlatformConfiguration.create(identifier);
}

function attachment(serial: Serial, handles: Handles | undefined): VZSerialPortAttachment {
  switch (serial.to) {
    case "file":
      return refusable(
        `cannot write '${serial.path}'`,
        () => VZFileSerialPortAttachment.create(serial.path, false),
      );
    case "null":
      return VZFileHandleSerialPortAttachment.create(null, null);
    default:
      if (!handles) throw new TypeError(`A console on ${serial.to} needs file handles`);
      return VZFileHandleSerialPortAttachment.create(handles.reading, handles.writing);
  }
}

function fileSystem({ tag, folder, readOnly }: Share): VZVirtioFileSystemDeviceConfiguration {
  return refusable(`cannot share '${folder}' as '${tag}'`, () => {
    const share = VZSingleDirectoryShare.create(VZSharedDirectory.create(folder, readOnly));
    return VZVirtioFileSystemDeviceConfiguration.create(tag, share);
  });
}

function rosetta(tag: string): VZVirtioFileSystemDeviceConfiguration {
  return refusable(
    `-rosetta ${tag}`,
    () => VZVirtioFileSystemDeviceConfiguration.create(tag, VZLinuxRosettaDirectoryShare.create()),
  );
}

function networkAttachment({ attachment }: Network): VZNetworkDeviceAttachment {
  if (attachment === "nat") return VZNATNetworkDeviceAttachment.create();
  const all = VZBridgedNetworkInterface.all();
  const wanted = all.find((known) => known.identifier === attachment.bridge);
  if (wanted) return VZBridgedNetworkDeviceAttachment.create(wanted);
  const names = all.map((known) => known.identifier).join(", ");
  const there = names ? `there are ${names}` : "there are none that this process may use";
  throw new MachineError(`no interface '${attachment.bridge}' to bridge to: ${there}`);
}

function networkDevice(network: Network): VZVirtioNetworkDeviceConfiguration {
  const device = VZVirtioNetworkDeviceConfiguration.create(networkAttachment(network));
  if (network.mac !== undefined) device.macAddress = VZMACAddress.create(network.mac);
  return device;
}

/** A screen, and what belongs to sitting before one. */
function addScreen(configuration: VZVirtualMachineConfiguration, { width, height }: Display): void {
  const scanout = VZVirtioGraphicsScanoutConfiguration.create(width, height);
  configuration.graphicsDevices = [VZVirtioGraphicsDeviceConfiguration.create([scanout])];
  configuration.keyboards = [VZUSBKeyboardConfiguration.create()];
  configuration.pointingDevices = [VZUSBScreenCoordinatePointingDeviceConfiguration.create()];
}

/** Devices that can be made, and so be checked, without a trace. */
function tracelessDevices(machine: Machine) {
  const shares = machine.shares.map(fileSystem);
  if (machine.rosetta !== undefined) shares.push(rosetta(machine.rosetta));
  return { shares, networks: machine.network.map(networkDevice) };
}

/**
 * Checks what only the framework can tell, as far as it can be told without making a file.
 *
 * @throws {MachineError} When it refuses something that the command line names.
 */
export function checkDevices(machine: Machine): void {
  tracelessDevices(machine);
  for (const disk of machine.disks) {
    if (exists(disk.file)) storageDevice({ ...disk, readOnly: disk.readOnly || disk.snapshot });
  }
  if (machine.machineId !== undefined && exists(machine.machineId)) platform(machine.machineId);
}

/**
 * The configuration of a machine, validated. Files that are missing are made, after all else was found fit.
 *
 * @param handles What each of the machine's consoles is attached to, where it is no file.
 * @param variables File of EFI's variables, which a machine that boots by EFI cannot do without.
 * @param made Takes away again, when it is disposed of, the files that were made.
 * @throws {MachineError} When the framework refuses something that the command line names.
 * @throws {NSError} When the configuration is not valid as a whole.
 */
export function configure(
  machine: Machine,
  handles: (Handles | undefined)[],
  variables: string | undefined,
  made: DisposableStack,
): VZVirtualMachineConfiguration {
  const configuration = VZVirtualMachineConfiguration.create();
  configuration.memorySize = machine.memory;
  configuration.cpuCount = machine.processors;
  const { shares, networks } = tracelessDevices(machine);
  if (shares.length > 0) configuration.directorySharingDevices = shares;
  configuration.networkDevices = networks;
  configuration.entropyDevices = [VZVirtioEntropyDeviceConfiguration.create()];
  configuration.memoryBalloonDevices = [VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create()];
  if (machine.display) addScreen(configuration, machine.display);

  makeDisks(machine, made);
  configuration.storageDevices = machine.disks.map(storageDevice);
  configuration.bootLoader = bootLoader(machine.boot, variables, made);
  if (machine.machineId !== undefined) configuration.platform = platform(machine.machineId);
  configuration.serialPorts = machine.serial.map((serial, i) =>
    VZVirtioConsoleDeviceSerialPortConfiguration.create(attachment(serial, handles[i]))
  );
  configuration.validate();
  return configuration;
}
