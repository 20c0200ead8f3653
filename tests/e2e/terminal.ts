/** A terminal whose keys and screen the test has: a pty. */

import { type How, Output, within } from "./vzrun.ts";

const libc = Deno.dlopen("libc.so.6", {
  posix_openpt: { parameters: ["i32"], result: "i32" },
  grantpt: { parameters: ["i32"], result: "i32" },
  unlockpt: { parameters: ["i32"], result: "i32" },
  ptsname: { parameters: ["i32"], result: "pointer" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
}).symbols;

// Linux's numbers.
const O_RDWR = 2;
const O_NOCTTY = 0o400;
const O_CLOEXEC = 0o2000000;

/** A terminal, closed at the end of the block. */
export class Terminal implements AsyncDisposable {
  /** What is on the screen. */
  readonly screen: Output;
  readonly #path: string;
  readonly #master: number;
  /** Held open, so that the terminal outlives the programs on it. */
  readonly #slave: number;
  #closed = false;

  constructor() {
    const flags = O_RDWR | O_NOCTTY | O_CLOEXEC;
    this.#master = libc.posix_openpt(flags);
    if (this.#master < 0 || libc.grantpt(this.#master) || libc.unlockpt(this.#master)) {
      throw new Error("no pty can be had");
    }
    this.#path = Deno.UnsafePointerView.getCString(libc.ptsname(this.#master)!);
    this.#slave = libc.open(new TextEncoder().encode(`${this.#path}\0`), flags);
    this.screen = new Output(new ReadableStream({ pull: (screen) => this.#read(screen) }));
  }

  async #read(screen: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const bytes = new Uint8Array(4096);
    const length = Number(await libc.read(this.#master, bytes, BigInt(bytes.length)));
    if (length <= 0 || this.#closed) screen.close();
    else screen.enqueue(bytes.subarray(0, length));
  }

  /**
   * Puts vzrun on it, the leader of a session of its own.
   *
   * @param stderr Whether stderr is on it too.
   */
  how(stderr = false): How {
    const redirected = `exec setsid -c "$@" <"$0" >"$0"${stderr ? " 2>&1" : ""}`;
    return { through: ["sh", "-c", redirected, this.#path] };
  }

  /** Its modes, as stty shows them. */
  get modes(): string {
    const { stdout } = this.#stty("-a");
    return new TextDecoder().decode(stdout);
  }

  /** Makes it what a shell makes of it. */
  makeSane(): void {
    this.#stty("sane");
  }

  #stty(argument: string): Deno.CommandOutput {
    const result = new Deno.Command("stty", { args: ["-F", this.#path, argument] }).outputSync();
    if (!result.success) throw new Error(new TextDecoder().decode(result.stderr));
    return result;
  }

  async type(keys: string): Promise<void> {
    const bytes = new TextEncoder().encode(keys);
    await libc.write(this.#master, bytes, BigInt(bytes.length));
  }

  /** Closes its window: the programs on it get a hang-up. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A close does not end a read that is under way; a last byte on the screen does.
    await libc.write(this.#slave, new Uint8Array(1), 1n);
    await within("the end of reading", this.screen.ended);
    libc.close(this.#slave);
    libc.close(this.#master);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
