/** One client of QMP: what it says, one command after another, and what it is told. */

import type { ControlledMachine, QMPEvent } from "./controlled_machine.ts";
import { type Arguments, checkArguments, COMMANDS, type QMPSession } from "./qmp_commands.ts";
import { QMPError, toQMPError } from "./qmp_error.ts";
import { lineOf, parsed, type Said, ValueReader } from "./qmp_text.ts";
import { VERSION } from "./qmp_version.ts";

/** Where a client is: a connection, or standard input and output. */
export interface QMPStream {
  read(buffer: Uint8Array<ArrayBuffer>): Promise<number | null>;
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  close(): void;
}

/** How much a client may leave unread, in bytes: one that leaves more is let go. */
const UNREAD = 2 ** 20;

const GREETING = { QMP: { version: VERSION, capabilities: [] } };

const NEGOTIATE = "Expecting capabilities negotiation with 'qmp_capabilities'";

/** Serves a client until it has gone. */
export class QMPClient {
  readonly #session: QMPSession = { negotiated: false, migrationEvents: false };
  readonly #unsent: Uint8Array<ArrayBuffer>[] = [];
  #unsentBytes = 0;
  #sending = Promise.resolve();
  #isSending = false;
  /** Events that happen while a command is done come behind its reply. */
  #held?: unknown[];
  readonly #deaf: () => void;
  #closed = false;

  constructor(readonly stream: QMPStream, readonly machine: ControlledMachine) {
    this.#deaf = machine.listen((event) => this.#hear(event));
  }

  /** Settles when it has gone. Never fails. */
  async serve(): Promise<void> {
    const reader = new ValueReader();
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    try {
      this.#send(GREETING);
      for (let length; (length = await this.stream.read(buffer)) !== null && !this.#closed;) {
        const piece = decoder.decode(buffer.subarray(0, length), { stream: true });
        await this.#answerAll(reader.feed(piece));
      }
      await this.#answerAll(reader.end());
      await this.#sending;
    } catch {
      /* it has gone, which is its right */
    } finally {
      this.close();
    }
  }

  /** Settles when it has got what there is for it. Never fails. */
  get drained(): Promise<void> {
    return this.#sending;
  }

  /** Lets it go. */
  close(): void {
    this.#closed = true;
    this.#deaf();
    try {
      this.stream.close();
    } catch { /* it is closed */ }
  }

  async #answerAll(all: Iterable<Said>): Promise<void> {
    for (const said of all) {
      await this.#answer(said);
      await this.#sending; // who does not read is not read
    }
  }

  async #answer(said: Said): Promise<void> {
    let id: { id?: unknown } = {};
    this.#held = [];
    try {
      if ("problem" in said) throw new QMPError(said.problem);
      const command = parse(said.text);
      if (Object.hasOwn(command, "id")) id = { id: (parsed(said.text) as typeof command).id };
      this.#send({ return: await this.#execute(command) ?? {}, ...id });
    } catch (error) {
      const { errorClass, message } = toQMPError(error);
      this.#send({ error: { class: errorClass, desc: message }, ...id });
    }
    const held = this.#held;
    this.#held = undefined;
    held.forEach((event) => this.#send(event));
  }

  async #execute(command: Record<string, unknown>): Promise<unknown> {
    if (!Object.hasOwn(command, "execute")) throw new QMPError("QMP input lacks member 'execute'");
    const { execute: name, arguments: given = {} } = command;
    const unexpected = Object.keys(command).find((key) => !["execute", "arguments", "id"].includes(key));
    if (unexpected !== undefined) throw new QMPError(`QMP input member '${unexpected}' is unexpected`);
    if (typeof name !== "string") throw new QMPError("QMP input member 'execute' must be a string");
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      throw new QMPError("QMP input member 'arguments' must be an object");
    }
    if (!this.#session.negotiated && name !== "qmp_capabilities") {
      throw new QMPError(NEGOTIATE, "CommandNotFound");
    }
    const known = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!known) throw new QMPError(`The command ${name} has not been found`, "CommandNotFound");
    checkArguments(known, given as Arguments);
    return await known.run(this.machine, given as Arguments, this.#session);
  }

  #hear({ event, data }: QMPEvent): void {
    const { negotiated, migrationEvents } = this.#session;
    if (!negotiated || (event === "MIGRATION" && !migrationEvents)) return;
    const told = { timestamp: now(), event, data };
    if (this.#held) this.#held.push(told);
    else this.#send(told);
  }

  #send(value: unknown): void {
    if (this.#closed) return;
    const line = lineOf(value);
    this.#unsent.push(line);
    this.#unsentBytes += line.length;
    if (this.#unsentBytes > UNREAD) return this.close();
    if (!this.#isSending) this.#sending = this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    try {
      for (let line; (line = this.#unsent.shift()) && !this.#closed;) {
        for (let at = 0; at < line.length;) at += await this.stream.write(line.subarray(at));
        this.#unsentBytes -= line.length;
      }
    } catch {
      this.close();
    }
    this.#isSending = false;
  }
}

/** A time as events have it. */
function now(): { seconds: number; microseconds: number } {
  const milliseconds = Date.now();
  return { seconds: Math.floor(milliseconds / 1000), microseconds: milliseconds % 1000 * 1000 };
}

/** @throws {QMPError} When it is no JSON object. */
function parse(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new QMPError(`JSON parse error, ${(error as Error).message}`, "GenericError", error);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new QMPError("QMP input must be a JSON object");
  }
  return value as Record<string, unknown>;
}
