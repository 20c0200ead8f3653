/** Probes of disks on USB that come and go, and of the balloon. They need no guest that knows either. */

import { elements, type NSError, type NSObject } from "../../src/objc/mod.ts";
import {
  VZUSBMassStorageDevice,
  VZUSBMassStorageDeviceConfiguration,
  VZVirtioTraditionalMemoryBalloonDeviceConfiguration,
  VZVirtualMachineConfiguration,
  VZXHCIControllerConfiguration,
} from "../../src/vz/mod.ts";
import { image, isFree } from "./guest.ts";
import { configuration, Machine, wordsOf } from "./machine.ts";
import { found, type Probe, until } from "./probe.ts";

const MiB = 2 ** 20;

/** VZErrorDomain's. */
const ALREADY_ATTACHED = 30002, INITIALIZATION_FAILURE = 30003, NOT_FOUND = 30004, INVALID_STATE = 3;

function usbDisk(path: string): VZUSBMassStorageDeviceConfiguration {
  return VZUSBMassStorageDeviceConfiguration.create(image(path));
}

/** A machine with a USB controller. @throws {UnavailableError} Before macOS 15. */
function withController(): VZVirtualMachineConfiguration {
  const made = configuration();
  made.usbControllers = [VZXHCIControllerConfiguration.create()];
  return made;
}

async function controllerOf(machine: Machine): Promise<NSObject> {
  const [controller] = elements(await machine.call("usbControllers") as NSObject);
  return controller;
}

async function countOf(machine: Machine, controller: NSObject): Promise<number> {
  return elements(await machine.callTo(controller, "usbDevices") as NSObject).length;
}

const attach = (machine: Machine, controller: NSObject, device: NSObject) =>
  machine.completeTo(controller, "attachDevice:completionHandler:", device);
const detach = (machine: Machine, controller: NSObject, device: NSObject) =>
  machine.completeTo(controller, "detachDevice:completionHandler:", device);

function seen(error: NSError | undefined): string {
  return error ? wordsOf(error) : "done";
}

/** In the order in which they are run. */
export const USB: readonly Probe[] = [
  {
    name: "usb-plug",
    question:
      "Can a disk be attached to a running machine, once, and detached, once; and is its lock gone then?",
    expected: "done, VZErrorDomain 30002, done, 30004; the image is locked while it is there",
    async run(lab) {
      await using machine = await Machine.create(withController());
      const failed = await machine.start();
      if (failed) return found(false, `at the start: ${wordsOf(failed)}`);
      const usb = await controllerOf(machine);
      const path = lab.disk("stick");
      const device = VZUSBMassStorageDevice.create(usbDisk(path));
      const answers = [await attach(machine, usb, device), await attach(machine, usb, device)];
      const [there, locked] = [await countOf(machine, usb), !isFree(path)];
      answers.push(await detach(machine, usb, device), await detach(machine, usb, device));
      const free = await until(() => isFree(path), 3);
      const codes = answers.map((error) => error?.code ?? 0);
      const holds = codes.join() === [0, ALREADY_ATTACHED, 0, NOT_FOUND].join() && there === 1 && locked &&
        free;
      const lock = `${locked ? "locked" : "free"}, then ${free ? "free" : "locked"}`;
      return found(holds, `${answers.map(seen).join("; ")}; ${there} device there; ${lock}`);
    },
  },
  {
    name: "usb-paused",
    question: "Can a disk be attached to a machine that is paused, and detached?",
    expected: "both are done",
    async run(lab) {
      await using machine = await Machine.create(withController());
      const errors = [await machine.start(), await machine.complete("pauseWithCompletionHandler:")];
      const usb = await controllerOf(machine);
      const device = VZUSBMassStorageDevice.create(usbDisk(lab.disk("paused-stick")));
      errors.push(await attach(machine, usb, device), await detach(machine, usb, device));
      return found(errors.every((error) => !error), errors.slice(2).map(seen).join("; "));
    },
  },
  {
    name: "usb-stopped",
    question: "With what is a disk refused by a machine that does not run?",
    expected: "VZErrorDomain 3, an invalid state",
    async run(lab) {
      await using machine = await Machine.create(withController());
      const usb = await controllerOf(machine);
      if (!usb) return found(false, "there is no controller before the start");
      const device = VZUSBMassStorageDevice.create(usbDisk(lab.disk("early-stick")));
      const error = await attach(machine, usb, device);
      return found(error?.code === INVALID_STATE, seen(error));
    },
  },
  {
    name: "usb-in-use",
    question: "With what is a disk refused whose image is locked?",
    expected: "VZErrorDomain 30003, and the machine runs on",
    async run(lab) {
      await using machine = await Machine.create(withController());
      const failed = await machine.start();
      if (failed) return found(false, `at the start: ${wordsOf(failed)}`);
      const path = lab.disk("locked-stick");
      using file = Deno.openSync(path);
      file.lockSync(false);
      const device = VZUSBMassStorageDevice.create(usbDisk(path));
      const error = await attach(machine, await controllerOf(machine), device);
      const state = await machine.state();
      return found(error?.code === INITIALIZATION_FAILURE && state === "running", `${seen(error)}; ${state}`);
    },
  },
  {
    name: "usb-disk-and-controller",
    question: "Does a machine start that has a controller, and a disk on USB among its storage devices?",
    expected: "it does",
    async run(lab) {
      const made = withController();
      made.storageDevices = [usbDisk(lab.disk("first-stick"))];
      await using machine = await Machine.create(made);
      const failed = await machine.start();
      if (failed) return found(false, wordsOf(failed));
      const count = await countOf(machine, await controllerOf(machine));
      return found(true, `it runs; the controller has ${count} devices`);
    },
  },
  {
    name: "balloon-target",
    question: "How is the balloon's target rounded?",
    expected: "at first all of the memory; then down to whole MiB, and up to the least memory of a machine",
    async run() {
      const made = configuration();
      made.memoryBalloonDevices = [VZVirtioTraditionalMemoryBalloonDeviceConfiguration.create()];
      await using machine = await Machine.create(made);
      const failed = await machine.start();
      if (failed) return found(false, `at the start: ${wordsOf(failed)}`);
      const [balloon] = elements(await machine.call("memoryBalloonDevices") as NSObject);
      const target = async (bytes?: number) => {
        if (bytes) await machine.callTo(balloon, "setTargetVirtualMachineMemorySize:", bytes);
        return Number(await machine.callTo(balloon, "targetVirtualMachineMemorySize"));
      };
      const { minimum } = VZVirtualMachineConfiguration.limits().memory;
      const targets = [await target(), await target(256 * MiB + 1), await target(MiB)];
      const expected = [512 * MiB, 256 * MiB, Math.max(MiB, minimum)];
      return found(
        targets.join() === expected.join(),
        `${targets.join(", ")} bytes; the least is ${minimum}`,
      );
    },
  },
];
