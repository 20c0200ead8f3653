/** A machine as qemu's protocol sees it: its status, which of qemu's there are more of than Apple's, and its events. */

import type { Disk } from "../machine/disk.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import type { State } from "../vz/mod.ts";
import { PluggedDisks } from "./plugged_disks.ts";
import { QMPError, toQMPError } from "./qmp_error.ts";

/** What the program that runs the machine does for who controls it. */
export interface Runner {
  /** Starts the machine, once: `-S` has it wait for `cont`. */
  start(): Promise<void>;
  /** Ends the machine, and the program's run of it. */
  quit(): void;
}

/** A migration as `query-migrate` tells of it. */
export interface Migration {
  status: "active" | "completed" | "failed";
  "error-desc"?: string;
  /** In milliseconds. */
  "total-time"?: number;
}

/** Something that has happened, for clients. */
export interface QMPEvent {
  event: string;
  data?: Record<string, unknown>;
}

/** The events, and when they are told. */
export const EVENTS = {
  STOP: "the guest stands still",
  RESUME: "it runs, or goes on",
  POWERDOWN: "its power button was pressed",
  SHUTDOWN: "it has ended; guest and reason say why",
  BALLOON_CHANGE: "the memory that it is to keep was set",
  DEVICE_DELETED: "a device was unplugged",
  MIGRATION: "a saving has come further; after migrate-set-capabilities only",
} as const;

/** qemu's states of a run, as far as there are the like. Source: qapi/run-state.json. */
const STATUS: Record<State, string> = {
  starting: "prelaunch",
  running: "running",
  pausing: "running",
  paused: "paused",
  resuming: "paused",
  saving: "finish-migrate",
  restoring: "inmigrate",
  stopping: "shutdown",
  stopped: "shutdown",
  error: "internal-error",
};

/** A running machine, or one that waits for its start, with what the commands of QMP and HMP do. */
export class ControlledMachine {
  /** Who asked for an end. */
  #quit = false;
  /** Undefined before its start. */
  #state?: State;
  #started: boolean;
  #postmigrate = false;
  #migration?: Migration;
  /** Commands that change the state come one after another. */
  #changing: Promise<unknown>;
  /** Those that have come while it runs. */
  readonly plugged: PluggedDisks;
  readonly #listeners = new Set<(event: QMPEvent) => void>();

  /**
   * @param waiting Settles when the machine runs; undefined when it waits for `cont`.
   */
  private constructor(
    readonly machine: VirtualMachine,
    readonly runner: Runner,
    waiting: Promise<void> | undefined,
  ) {
    this.plugged = new PluggedDisks(machine);
    this.#started = waiting !== undefined;
    this.#changing = waiting?.catch(() => {}) ?? Promise.resolve();
  }

  /**
   * A machine that is controlled from now on.
   *
   * @param started Settles when it runs; undefined when it waits for `cont`.
   */
  static async of(
    machine: VirtualMachine,
    runner: Runner,
    started: Promise<void> | undefined,
  ): Promise<ControlledMachine> {
    const controlled = new ControlledMachine(machine, runner, started);
    await machine.watchState((state) => controlled.#changed(state));
    return controlled;
  }

  /** Calls a function with each event from now on. @returns What ends that. */
  listen(listener: (event: QMPEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the listeners. */
  emit(event: keyof typeof EVENTS, data?: Record<string, unknown>): void {
    for (const listener of this.#listeners) listener({ event, ...data && { data } });
  }

  #changed(state: State): void {
    const before = this.#state;
    this.#state = state;
    if (state === "paused" && before !== "saving" && before !== "restoring") this.emit("STOP");
    if (state === "running") {
      this.#postmigrate = false;
      this.emit("RESUME");
    }
    if (state === "error" || (state === "stopped" && before !== "error")) {
      const guest = state === "stopped" && before !== "stopping";
      const reason = this.#quit
        ? "host-qmp-quit"
        : guest
        ? "guest-shutdown"
        : state === "error"
        ? "host-error"
        : "host-signal";
      this.emit("SHUTDOWN", { guest, reason });
    }
  }

  /** As `query-status` has it. */
  status(): { status: string; running: boolean } {
    if (!this.#state) return { status: "prelaunch", running: false };
    const status = this.#postmigrate && this.#state === "paused" ? "postmigrate" : STATUS[this.#state];
    return { status, running: status === "running" };
  }

  /** Does what changes the state, when what was begun before is done. */
  #change<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = result.catch(() => {});
    return result;
  }

  #refuseUnstarted(): void {
    if (!this.#started) throw new QMPError("the machine has not been started: cont starts it");
  }

  /** Halts the guest; one that stands still already stays so. */
  stop(): Promise<void> {
    return this.#change(async () => {
      if (this.#started && this.#state !== "paused") await this.machine.pause();
    });
  }

  /** Starts the guest, or lets it go on; one that runs does so. */
  cont(): Promise<void> {
    return this.#change(async () => {
      if (!this.#started) {
        this.#started = true;
        await this.runner.start();
      } else if (this.#state !== "running") {
        await this.machine.resume();
      }
    });
  }

