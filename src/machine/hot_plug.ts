/** Disks that come and go while a machine runs: on USB, prepared as those of its start are. */

import {
  UnavailableError,
  type VZUSBController,
  VZUSBMassStorageDevice,
  type VZVirtualMachine,
} from "../vz/mod.ts";
import { attachBlockDevice } from "./block_device.ts";
import { Cleanup, Rollback } from "./cleanup.ts";
import {
  checkDisk,
  completeDisk,
  type Disk,
  makeImage,
  openDisk,
  type OpenedDisk,
  prepareDisk,
} from "./disk.ts";
import { configureUSBDisk } from "./disk_device.ts";
import { isImage } from "./disk_place.ts";
import { MachineError, refusableLater, Setting } from "./error.ts";
import { checkConflicts } from "./file_conflicts.ts";
import { waitForDisk } from "./file_locks.ts";
import type { Machine } from "./machine.ts";
import type { RunContext } from "./run_context.ts";
import { checkDiskShape } from "./shape.ts";

/** A disk as a description has it, for a machine that runs. It is on USB. */
export type PluggableDisk = Partial<Disk> & Pick<Disk, "file">;

/** A disk that was attached to a running machine; detached at the end of a block that has it with `await using`. */
export interface AttachedDisk extends AsyncDisposable {
  /** With the file that is used in the place of the one that was given. */
  readonly disk: Disk;
  /**
   * Takes it from the guest, which is not asked: what it has not yet written is lost, as when a stick is pulled out.
   *
   * @throws {MachineError} When it was detached before, or the machine has ended.
   */
  detach(): Promise<void>;
}

/** Where errors are about it. */
const FIELD = "disk";

async function refuseUnavailable<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw new MachineError(error.message, { field: "usb", cause: error });
  }
}

/** The disks that come and go. */
export class HotPlug implements AsyncDisposable {
  /** Those that are there. */
  readonly attached: AttachedDisk[] = [];
  /** What is done now; the next comes after it, so that no two take one file. */
  #last: Promise<unknown> = Promise.resolve();
  readonly #ended = new AbortController();
  readonly #held: Cleanup;

  constructor(
    private readonly machine: Machine,
    private readonly framework: VZVirtualMachine,
    private readonly context: RunContext,
  ) {
    this.#held = new Cleanup(context);
  }

  /**
   * Attaches a disk.
   *
   * @throws {MachineError} When the machine does not run or has no controller, or the disk is not fit; before macOS 15.
   */
  attach(description: PluggableDisk): Promise<AttachedDisk> {
    return this.#inTurn(() => this.#attach(description));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => {
      if (this.#ended.signal.aborted) throw new MachineError("the machine has ended");
      return work();
    });
    this.#last = done.catch(() => {});
    return done;
  }

  async #attach(description: PluggableDisk): Promise<AttachedDisk> {
    const disk = completeDisk(checkDiskShape(description, FIELD), "usb");
    if (disk.interface !== "usb") {
      const reason = "a disk that comes while the machine runs is on USB";
      throw new MachineError(reason, { field: `${FIELD}.interface` });
    }
    const controller = await this.#controller();
    await using cleanup = new Cleanup(this.context);
    using rollback = new Rollback(this.context);
    const prepared = await this.#prepare(disk, cleanup, rollback);
    using configuration = configureUSBDisk(
      prepared,
      FIELD,
      isImage(prepared.file) ? undefined : attachBlockDevice,
    );
    const device = cleanup.use(VZUSBMassStorageDevice.create(configuration)); // it has the image open
    const what = `cannot attach disk '${prepared.file}'`;
    await refusableLater(`${FIELD}.file`, what, () => controller.attach(device));
    rollback.move();
    return this.#keep(prepared, controller, device, cleanup.move());
  }

  async #controller(): Promise<VZUSBController> {
    const state = await this.framework.state();
    if (state !== "running" && state !== "paused") {
      throw new MachineError(`the machine is ${state}: disks come and go while it runs`);
    }
    const controller = await refuseUnavailable(() => this.framework.usbController());
    if (controller) return controller;
    const remedy = ["a machine has one with ", new Setting("usb", true)];
    throw new MachineError("the machine has no USB controller for a disk", { field: "usb", remedy });
  }

  /** Everything that can be refused is checked before slow or persistent work. */
  async #prepare(disk: Disk, cleanup: Cleanup, rollback: Rollback): Promise<Disk> {
    const format = await checkDisk(disk, FIELD);
    const signal = AbortSignal.any([this.context.signal, this.#ended.signal]);
    const options = { dryRun: false, signal, cleanup, reporter: this.context };
    const opened = await openDisk(disk, format, FIELD, options);
    await this.#checkConflicts(opened);
    const prepared = await prepareDisk(opened, FIELD, options);
    makeImage(prepared, FIELD, rollback);
    await waitForDisk(prepared, FIELD);
    return prepared;
  }

  async #checkConflicts({ disk, sources }: OpenedDisk): Promise<void> {
    const before = [...this.machine.disks, ...this.attached.map(({ disk }) => disk)];
    const machine = { ...this.machine, disks: [...before, disk] };
    try {
      await checkConflicts(machine, this.context.files, [...before.map(() => []), sources]);
    } catch (error) {
      if (!(error instanceof MachineError)) throw error;
      throw new MachineError(error.reason, { field: `${FIELD}.file`, remedy: error.remedy });
    }
  }

  #keep(
    disk: Disk,
    controller: VZUSBController,
    device: VZUSBMassStorageDevice,
    cleanup: Cleanup,
  ): AttachedDisk {
    this.#held.use(cleanup);
    const isThere = () => this.attached.includes(attached);
    const detach = async () => {
      if (!isThere()) throw new MachineError(`disk '${disk.file}' was detached before`);
      const what = `cannot detach disk '${disk.file}'`;
      await refusableLater(`${FIELD}.file`, what, () => controller.detach(device));
      this.attached.splice(this.attached.indexOf(attached), 1);
      await cleanup.disposeAsync();
    };
    const attached: AttachedDisk = {
      disk,
      detach: () => this.#inTurn(detach),
      [Symbol.asyncDispose]: async () => {
        if (isThere() && !this.#ended.signal.aborted) await this.#inTurn(detach);
      },
    };
    this.attached.push(attached);
    return attached;
  }

  /** The machine has ended: gives back what its disks held. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new MachineError("the machine has ended"));
    await this.#last;
    this.attached.length = 0;
    await this.#held.disposeAsync();
  }
}
