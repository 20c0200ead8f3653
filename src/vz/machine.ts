/** A Machine as a configuration of Virtualization. */

import { NSError, type NSObject } from "../objc/mod.ts";
import { MachineError } from "../machine/check.ts";
import type { Machine, Serial } from "../machine/machine.ts";
import { LinuxBootLoader } from "./boot_loader.ts";
import { VirtualMachineConfiguration } from "./configuration.ts";
import { VirtioEntropyDevice } from "./entropy.ts";
import { VirtioMemoryBalloon } from "./memory_balloon.ts";
import { NATNetworkAttachment, VirtioNetworkDevice } from "./network.ts";
import {
  FileHandleSerialPortAttachment,
  FileSerialPortAttachment,
  type SerialPortAttachment,
  VirtioConsoleSerialPort,
} from "./serial_port.ts";

/** What a console on stdio is attached to. */
export interface Stdio {
  /** NSFileHandle of what the guest receives. */
  reading: NSObject;
  /** NSFileHandle of where goes what the guest sends. */
  writing: NSObject;
}

function attachment(serial: Serial, stdio: Stdio | undefined): SerialPortAttachment {
  switch (serial.to) {
    case "stdio":
      if (!stdio) throw new TypeError("A console on stdio needs file handles");
      return FileHandleSerialPortAttachment.create(stdio.reading, stdio.writing);
    case "file":
      try {
        return FileSerialPortAttachment.create(serial.path, false);
      } catch (error) {
        if (!(error instanceof NSError)) throw error;
        throw new MachineError(`cannot write '${serial.path}': ${error.reason ?? error.message}`);
      }
    case "null":
      return FileHandleSerialPortAttachment.create(null, null);
  }
}

/**
 * The configuration of a machine, validated.
 *
 * @param stdio Where the console on stdio is attached to, if the machine has one.
 * @throws {MachineError} When a file cannot be written.
 * @throws {NSError} When the configuration is not valid.
 */
export function configure(machine: Machine, stdio?: Stdio): VirtualMachineConfiguration {
  const { boot } = machine;
  const loader = LinuxBootLoader.create(boot.kernel);
  loader.commandLine = boot.commandLine;
  if (boot.initrd !== undefined) loader.initialRamdisk = boot.initrd;

  const configuration = VirtualMachineConfiguration.create();
  configuration.bootLoader = loader;
  configuration.memorySize = machine.memory;
  configuration.cpuCount = machine.processors;
  configuration.serialPorts = machine.serial.map((serial) =>
    VirtioConsoleSerialPort.create(attachment(serial, stdio))
  );
  configuration.networkDevices = machine.network.map(() =>
    VirtioNetworkDevice.create(NATNetworkAttachment.create())
  );
  configuration.entropyDevices = [VirtioEntropyDevice.create()];
  configuration.memoryBalloonDevices = [VirtioMemoryBalloon.create()];
  configuration.validate();
  return configuration;
}
