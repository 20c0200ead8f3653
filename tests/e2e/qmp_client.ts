/** A client of QMP for tests, of vzrun's and of qemu's. */

import { eventually, within } from "./vzrun.ts";

/** What comes of a command, or an event. */
export interface Message {
  QMP?: unknown;
  return?: unknown;
  error?: { class: string; desc: string };
  id?: unknown;
  event?: string;
  data?: Record<string, unknown>;
  timestamp?: { seconds: number; microseconds: number };
}

/** A connection; gone at the end of the block. */
export class QMPConnection implements Disposable {
  /** Events that nobody has waited for yet, in their order. */
  readonly events: Message[] = [];
  readonly #messages: Message[] = [];
  /** All that has come, as it came. */
  text = "";
  /** How many reads brought the greeting. */
  #more = Promise.withResolvers<void>();
  #ended = false;

  private constructor(readonly connection: Deno.UnixConn) {
    this.#read();
  }

  /** Connects as soon as somebody listens. */
  static async open(path: string): Promise<QMPConnection> {
    await eventually("the socket of QMP", () => {
      try {
        return Deno.lstatSync(path).isSocket ?? false;
      } catch {
        return false;
      }
    });
    return new QMPConnection(await Deno.connect({ transport: "unix", path }));
  }

  /** One that has done with the greeting and the capabilities. */
  static async ready(path: string): Promise<QMPConnection> {
    const client = await QMPConnection.open(path);
    await client.message();
    await client.command("qmp_capabilities");
    return client;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    let rest = "";
    try {
      for (let length; (length = await this.connection.read(buffer)) !== null;) {
        const piece = decoder.decode(buffer.subarray(0, length), { stream: true });
        this.text += piece;
        const lines = (rest + piece).split("\r\n");
        rest = lines.pop()!;
        for (const line of lines) {
          const message = JSON.parse(line) as Message;
          (message.event === undefined ? this.#messages : this.events).push(message);
        }
        this.#wake();
      }
    } catch { /* it was closed */ }
    this.#ended = true;
    this.#wake();
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }

  async #until<T>(what: string, find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.#ended) throw new Error(`QMP has ended without ${what}: ${this.text.slice(-2000)}`);
      await within(`${what} behind ${this.text.slice(-2000)}`, this.#more.promise);
    }
  }

  /** Sends text as it is. */
  async send(text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += await this.connection.write(bytes.subarray(at));
  }

  /** The next thing that comes and is no event. */
  message(): Promise<Message> {
    return this.#until("a message", () => this.#messages.shift());
  }

  /** What comes of a command. */
  async tell(text: string): Promise<Message> {
    await this.send(text);
    return await this.message();
  }

  /** What a command returns. @throws When it fails. */
  async command(execute: string, args?: Record<string, unknown>): Promise<unknown> {
    const reply = await this.tell(`${JSON.stringify({ execute, arguments: args })}\n`);
    if (reply.error) throw new Error(`${execute}: ${reply.error.desc}`);
    return reply.return;
  }

  /** Waits for an event, and takes it and those before it. */
  event(name: string): Promise<Message> {
    return this.#until(`the event ${name}`, () => {
      const i = this.events.findIndex(({ event }) => event === name);
      return i < 0 ? undefined : this.events.splice(0, i + 1).at(-1);
    });
  }

  /** Settles when the other side has ended the connection. */
  async end(): Promise<void> {
    while (!this.#ended) await within("the end of QMP", this.#more.promise);
  }

  [Symbol.dispose](): void {
    try {
      this.connection.close();
    } catch { /* it is */ }
  }
}
