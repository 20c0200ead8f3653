/** Probes of saving and restoring, which no one of vzrun's has seen on a Mac. */

import { NSError } from "../../src/objc/mod.ts";
import {
  requireMacOS,
  VZFileSerialPortAttachment,
  VZGenericMachineIdentifier,
  VZGenericPlatformConfiguration,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  VZNVMExpressControllerDeviceConfiguration,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZUSBKeyboardConfiguration,
  VZUSBMassStorageDeviceConfiguration,
  VZUSBScreenCoordinatePointingDeviceConfiguration,
  VZVirtioBlockDeviceConfiguration,
  VZVirtioConsoleDeviceSerialPortConfiguration,
  VZVirtioEntropyDeviceConfiguration,
  VZVirtioFileSystemDeviceConfiguration,
  VZVirtioGraphicsDeviceConfiguration,
  VZVirtioGraphicsScanoutConfiguration,
  VZVirtioNetworkDeviceConfiguration,
  VZVirtioSocketDeviceConfiguration,
  VZVirtioTraditionalMemoryBalloonDeviceConfiguration,
  VZVirtualMachine,
  VZVirtualMachineConfiguration,
} from "../../src/vz/mod.ts";
import { image } from "./guest.ts";
import type { Lab } from "./lab.ts";
import { configuration, wordsOf } from "./machine.ts";
import { found, type Probe, until } from "./probe.ts";

type Change = (made: VZVirtualMachineConfiguration) => void;

/** Devices by what each is called; those that must be savable, or vzrun saves nothing, come first. */
function devices(lab: Lab): { needed: Record<string, Change>; others: Record<string, Change> } {
  const disk = lab.disk("savable");
  const share = VZSingleDirectoryShare.create(VZSharedDirectory.create(lab.file("."), true));
  const console = () => VZFileSerialPortAttachment.create(lab.file("savable-console"), true);
  const card = () => VZVirtioNetworkDeviceConfiguration.create(VZNATNetworkDeviceAttachment.create());
  const screen = () => VZVirtioGraphicsScanoutConfiguration.create(640, 480);
  return {
    needed: {
      nothing: () => {},
      entropy: (made) => made.entropyDevices = [VZVirtioEntropyDeviceConfiguration.create()],
      balloon: (made) =>
        made.memoryBalloonDevices = [VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create()],
      console: (made) => made.serialPorts = [VZVirtioConsoleDeviceSerialPortConfiguration.create(console())],
      "NAT card": (made) => made.networkDevices = [card()],
      "virtio disk": (made) =>
        made.storageDevices = [VZVirtioBlockDeviceConfiguration.create(image(disk), undefined)],
    },
    others: {
      "USB disk": (made) => made.storageDevices = [VZUSBMassStorageDeviceConfiguration.create(image(disk))],
      "NVMe disk": (made) =>
        made.storageDevices = [VZNVMExpressControllerDeviceConfiguration.create(image(disk))],
      sockets: (made) => made.socketDevices = [VZVirtioSocketDeviceConfiguration.create()],
      share: (made) =>
        made.directorySharingDevices = [VZVirtioFileSystemDeviceConfiguration.create("tag", share)],
      screen: (made) => made.graphicsDevices = [VZVirtioGraphicsDeviceConfiguration.create([screen()])],
      keyboard: (made) => made.keyboards = [VZUSBKeyboardConfiguration.create()],
      pointer: (made) => made.pointingDevices = [VZUSBScreenCoordinatePointingDeviceConfiguration.create()],
    },
  };
}

/** With what it is refused that a machine with this one device be saved; nothing when it can be. */
function refusalOf(change: Change): string | undefined {
  const alone = VZVirtualMachineConfiguration.create();
  change(alone);
  try {
    alone.validateSaveRestoreSupport();
  } catch (error) {
    if (error instanceof NSError) return wordsOf(error);
    throw error;
  }
}

const identifiers = new WeakMap<Lab, VZGenericMachineIdentifier>();

/** A guest that counts into a file. @param identifier Of one identity where it is not said. */
function counter(lab: Lab, file: string, identifier?: VZGenericMachineIdentifier): VZVirtualMachine {
  const own = identifiers.get(lab) ?? VZGenericMachineIdentifier.create();
  identifiers.set(lab, own);
  const made = configuration("i=0; while :; do echo count $((i=i+1)); sleep 0.1; done");
  made.platform = VZGenericPlatformConfiguration.create(identifier ?? own);
  const console = VZFileSerialPortAttachment.create(lab.file(file), true);
  made.serialPorts = [VZVirtioConsoleDeviceSerialPortConfiguration.create(console)];
  const card = VZVirtioNetworkDeviceConfiguration.create(VZNATNetworkDeviceAttachment.create());
  card.macAddress = VZMACAddress.create("02:00:00:5a:7e:d0");
  made.networkDevices = [card];
  return VZVirtualMachine.create(made);
}

