/** What a run serves beside its machine: REST, Ignition's file, the time. Each is loaded when it is asked for. */

import type { RESTServer } from "../control/rest_server.ts";
import { Cleanup } from "../machine/cleanup.ts";
import type { ProgramFile } from "../machine/run_context.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import * as log from "./log.ts";
import type { RunOptions } from "./run_options.ts";
import type { Shutdown } from "./shutdown.ts";

type Asked = Pick<RunOptions, "rest" | "ignition" | "timeSync">;

/** The services of a run. */
export class Services {
  /** Sockets at paths, which are made when everything of the machine is checked. */
  readonly files: ProgramFile[] = [];
  readonly #asked: Asked;
  #rest?: RESTServer;

  private constructor(asked: Asked) {
    this.#asked = asked;
  }

  /** @throws {FileError} When a file cannot be read. */
  static async of(asked: Asked): Promise<Services> {
    const services = new Services(asked);
    const { rest, ignition } = asked;
    if (ignition !== undefined) (await import("../control/ignition.ts")).checkIgnition(ignition);
    if (rest && "path" in rest.place) {
      const { path } = rest.place;
      const { checkSocket } = await import("./check_socket.ts");
      const open = async () => await services.#open();
      services.files.push({ what: "the socket of REST", path, check: () => checkSocket(path), open });
    }
    return services;
  }

  async #open(): Promise<RESTServer> {
    const { RESTServer } = await import("../control/rest_server.ts");
    return this.#rest = await RESTServer.open(this.#asked.rest!.place);
  }

  /**
   * Opens what is at no path of its own.
   *
   * @throws {FileError} When that cannot be.
   */
  async open(resources: AsyncDisposableStack): Promise<void> {
    const { rest } = this.#asked;
    if (!rest || "path" in rest.place) return;
    const { place } = resources.use(await this.#open());
    if (rest.place.port === 0) log.result(`REST is at ${place}`);
  }

  /**
   * Serves, from before the machine's start.
   *
   * @returns What ends that.
   */
  async serve(machine: VirtualMachine, shutdown: Shutdown): Promise<AsyncDisposable> {
    const serving = new Cleanup(log);
    const { rest, ignition, timeSync } = this.#asked;
    this.#rest?.serve({
      machine,
      inspect: () => withPtys(rest!.inspect, machine),
      hardStop: () => shutdown.force("REST's HardStop", 0),
    });
    if (ignition !== undefined) {
      const { serveIgnition } = await import("../control/ignition.ts");
      serving.use(await serveIgnition(machine, ignition, log));
    }
    if (timeSync !== undefined) {
      const { keepTime } = await import("../control/time_sync.ts");
      serving.use(keepTime(machine, timeSync, log));
    }
    return serving;
  }
}

interface Inspected {
  devices?: { usesPty?: boolean }[];
}

/** What inspect tells, with the names of pseudo-terminals, which are known only when they are open. */
function withPtys(told: unknown, { consoles }: VirtualMachine): unknown {
  const { devices } = told as Inspected;
  if (!devices?.some(({ usesPty }) => usesPty)) return told;
  const names = consoles.flatMap((console) => console.kind === "pty" ? console.path : []);
  return {
    ...told as Inspected,
    devices: devices.map((device) => device.usesPty ? { ...device, ptyName: names.shift() } : device),
  };
}