  /** Presses the power button. */
  powerdown(): Promise<void> {
    this.#refuseUnstarted();
    return this.#change(async () => {
      if (this.#state === "paused") {
        throw new QMPError("the guest stands still and hears nothing: cont first");
      }
      await this.machine.requestStop();
      this.emit("POWERDOWN");
    });
  }

  /** Ends the machine. */
  quit(): void {
    this.#quit = true;
    if (!this.#state) this.emit("SHUTDOWN", { guest: false, reason: "host-qmp-quit" });
    if (this.#migration?.status === "active") this.#changing.then(() => this.runner.quit());
    else this.runner.quit();
  }

  /** The balloon's target, in bytes. */
  async balloon(): Promise<number> {
    return this.#started ? await this.machine.memoryTarget() : this.machine.machine.memory;
  }

  /** Sets the balloon's target, in bytes; the framework has whole MiB. */
  async setBalloon(bytes: number): Promise<void> {
    this.#refuseUnstarted();
    if (bytes <= 0) throw new QMPError("Parameter 'value' expects a size");
    const target = Math.min(bytes, this.machine.machine.memory); // as qemu has it
    await this.machine.setMemoryTarget(Math.floor(target / 2 ** 20) * 2 ** 20);
    this.emit("BALLOON_CHANGE", { actual: await this.machine.memoryTarget() });
  }

  /** As `query-migrate` has it. */
  get migration(): Migration | undefined {
    return this.#migration;
  }

  /**
   * Begins to save the machine, which halts it. How that goes, `migration` tells.
   *
   * @param path Where to.
   */
  migrate(path: string): void {
    this.#refuseUnstarted();
    if (this.#migration?.status === "active") throw new QMPError("There's a migration process in progress");
    const began = performance.now();
    const now = (migration: Migration) => {
      this.#migration = migration;
      this.emit("MIGRATION", { status: migration.status });
    };
    now({ status: "active" });
    this.#change(async () => {
      const ran = this.#state === "running";
      try {
        if (ran) await this.machine.pause();
        await this.machine.save(path);
        this.#postmigrate = true;
        now({ status: "completed", "total-time": Math.round(performance.now() - began) });
      } catch (error) {
        if (ran && this.#state === "paused") await this.machine.resume();
        now({ status: "failed", "error-desc": toQMPError(error).message });
      }
    }).catch(() => {}); // it has ended meanwhile
  }

  /** Attaches a disk that blockdev-add has named. */
  plug(device: Readonly<Record<string, unknown>>): Promise<void> {
    this.#refuseUnstarted();
    return this.#change(() => this.plugged.addDevice(device));
  }

  /** Takes one out again. */
  unplug(name: string): Promise<void> {
    const id = name.replace("/machine/peripheral/", "");
    return this.#change(async () => {
      await this.plugged.removeDevice(id);
      this.emit("DEVICE_DELETED", { device: id, path: `/machine/peripheral/${id}` });
    });
  }

  /** Its disks by qemu's names, those that have come while it runs too. */
  get disks(): { device: string; id: string; node: string; disk: Disk }[] {
    const own = this.machine.machine.disks.map((disk, i) => {
      const name = `${disk.interface}${i}`;
      return { device: name, id: name, node: name, disk };
    });
    return [...own, ...this.plugged.disks.map((plugged) => ({ device: "", ...plugged }))];
  }
}
