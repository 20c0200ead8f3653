/** A machine's files, in the form in which it can use them, and the devices that are made of them. */

import { exists } from "../host/files.ts";
import { NSError } from "../objc/mod.ts";
import {
  adviceOn,
  BRIDGING,
  describeError,
  type VZGenericMachineIdentifier,
  VZGenericPlatformConfiguration,
  type VZStorageDeviceConfiguration,
  VZVirtioEntropyDeviceConfiguration,
  type VZVirtioFileSystemDeviceConfiguration,
  type VZVirtioNetworkDeviceConfiguration,
  VZVirtioSocketDeviceConfiguration,
  VZVirtioTraditionalMemoryBalloonDeviceConfiguration,
  VZVirtualMachineConfiguration,
  VZXHCIControllerConfiguration,
} from "../vz/mod.ts";
import { isImage } from "./disk_place.ts";
import { configureBoot, prepareBoot } from "./boot.ts";
import { type Disk, makeImage, openDisk, type OpenedDisk, prepareDisk } from "./disk.ts";
import { configureDisk } from "./disk_device.ts";
import { configureDisplay } from "./display.ts";
import { MachineError, refusableLater } from "./error.ts";
import { checkConflicts } from "./file_conflicts.ts";
import { identityOf, makeIdentity } from "./identity.ts";
import { checkMachine, complete, type Description, type Machine } from "./machine.ts";
import { configureNetwork, type OpenedNetwork, openNetwork } from "./open_network.ts";
import type { ProgramFile, Reporter } from "./run_context.ts";
import type { SavedMachine } from "./saved_machine.ts";
import { configureSerial, type OpenedSerial } from "./serial.ts";
import { configureRosetta, configureShares } from "./share.ts";

/** How a machine's files are made ready. */
export interface PrepareOptions {
  /** Writes nothing except the kernel unpacked to identify it. */
  dryRun: boolean;
  /** Ends the work, which then leaves nothing behind. */
  signal: AbortSignal;
  /** Is disposed of when the machine has ended. */
  cleanup: AsyncDisposableStack;
  reporter: Reporter;
  /** What the program writes beside the machine. */
  files?: readonly ProgramFile[];
  /** What the machine is to go on as. */
  saved?: SavedMachine;
}

/** Devices that can be made, and so be checked, before anything is written. */
interface Devices {
  shares: VZVirtioFileSystemDeviceConfiguration[];
  networks: VZVirtioNetworkDeviceConfiguration[];
  /** Of the disks whose image is there and needs no clone. */
  disks: (VZStorageDeviceConfiguration | undefined)[];
  /** For disks that come while the machine runs. */
  usb?: VZXHCIControllerConfiguration;
}

/** A machine whose files are ready, and what was made of them. */
export interface PreparedMachine {
  machine: Machine;
  /** The same, with the files that were given. */
  described: Machine;
  /** Undefined in a dry run that would make it, and where there are none. */
  identifier?: VZGenericMachineIdentifier;
  devices: Devices;
  /** Undefined in a dry run for what is not opened then. */
  networks: (OpenedNetwork | undefined)[];
}

/**
 * Completes and checks a machine, and makes its files ready: kernels and disks come out of their wrappings, disks whose writes are
 * thrown away are cloned. Everything that can be refused is checked before slow or persistent work.
 *
 * @returns The machine with the files that it can use in the place of those that were given.
 * @throws {MachineError} When something is not fit, or what has to be made cannot be made.
 */
export async function prepareMachine(
  description: Description,
  options: PrepareOptions,
): Promise<PreparedMachine> {
  const { files = [], cleanup, saved } = options;
  const limits = VZVirtualMachineConfiguration.limits();
  const machine = await complete(description, limits);
  const restore = saved && await import("./restore.ts");
  restore?.checkAsSaved(saved!, machine);
  machine.disks.forEach(({ file }, i) => restore?.checkIsThere(saved!, `disks[${i}].file`, file));
  const formats = await checkMachine(machine, limits, files);
  const opened: OpenedDisk[] = [];
  for (const [i, disk] of machine.disks.entries()) {
    opened.push(await openDisk(disk, formats[i], `disks[${i}]`, options));
  }
  const disks = opened.map(({ disk }) => disk);
  restore?.checkFiles(saved!, { ...machine, disks });
  // Images that are to be made are known only now.
  await checkConflicts({ ...machine, disks }, files, opened.map(({ sources }) => sources));
  const networks: (OpenedNetwork | undefined)[] = [];
  for (const [i, card] of machine.network.entries()) {
    networks.push(await openNetwork(card, i, { ...options, ...options.reporter }));
  }
  const devices = await makeDevices({ ...machine, disks }, networks);
  let identifier = identityOf(machine, saved?.identity);
  const looked = opened.map((disk, i) => ({ ...disk, format: formats[i] }));
  const lookForBoot = machine.boot.kind === "efi" && !saved && await import("./bootable.ts");
  const isSeen = lookForBoot && await lookForBoot.checkBootable(machine.boot, looked, options);
  if (!options.dryRun) {
    await openFiles(files, cleanup);
    if (machine.name !== undefined) {
      const { noticeTwin } = await import("./twin.ts");
      await noticeTwin(machine, cleanup, options.reporter, saved && "a saved machine keeps its own");
    }
  }
  const boot = await prepareBoot(
    machine.boot,
    { screen: machine.display !== undefined, consoles: machine.serial.length },
    machine.vsock?.ready ? machine.vsock : undefined,
    options,
    saved && restore?.variablesOf(saved, machine),
  );
  if (!options.dryRun) {
    for (const [i, disk] of opened.entries()) disks[i] = await prepareDisk(disk, `disks[${i}]`, options);
    if (lookForBoot && !isSeen) await lookForBoot.checkBootable(machine.boot, looked, options);
    if (machine.cloudInit) {
      const { makeSeed } = await import("./cloud_init.ts");
      disks.push(await makeSeed(machine.cloudInit, machine.name, options));
    }
    if (machine.machineId !== undefined) await makeIdentity(machine.machineId, options.signal);
    identifier ??= identityOf(machine, undefined);
  }
  return { machine: { ...machine, boot, disks }, described: machine, identifier, devices, networks };
}

