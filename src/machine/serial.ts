/** The guest's consoles: where each of them goes. */

import { exists, socketPathProblem } from "../host/files.ts";
import { standardInput, standardOutput } from "../host/descriptors.ts";
import type { NSObject } from "../objc/mod.ts";
import {
  VZFileHandleSerialPortAttachment,
  VZFileSerialPortAttachment,
  type VZSerialPortAttachment,
  VZVirtioConsoleDeviceSerialPortConfiguration,
} from "../vz/mod.ts";
import { MachineError, refusable } from "./error.ts";
import type { TerminalContext } from "./run_context.ts";

/** Where a console of the guest goes. */
export type Serial =
  /** This process's standard input and output. */
  | { kind: "stdio" }
  /** Streams of the program that runs the machine, see {@linkcode Console}. */
  | { kind: "stream" }
  /** A pseudo-terminal; `wait` holds the start until someone has opened it. What nobody reads is dropped. */
  | { kind: "pty"; wait?: boolean }
  /** A file that gets what the guest writes; what is in it before is kept only with `append`. */
  | { kind: "file"; path: string; append?: boolean }
  /** A listening socket, one client at a time; `wait` as of a pty. What nobody reads is dropped. */
  | { kind: "unix"; path: string; wait?: boolean }
  /** The same at an address and a port of the host's; port 0 is one that is free. */
  | { kind: "tcp"; host: string; port: number; wait?: boolean; telnet?: boolean }
  /** Nowhere. */
  | { kind: "null" };

/** How many consoles the framework takes: as many ports as its console device has. */
export const MOST_CONSOLES = 10;

/** The NSFileHandles of a console that is no file. */
export interface SerialHandles {
  /** What the guest receives is read from it. */
  reading: NSObject;
  /** Receives the guest's output. */
  writing: NSObject;
  /** Whether the guest has written anything, where that can be known. */
  wrote?(): boolean;
}

/** A console of a machine, with what can be known of it only when it is open. */
export type Console =
  | Exclude<Serial, { kind: "pty" | "stream" }>
  /** `path` is the device that `screen` and its like open. */
  | { kind: "pty"; path: string }
  | { kind: "stream" } & ConsoleStreams;

/** A console as streams, from the machine's start to its end. */
export interface ConsoleStreams {
  /**
   * What the guest writes. A guest whose console nobody reads waits when 64 KiB have come together; of one that was
   * cancelled, the rest is thrown away.
   */
  readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** What is typed at it. A write fails when the machine has ended. */
  writable: WritableStream<Uint8Array<ArrayBuffer>>;
}

/** @throws {MachineError} When a console's path cannot be used. */
export async function checkSerial(port: Serial, field: string): Promise<void> {
  if (port.kind === "tcp" && !(Number.isInteger(port.port) && port.port >= 0 && port.port <= 65_535)) {
    throw new MachineError(`${port.port} is no port: there are 65535`, { field: `${field}.port` });
  }
  if (!("path" in port)) return;
  const { kind, path } = port;
  const fail = (problem: string): never => {
    const what = kind === "unix" ? "listen at" : "write";
    throw new MachineError(`cannot ${what} '${path}': ${problem}`, { field: `${field}.path` });
  };
  const problem = kind === "unix" && socketPathProblem(path);
  if (problem) fail(problem);
  const { checkOutput } = await import("../host/output_file.ts");
  refusable(`${field}.path`, `cannot write '${path}'`, () => {
    checkOutput(path);
    if (!exists(path)) return;
    const { isSocket, isFifo } = Deno.statSync(path);
    if (kind === "unix" && !isSocket) fail("it is there and no socket");
    // Opening a FIFO waits for its reader, and a reader that goes would take the console with it.
    if (kind === "file" && isFifo) {
      fail("it is a FIFO, and no file (a pty or a socket takes a console to a program)");
    }
    if (kind === "file" && isSocket) fail("it is a socket, and no file");
  });
}

/** A console that is open, and the handles that the framework gets. */
export interface OpenedSerial {
  console: Console;
  handles?: SerialHandles;
  /** Whether the guest has written anything into a file. */
  wrote?(): boolean;
}

/** Whether it is known that the guest has written nothing at all. */
export function wroteNothing(serial: readonly OpenedSerial[]): boolean {
  const shown = serial.filter(({ console }) => console.kind !== "null");
  return shown.length > 0 && shown.every((port) => (port.wrote ?? port.handles?.wrote)?.() === false);
}

/**
 * Opens a machine's consoles. Most starts need no more than the terminal's module.
 *
 * @param rollback Takes new files away again, when it is disposed of.
 * @throws {MachineError} When one cannot be opened.
 */
export async function openSerial(
  serial: Serial[],
  context: TerminalContext,
  cleanup: AsyncDisposableStack,
  rollback: DisposableStack,
): Promise<OpenedSerial[]> {
  const opened: OpenedSerial[] = [];
  // The terminal last: until somebody has opened a pty, Ctrl-C is not the guest's.
  const inOrder = [...serial.entries()].sort(([, a], [, b]) => +(a.kind === "stdio") - +(b.kind === "stdio"));
  for (const [i, port] of inOrder) opened[i] = await openPort(port, i, context, cleanup, rollback);
  return opened;
}

async function openPort(
  port: Serial,
  i: number,
  context: TerminalContext,
  cleanup: AsyncDisposableStack,
  rollback: DisposableStack,
): Promise<OpenedSerial> {
  const field = `serial[${i}]`;
  switch (port.kind) {
    case "stdio": {
      if (context.openStdio) return { console: port, handles: cleanup.use(context.openStdio()) };
      return { console: port, handles: { reading: standardInput(), writing: standardOutput() } };
    }
    case "stream": {
      const { openStreams } = await import("./serial_stream.ts");
      const { streams, handles } = cleanup.use(openStreams());
      return { console: { ...port, ...streams }, handles };
    }
    case "pty": {
      const { openPty } = await import("./serial_pty.ts");
      const { path, handles } = cleanup.use(await openPty(`hvc${i}`, port.wait ?? false, context));
      return { console: { kind: "pty", path }, handles };
    }
    case "unix":
    case "tcp": {
      const { openSocket } = await import("./serial_socket.ts");
      return { console: port, handles: cleanup.use(await openSocket(port, `hvc${i}`, field, context)) };
    }
    case "file": {
      const { lockLog } = await import("./serial_file.ts");
      cleanup.use(lockLog(port.path, field, rollback));
      const size = () => exists(port.path) ? Deno.statSync(port.path).size : 0;
      const before = port.append ? size() : 0;
      return { console: port, wrote: () => size() > before };
    }
    case "null":
      return { console: port };
  }
}

/** @throws {MachineError} When the framework cannot write the console's file. */
export function configureSerial(
  { console, handles }: OpenedSerial,
  field: string,
): VZVirtioConsoleDeviceSerialPortConfiguration {
  return VZVirtioConsoleDeviceSerialPortConfiguration.create(attachment(console, handles, field));
}

function attachment(
  console: Console,
  handles: SerialHandles | undefined,
  field: string,
): VZSerialPortAttachment {
  if (console.kind === "file") {
    const what = `cannot write '${console.path}'`;
    const { path, append = false } = console;
    return refusable(`${field}.path`, what, () => {
      // Always opened to append: else what comes after a log was cut (copytruncate) stands behind a hole of zeros.
      if (!append && exists(path) && Deno.statSync(path).isFile) Deno.truncateSync(path);
      return VZFileSerialPortAttachment.create(path, true);
    });
  }
  return VZFileHandleSerialPortAttachment.create(handles?.reading ?? null, handles?.writing ?? null);
}
