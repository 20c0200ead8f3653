/** The few commands for people, HMP, that make sense here; `human-monitor-command` has them. */

import type { ControlledMachine } from "./controlled_machine.ts";
import { toQMPError } from "./qmp_error.ts";
import { VERSION } from "./qmp_version.ts";

/** A command for people. @returns Lines. */
interface Word {
  help: string;
  /** Something stands behind it. */
  takes?: boolean;
  run(machine: ControlledMachine, rest: string): Promise<string[] | void> | string[] | void;
}

const MiB = 2 ** 20;

/** What `info` tells. */
export const HMP_INFO: Readonly<Record<string, Word>> = {
  status: {
    help: "whether the guest runs",
    run: (machine) => {
      const { status, running } = machine.status();
      const why = running || status === "paused" ? "" : ` (${status})`;
      return [`VM status: ${running ? "running" : "paused"}${why}`];
    },
  },
  name: { help: "the machine's name", run: ({ machine: { machine: { name } } }) => [name ?? ""] },
  version: { help: "vzrun's version", run: () => [VERSION.package] },
  balloon: {
    help: "the memory that the guest is to keep",
    run: async (machine) => [`balloon: actual=${await machine.balloon() / MiB}`],
  },
  cpus: {
    help: "the processors",
    run: ({ machine: { machine: { processors } } }) =>
      Array.from({ length: processors }, (_, i) => `${i === 0 ? "*" : " "} CPU #${i}: thread_id=${Deno.pid}`),
  },
  block: {
    help: "the disks",
    run: ({ disks }) =>
      disks.map(({ id, disk: { file, readOnly } }) => `${id}: ${file} (raw${readOnly ? ", read-only" : ""})`),
  },
  migrate: {
    help: "how far the saving has come",
    run: ({ migration }) => {
      if (!migration) return [];
      const why = migration["error-desc"];
      return [`Migration status: ${migration.status}${why === undefined ? "" : ` (${why})`}`];
    },
  },
};

/** What cannot be, and what to use. */
export const HMP_REFUSED: Readonly<Record<string, string>> = {
  savevm: "a machine is saved by migrate file:PATH",
  loadvm: "a saved machine is restored by vzrun -incoming file:PATH",
  delvm: "a saved machine is a folder: remove it",
  system_reset: "Virtualization cannot reset a guest: reboot in the guest, or quit and start again",
};

/** Commands. */
export const HMP_WORDS: Readonly<Record<string, Word>> = {
  help: { help: "this list", run: () => helpLines() },
  stop: { help: "halts the guest", run: (machine) => machine.stop() },
  cont: { help: "lets it go on", run: (machine) => machine.cont() },
  system_powerdown: { help: "presses the power button", run: (machine) => machine.powerdown() },
  quit: { help: "ends the machine at once", run: (machine) => machine.quit() },
  balloon: {
    help: "balloon MIB: how much memory the guest is to keep",
    takes: true,
    run: (machine, rest) => {
      if (!/^\d+$/.test(rest)) throw new Error("balloon: expected a number of MiB");
      return machine.setBalloon(Number(rest) * MiB);
    },
  },
  migrate: {
    help: "migrate file:PATH: saves the machine",
    takes: true,
    run: (machine, rest) => {
      const [, path] = /^(?:-d\s+)?"?file:(.+?)"?$/.exec(rest) ?? [];
      if (path === undefined) throw new Error("migrate: expected file:PATH");
      return machine.migrate(path);
    },
  },
};
const SHORT: Readonly<Record<string, string>> = { c: "cont", s: "stop", q: "quit", "?": "help" };

function helpLines(): string[] {
  return [
    ...Object.entries(HMP_WORDS).map(([word, { help }]) => `${word} -- ${help}`),
    ...Object.entries(HMP_INFO).map(([word, { help }]) => `info ${word} -- ${help}`),
  ];
}

function has<T>(words: Readonly<Record<string, T>>, word: string): T | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined;
}

/** Does what a line for people says. @returns What they are shown, errors too, in lines that end with CRLF. */
export async function hmp(machine: ControlledMachine, line: string): Promise<string> {
  const [, first, rest] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line)!;
  const lines = (of: string[]) => of.map((one) => `${one}\r\n`).join("");
  if (first === "") return "";
  const name = has(SHORT, first) ?? first;
  const refusal = has(HMP_REFUSED, name);
  if (refusal !== undefined) return lines([`Error: ${refusal}`]);
  const word = name === "info" ? has(HMP_INFO, rest) : has(HMP_WORDS, name);
  if (!word) {
    if (name !== "info") return lines([`unknown command: '${first}'`]);
    return lines(Object.entries(HMP_INFO).map(([of, { help }]) => `info ${of} -- ${help}`));
  }
  if (name !== "info" && rest !== "" && !word.takes) {
    return lines([`${first}: extraneous characters at the end of line`]);
  }
  try {
    return lines(await word.run(machine, name === "info" ? "" : rest) ?? []);
  } catch (error) {
    return lines([`Error: ${toQMPError(error).message}`]);
  }
}