async function openFiles(files: readonly ProgramFile[], cleanup: AsyncDisposableStack): Promise<void> {
  for (const { what, path, open } of files) {
    const opened = await refusableLater(
      undefined,
      `cannot use ${what} '${path}'`,
      async () => await open?.(),
    );
    if (opened) cleanup.use(opened);
  }
}

async function makeDevices(
  machine: Machine,
  networks: readonly (OpenedNetwork | undefined)[],
): Promise<Devices> {
  const { shares, rosetta, network, disks } = machine;
  const isOther = disks.some(({ file }) => !isImage(file));
  const attachOther = isOther ? (await import("./block_device.ts")).attachBlockDevice : undefined;
  return {
    shares: [
      ...configureShares(shares),
      ...rosetta === undefined ? [] : [configureRosetta(rosetta)],
    ],
    networks: network.map((card, i) => configureNetwork(card, networks[i])),
    disks: disks.map((disk, i) => checkedDisk(disk, `disks[${i}]`, attachOther)),
    ...needsUSB(machine) && { usb: VZXHCIControllerConfiguration.create() },
  };
}

/** Disks on USB need no controller of the machine's own: an older macOS has none, and starts without. */
function needsUSB({ usb, disks }: Machine): boolean {
  return usb ??
    (VZXHCIControllerConfiguration.api.isAvailable && disks.some((disk) => disk.interface === "usb"));
}

function checkedDisk(
  disk: Disk,
  field: string,
  attachOther: Parameters<typeof configureDisk>[2],
): VZStorageDeviceConfiguration | undefined {
  const inFile = isImage(disk.file);
  if (disk.format === "fat" || (inFile && !exists(disk.file))) return undefined;
  const readOnly = disk.readOnly || disk.snapshot;
  const device = configureDisk({ ...disk, readOnly }, field, inFile ? undefined : attachOther);
  return disk.snapshot ? undefined : device;
}

/** Whether bridges are allowed only the validation tells, in words; it is the description that asks for one. */
function validate(configuration: VZVirtualMachineConfiguration): void {
  try {
    configuration.validate();
  } catch (error) {
    if (!(error instanceof NSError && error.message.includes(BRIDGING))) throw error;
    throw new MachineError(describeError(error), { field: "network", remedy: adviceOn(error), cause: error });
  }
}

/**
 * The configuration of a machine, validated. Images and variable stores that are missing are made.
 *
 * @param rollback Takes away again, when it is disposed of, the files that were made.
 * @throws {MachineError} When the framework refuses a part of it.
 * @throws {NSError} When the configuration is not valid as a whole.
 */
export function configure(
  { machine, devices, identifier }: PreparedMachine,
  serial: OpenedSerial[],
  rollback: DisposableStack,
): VZVirtualMachineConfiguration {
  const configuration = VZVirtualMachineConfiguration.create();
  configuration.memorySize = machine.memory;
  configuration.cpuCount = machine.processors;
  if (devices.shares.length > 0) configuration.directorySharingDevices = devices.shares;
  configuration.networkDevices = devices.networks;
  configuration.entropyDevices = [VZVirtioEntropyDeviceConfiguration.create()];
  configuration.memoryBalloonDevices = [VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create()];
  if (machine.vsock) configuration.socketDevices = [VZVirtioSocketDeviceConfiguration.create()];
  if (machine.display) configureDisplay(machine.display, configuration);
  if (devices.usb) configuration.usbControllers = [devices.usb];

  machine.disks.forEach((disk, i) => makeImage(disk, `disks[${i}]`, rollback));
  configuration.storageDevices = machine.disks.map((disk, i) =>
    devices.disks[i] ?? configureDisk(disk, `disks[${i}]`)
  );
  configuration.bootLoader = configureBoot(machine.boot, rollback);
  if (identifier) configuration.platform = VZGenericPlatformConfiguration.create(identifier, machine.nested);
  configuration.serialPorts = serial.map((port, i) => configureSerial(port, `serial[${i}]`));
  validate(configuration);
  return configuration;
}
