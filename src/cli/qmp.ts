/** QMP on the command line: where it is spoken, and what it does with the run. */

import { ControlledMachine } from "../control/controlled_machine.ts";
import { type QMPPlace, QMPServer } from "../control/qmp_server.ts";
import type { Description } from "../machine/machine.ts";
import type { ProgramFile } from "../machine/run_context.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import { checkSocket } from "./check_socket.ts";
import { EXIT } from "./exit.ts";
import * as log from "./log.ts";
import type { Shutdown } from "./shutdown.ts";
import { UsageError } from "./usage_error.ts";

/** Speaks QMP for a run. */
export class QMP {
  /** Its sockets at paths, which are made when everything of the machine is checked. */
  readonly files: ProgramFile[] = [];
  readonly #others: QMPPlace[] = [];
  readonly #servers: QMPServer[] = [];

  /** @throws {UsageError} When standard input and output would be two things. */
  constructor(places: readonly QMPPlace[], { serial }: Description) {
    const stdio = places.filter(({ kind }) => kind === "stdio").length;
    if (stdio > 0 && serial?.some(({ kind }) => kind === "stdio")) {
      throw new UsageError(
        "-qmp stdio: the console has stdio; -serial none, or another -serial, leaves it to QMP",
      );
    }
    if (stdio > 1) throw new UsageError("-qmp stdio is given twice: there is one stdin");
    for (const place of places) {
      if (place.kind !== "listen" || !("path" in place)) {
        this.#others.push(place);
        continue;
      }
      const { path } = place;
      const open = async () => await this.#open(place);
      this.files.push({ what: "the socket of QMP", path, check: () => checkSocket(path), open });
    }
  }

  async #open(place: QMPPlace): Promise<QMPServer> {
    const server = await QMPServer.open(place);
    this.#servers.push(server);
    return server;
  }

  /**
   * Opens what is at no path of its own.
   *
   * @throws {FileError} When that cannot be.
   */
  async open(resources: AsyncDisposableStack): Promise<void> {
    for (const place of this.#others) resources.use(await this.#open(place));
  }

  /**
   * Serves clients, and starts the machine: at once, when a client has come, or when one says so.
   *
   * @param waits For cont.
   */
  async serve(machine: VirtualMachine, shutdown: Shutdown, waits: boolean): Promise<void> {
    const started = Promise.withResolvers<void>();
    const start = () => {
      shutdown.start(machine).then(started.resolve, started.reject);
      return started.promise;
    };
    const quit = () => shutdown.force("QMP's quit", EXIT.stopped);
    const controlled = await ControlledMachine.of(
      machine,
      { start, quit },
      waits ? undefined : started.promise,
    );
    await Promise.all(this.#servers.map((server) => server.serve(controlled, log)));
    if (!waits) start();
    await started.promise;
  }
}
