import type { Progress } from "../images/progress.ts";
import type { SerialHandles } from "./serial.ts";

/** Hears what there is to say about a machine. */
export interface Reporter {
  /** Something that a user wants to know. */
  info(message: string): void;
  /** What is asked for by being told, like where a console is. */
  result(message: string): void;
  /** A step. */
  debug(message: string): void;
  /** Work that may take long: what it is, and then how far it has come, until it is disposed of. */
  progress(what: string): { update: Progress } & Disposable;
}

/** A file that the program writes while its machine runs, and that so must be none of the machine's. */
export interface ProgramFile {
  /** For people: `the pid file`. */
  what: string;
  /** Where it is. */
  path: string;
  /** Looks at it, and writes nothing: for a dry run. */
  check?(): void;
  /** Writes it, when everything of the machine is checked; what that returns is disposed of when the machine has ended. */
  open?(): Disposable | Promise<AsyncDisposable>;
}

/** What a machine gets from the program that runs it. */
export interface RunContext extends Reporter {
  /** What the program itself writes. */
  files?: readonly ProgramFile[];
  /** Ends the making of a machine, which then leaves nothing behind. */
  signal: AbortSignal;
}

/** What the command line gives beside that. */
export interface TerminalContext extends RunContext {
  /** Opens the console on standard input and output, until it is disposed of; by default these as they are. */
  openStdio?(): SerialHandles & (Disposable | AsyncDisposable);
  /** It runs in a worker that nobody terminates. */
  workerStays?: boolean;
}

/** A context that says nothing, and is never ended. */
export function silentContext(): RunContext {
  const nothing = () => {};
  const progress = () => ({ update: nothing, [Symbol.dispose]: nothing });
  return { info: nothing, result: nothing, debug: nothing, progress, signal: new AbortController().signal };
}
