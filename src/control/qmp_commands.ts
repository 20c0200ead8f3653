/** The commands of QMP. What `query-commands` tells and docs/qmp.md are made of this table. */

import { hmp } from "./hmp.ts";
import { blockInfo } from "./qmp_block.ts";
import type { ControlledMachine } from "./controlled_machine.ts";
import { QMPError } from "./qmp_error.ts";
import { VERSION } from "./qmp_version.ts";

/** What a member of a command's arguments is; with `?` it may be missing. */
export type Kind = "str" | "int" | "bool" | "object" | "list";

/** Arguments that fit their command's table. */
export type Arguments = Readonly<Record<string, unknown>>;

/** Who has given a command. */
export interface QMPSession {
  /** Capabilities have been agreed on: from then on there are commands and events. */
  negotiated: boolean;
  /** It wants to hear of migrations. */
  migrationEvents: boolean;
}

/** A command. */
export interface Command {
  /** For people. */
  help: string;
  /** Its arguments. */
  arguments?: Readonly<Record<string, Kind | `${Kind}?`>>;
  /** It has arguments beside these, which it looks at itself. */
  open?: boolean;
  /** There is none: it says why. `query-commands` does not name it. */
  refused?: boolean;
  /** @returns What it answers; nothing is `{}`. @throws {Error} What it cannot do. */
  run(machine: ControlledMachine, args: Arguments, session: QMPSession): unknown;
}

/** A command of qemu's that the framework has nothing for. */
function cannot(why: string): Command {
  return {
    help: why,
    open: true,
    refused: true,
    run: () => {
      throw new QMPError(why);
    },
  };
}

const FILE = "file:";

/** Where a migration goes. @throws {QMPError} When that is no file. */
function pathOf(uri: unknown): string {
  const text = String(uri);
  if (text.startsWith(FILE) && text.length > FILE.length) return text.slice(FILE.length);
  throw new QMPError(`'${text}': a machine is saved to file:PATH`);
}

/** The processors. Threads of theirs are the framework's: it is the program's process that there is to name. */
function processors({ machine }: ControlledMachine): unknown[] {
  return Array.from({ length: machine.machine.processors }, (_, i) => ({
    "thread-id": Deno.pid,
    props: { "core-id": i, "thread-id": 0, "socket-id": 0 },
    "qom-path": `/machine/unattached/device[${i}]`,
    "cpu-index": i,
    target: Deno.build.arch,
  }));
}