/** The numbers that a guest has counted. */
function counts(lab: Lab, file: string): number[] {
  return Array.from(
    Deno.readTextFileSync(lab.file(file)).matchAll(/count (\d+)\r?\n/g),
    ([, n]) => Number(n),
  );
}

const saved = new WeakMap<Lab, Promise<number>>();

/** Saves a guest that counts, once. @returns How far it has counted. */
function save(lab: Lab): Promise<number> {
  requireMacOS("Saving a machine", "14.0");
  if (!saved.has(lab)) {
    saved.set(
      lab,
      (async () => {
        const machine = counter(lab, "counted");
        await machine.start();
        try {
          await until(() => counts(lab, "counted").length > 3, 60);
          await machine.pause();
          await machine.save(lab.file("state"));
          return counts(lab, "counted").at(-1)!;
        } finally {
          await machine.stop();
        }
      })(),
    );
  }
  return saved.get(lab)!;
}

/** Lets it go on. @returns The first number that it counts then. */
async function goOn(lab: Lab, file: string, machine = counter(lab, file)): Promise<number | undefined> {
  await machine.restore(lab.file("state"));
  await machine.resume();
  await until(() => counts(lab, file).length > 1, 20);
  return counts(lab, file)[0];
}

/** In the order in which they are run. */
export const SAVING: readonly Probe[] = [
  {
    name: "savable",
    question: "Which devices can be saved, each in a machine that has no other?",
    expected: "entropy, balloon, console, NAT card and virtio disk; of the others it is only asked",
    run(lab) {
      requireMacOS("Saving a machine", "14.0");
      const { needed, others } = devices(lab);
      const refused = ([name, change]: [string, Change]) => {
        const words = refusalOf(change);
        return words === undefined ? [] : [`${name}: ${words}`];
      };
      const failed = Object.entries(needed).flatMap(refused);
      const seen = [...failed, ...Object.entries(others).flatMap(refused)];
      return found(failed.length === 0, seen.length > 0 ? `not ${seen.join("; ")}` : "all of them");
    },
  },
  {
    name: "save-restore",
    question: "Does a Linux guest go on where it was saved, in another machine like it with a new console?",
    expected: "it counts on from the number at which it was saved",
    async run(lab) {
      const at = await save(lab);
      const machine = counter(lab, "restored");
      const first = await goOn(lab, "restored", machine);
      await machine.stop();
      return found(first === at + 1, `saved at ${at}, then ${first}`);
    },
  },
  {
    name: "restore-twice",
    question: "Do two machines of one identity go on at once from one state, as -snapshot -incoming has it?",
    expected: "both count on",
    async run(lab) {
      const at = await save(lab);
      const machines = ["one", "two"].map((file) => ({ file, machine: counter(lab, file) }));
      const firsts: (number | undefined)[] = [];
      try {
        for (const { file, machine } of machines) firsts.push(await goOn(lab, file, machine));
      } finally {
        for (const { machine } of machines) await machine.stop().catch(() => {});
      }
      return found(firsts.every((first) => first === at + 1), `saved at ${at}, then ${firsts.join(" and ")}`);
    },
  },
  {
    name: "restore-identity",
    question: "With what is a state refused that is of a machine with another identity?",
    expected: "VZErrorDomain 12, an invalid argument, and the machine stays stopped",
    async run(lab) {
      await save(lab);
      const machine = counter(lab, "alien", VZGenericMachineIdentifier.create());
      const error = await machine.restore(lab.file("state")).then(() => undefined, (error) => error);
      const state = await machine.state();
      if (!error) await machine.stop();
      const isRefused = error instanceof NSError && error.code === 12 &&
        /invalid argument/i.test(error.message);
      return found(isRefused && state === "stopped", `${error ? wordsOf(error) : "it is taken"}; ${state}`);
    },
  },
  {
    name: "save-over",
    question: "Is a file that is there written over by a state?",
    expected: "VZErrorDomain 11, and the machine stays paused",
    async run(lab) {
      await save(lab);
      const machine = counter(lab, "over");
      await machine.restore(lab.file("state"));
      const error = await machine.save(lab.file("state")).then(() => undefined, (error) => error);
      const state = await machine.state();
      await machine.stop();
      const isRefused = error instanceof NSError && error.code === 11;
      return found(isRefused && state === "paused", `${error ? wordsOf(error) : "it is"}; ${state}`);
    },
  },
];