/** All commands, by name. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  "qmp_capabilities": {
    help: "ends the negotiation; there are no capabilities to enable",
    arguments: { enable: "list?" },
    run: (_, { enable }, session) => {
      if (session.negotiated) {
        const why = "Capabilities negotiation is already complete, command ignored";
        throw new QMPError(why, "CommandNotFound");
      }
      const [wanted] = (enable ?? []) as unknown[];
      if (wanted !== undefined) throw new QMPError(`Capability '${wanted}' is not available`);
      session.negotiated = true;
    },
  },
  "query-version": { help: "whose protocol it is, and vzrun's version", run: () => VERSION },
  "query-commands": {
    help: "the names of all commands that are done",
    run: () => Object.keys(COMMANDS).filter((name) => !COMMANDS[name].refused).map((name) => ({ name })),
  },
  "query-status": { help: "whether the guest runs", run: (machine) => machine.status() },
  "query-name": {
    help: "the machine's name",
    run: ({ machine: { machine: { name } } }) => ({ ...name !== undefined && { name } }),
  },
  "query-cpus-fast": { help: "the processors; thread-id is vzrun's process", run: processors },
  "query-block": { help: "the disks", run: blockInfo },
  "query-balloon": {
    help: "the memory that the guest is to keep, in bytes",
    run: async (machine) => ({ actual: await machine.balloon() }),
  },
  "query-migrate": {
    help: "how far the saving has come: status is active, completed or failed",
    run: ({ migration }) => migration ?? {},
  },
  "migrate-set-capabilities": {
    help: "events: MIGRATION is told from then on",
    arguments: { capabilities: "list" },
    run: (_, { capabilities }, session) => {
      for (const one of capabilities as { capability?: unknown; state?: unknown }[]) {
        if (typeof one !== "object" || one === null) {
          throw new QMPError("Invalid parameter type for 'capabilities[0]', expected: object");
        }
        if (one.capability !== "events") {
          throw new QMPError(`Capability '${one.capability}' is not available: events is`);
        }
        session.migrationEvents = Boolean(one.state);
      }
    },
  },
  "stop": { help: "halts the guest", run: (machine) => machine.stop() },
  "cont": { help: "lets it go on; with -S, starts it", run: (machine) => machine.cont() },
  "system_powerdown": { help: "presses the power button", run: (machine) => machine.powerdown() },
  "quit": { help: "ends the machine at once", run: (machine) => machine.quit() },
  "balloon": {
    help: "sets how much memory the guest is to keep, in bytes",
    arguments: { value: "int" },
    run: (machine, { value }) => machine.setBalloon(value as number),
  },
  "blockdev-add": {
    help:
      "names an image for device_add; driver is raw, qcow2 or file, with filename or file; read-only, cache",
    arguments: { driver: "str", "node-name": "str" },
    open: true,
    run: (machine, args) => machine.plugged.addNode(args),
  },
  "blockdev-del": {
    help: "forgets it",
    arguments: { "node-name": "str" },
    run: (machine, { "node-name": name }) => machine.plugged.removeNode(String(name)),
  },
  "device_add": {
    help:
      "attaches a disk: driver is usb-storage, drive the node; needs a USB controller (-device qemu-xhci)",
    arguments: { driver: "str", id: "str?", drive: "str?", bus: "str?" },
    open: true,
    run: (machine, args) => machine.plug(args),
  },
  "device_del": {
    help: "takes it out; DEVICE_DELETED says when it is gone",
    arguments: { id: "str" },
    run: (machine, { id }) => machine.unplug(String(id)),
  },
  "migrate": {
    help: "saves the machine to uri=file:PATH, a folder for -incoming; it stands still from then on",
    arguments: { uri: "str", detach: "bool?" },
    run: (machine, { uri }) => machine.migrate(pathOf(uri)),
  },
  "human-monitor-command": {
    help: "a line for people: info status, stop, cont, system_powerdown, balloon, quit …",
    arguments: { "command-line": "str", "cpu-index": "int?" },
    run: (machine, { "command-line": line }) => hmp(machine, String(line)),
  },
  "system_reset": cannot("Virtualization cannot reset a guest: reboot in the guest, or quit and start again"),
  "system_wakeup": cannot("Virtualization has no sleep of the guest's to end"),
  "inject-nmi": cannot("Virtualization cannot send an NMI"),
  "dump-guest-memory": cannot("Virtualization does not show the guest's memory"),
  "screendump": cannot("Virtualization takes no picture of the screen"),
  "send-key": cannot("keys are typed in the window"),
  "savevm": cannot("a machine is saved by migrate with uri=file:PATH"),
  "snapshot-save": cannot("a machine is saved by migrate with uri=file:PATH"),
  "snapshot-load": cannot("a saved machine is restored by -incoming file:PATH"),
  "migrate_cancel": cannot("Virtualization cannot be stopped while it saves"),
};

/** Whether a value is of a kind. */
function isOf(kind: Kind, value: unknown): boolean {
  switch (kind) {
    case "str":
      return typeof value === "string";
    case "int":
      return Number.isSafeInteger(value);
    case "bool":
      return typeof value === "boolean";
    case "list":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
}

/** qemu's words for the kinds. */
const WORDS: Record<Kind, string> = {
  str: "string",
  int: "integer",
  bool: "boolean",
  list: "array",
  object: "object",
};

/** @throws {QMPError} When a command's arguments do not fit it. */
export function checkArguments({ arguments: known = {}, open }: Command, given: Arguments): void {
  for (const [name, kind] of Object.entries(known)) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const isOptional = kind.endsWith("?");
    if (value === undefined && !isOptional) throw new QMPError(`Parameter '${name}' is missing`);
    const wanted = kind.replace("?", "") as Kind;
    if (value !== undefined && !isOf(wanted, value)) {
      throw new QMPError(`Invalid parameter type for '${name}', expected: ${WORDS[wanted]}`);
    }
  }
  const unexpected = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (unexpected !== undefined && !open) throw new QMPError(`Parameter '${unexpected}' is unexpected`);
}
