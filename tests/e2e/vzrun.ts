/** vzrun as users run it: a process that boots a real kernel, with what it writes collected. */

import { V8_FLAGS } from "../../scripts/v8_flags.ts";

/** The folder of the repository. */
export const ROOT = import.meta.dirname!.replace(/\/tests\/e2e$/, "");
/** The folder of the guest that ./dev builds; its init explains `run="…"` and `powerbutton=ignore`. */
export const GUEST = `${ROOT}/build/guest/${Deno.build.arch}`;

const { NO_COLOR: _, FORCE_COLOR: __, DISPLAY: ___, ...others } = Deno.env.toObject();
/** The tests' own environment, without the screen of whoever runs them and their wishes for colours. */
export const ENVIRONMENT = { clearEnv: true, env: others };

/** Options that name its files. */
export const GUEST_FILES = ["-kernel", `${GUEST}/vmlinuz`, "-initramfs", `${GUEST}/initrd`];

/**
 * What lets a kernel boot in three quarters of the time under emulation: no tries of its ciphers, no clearing of all
 * memory, no rewriting of its locks for a single processor, and nothing made ready that no test looks at.
 */
export const SOONER = [
  "cryptomgr.notests init_on_alloc=0 noreplace-smp",
  // Each in a word of its own: commas stand between vfkit's words.
  ...["init_kprobe_trace", "slab_sysfs_init", "crypto_kdf108_init", "cubictcp_register"].map((call) =>
    `initcall_blacklist=${call}`
  ),
].join(" ");

/** Options that boot the guest into shell commands; its console then carries what these write, and nothing else. */
export function guest(commands: string, ...words: string[]): string[] {
  return guestWith(["console=hvc0", "quiet", SOONER, ...words, `run="${commands}"`].join(" "));
}

/** Options that boot the guest with a kernel command line. */
export function guestWith(append: string): string[] {
  return [...GUEST_FILES, "-append", append, "-m", "256", "-smp", "1", "-nographic"];
}

/** Settles as the promise does, and fails when that takes too long. */
export async function within<T>(what: string, promise: Promise<T>, seconds = 60): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`${what}: not in ${seconds} s`)), seconds * 1000);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for what tells nobody that it has come. */
export async function eventually(what: string, holds: () => boolean, seconds = 60): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !holds();) {
    if (Date.now() > end) throw new Error(`${what}: not in ${seconds} s`);
    await pause(20);
  }
}

/** Lets some milliseconds pass. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** What a program has written so far. */
export class Output {
  /** Settles at its end. */
  readonly ended: Promise<void>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #chunks: Uint8Array[] = [];
  readonly #decoder = new TextDecoder();
  #text = "";
  #more = Promise.withResolvers<void>();
  #atEnd = false;

  /** @param beforeRead Makes the reader a slow one. */
  constructor(stream: ReadableStream<Uint8Array>, beforeRead?: () => Promise<void>) {
    this.#reader = stream.getReader();
    this.ended = this.#collect(beforeRead);
  }

  async #collect(beforeRead?: () => Promise<void>): Promise<void> {
    while (!this.#atEnd) {
      await beforeRead?.();
      const { value, done } = await this.#reader.read();
      this.#atEnd = done;
      if (value) {
        this.#chunks.push(value);
        this.#text += this.#decoder.decode(value, { stream: true });
      }
      this.#more.resolve();
      this.#more = Promise.withResolvers();
    }
  }

  /** As text. */
  get text(): string {
    return this.#text;
  }

  /** As it is. */
  get bytes(): Promise<Uint8Array> {
    return new Blob(this.#chunks as BlobPart[]).bytes();
  }

  /** Waits until the text has something in it. */
  async until(wanted: string | RegExp): Promise<void> {
    while (this.#text.search(wanted) < 0) {
      if (this.#atEnd) throw new Error(`ended without ${wanted}:\n${this.#text}`);
      await within(`${wanted} in\n${this.#text}`, this.#more.promise);
    }
  }

  /** Stops reading, as `head -1` does after a line. */
  async goAway(): Promise<void> {
    await this.#reader.cancel();
    await this.ended;
  }
}

/** How vzrun is started. */
export interface How {
  /** The current folder. */
  cwd?: string;
  /** Additional environment variables. */
  env?: Record<string, string>;
  /** A program that becomes vzrun, whose command follows. */
  through?: string[];
  /** Whether there is something to type; otherwise stdin is /dev/null. */
  typing?: boolean;
  /** Makes the reader of stdout a slow one. */
  beforeRead?: () => Promise<void>;
}

/** A running vzrun, killed at the end of the block that has started it. */
export class Vzrun implements AsyncDisposable {
  readonly out: Output;
  readonly err: Output;
  readonly #process: Deno.ChildProcess;
  readonly #input?: WritableStreamDefaultWriter<Uint8Array>;

  constructor(args: string[], how: How = {}) {
    const deno = ["run", "-q", "-P", V8_FLAGS, "--config", `${ROOT}/deno.json`]; // as `./dev run` has it
    const own = [...deno, `${ROOT}/main.ts`, ...args];
    const [program, ...rest] = [...how.through ?? [], Deno.execPath(), ...own];
    this.#process = new Deno.Command(program, {
      args: rest,
      cwd: how.cwd,
      clearEnv: true,
      env: { ...ENVIRONMENT.env, ...how.env },
      stdin: how.typing ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (how.typing) this.#input = this.#process.stdin.getWriter();
    this.out = new Output(this.#process.stdout, how.beforeRead);
    this.err = new Output(this.#process.stderr);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The process of QEMU, which there is when the guest has written something. */
  get qemu(): number {
    const [pid, another] = processes().filter(({ parent, name }) =>
      parent === this.pid && name.startsWith("qemu")
    );
    if (!pid || another) throw new Error(`vzrun has ${pid ? "several QEMUs" : "no QEMU"}`);
    return pid.pid;
  }

  /** All processes that it has started, and those that these have started. */
  get family(): { pid: number; name: string }[] {
    const all = processes();
    const family = all.filter(({ parent }) => parent === this.pid);
    for (const { pid } of family) family.push(...all.filter(({ parent }) => parent === pid));
    return family;
  }

  async type(what: string | Uint8Array): Promise<void> {
    await this.#input!.write(typeof what === "string" ? new TextEncoder().encode(what) : what);
  }

  async closeInput(): Promise<void> {
    await this.#input!.close();
  }

  signal(name: Deno.Signal): void {
    this.#process.kill(name);
  }

  /** Waits for its end and for all that it has written, and tells the exit code. */
  async end(seconds?: number): Promise<number> {
    const all = Promise.all([this.#process.status, this.out.ended, this.err.ended]);
    return (await within("the end of vzrun", all, seconds))[0].code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.end();
    await this.#input?.abort().catch(() => {});
  }
}

/** Runs vzrun to its end. */
export async function vzrun(
  args: string[],
  how: How = {},
  seconds?: number,
): Promise<{ code: number; out: string; err: string }> {
  await using run = new Vzrun(args, how);
  const code = await run.end(seconds);
  return { code, out: run.out.text, err: run.err.text };
}

/** Where files are in memory, for tests that make ten thousands of small ones. */
export const IN_MEMORY = "/dev/shm";

/** A folder that is gone at the end of the block. */
export class Folder implements Disposable {
  readonly path: string;

  /** @param of Where it is made; with the system's temporary files by default. */
  constructor(of?: string) {
    this.path = Deno.makeTempDirSync({ dir: of });
  }

  /** The path of a file in it. */
  file(name: string): string {
    return `${this.path}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** What a file says; nothing when it is not there yet. */
export function contents(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return "";
  }
}

interface Process {
  pid: number;
  name: string;
  state: string;
  parent: number;
  /** Of processor time, 10 ms each. */
  ticks: number;
}

function processOf(pid: number): Process | undefined {
  try {
    // The name may hold anything, parentheses too.
    const [, name, rest] = /\((.*)\) (.*)/s.exec(Deno.readTextFileSync(`/proc/${pid}/stat`))!;
    const fields = rest.split(" ");
    const [state, parent] = fields;
    return { pid, name, state, parent: Number(parent), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    return undefined;
  }
}

/** All that there are. */
export function processes(): Process[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
  return pids.flatMap((pid) => processOf(pid) ?? []);
}

/** A process's state as ps shows it: `S`, `T` …; undefined when it runs no more. */
export function stateOf(pid: number): string | undefined {
  const state = processOf(pid)?.state;
  return state === "Z" || state === "X" ? undefined : state; // nobody may be there who buries the dead
}

/** The processor time that a process has used, in ticks of 10 ms. */
export function ticksOf(pid: number): number {
  return processOf(pid)!.ticks;
}

/** How much memory a process has now, in MiB. */
export function memoryOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]) / 1024;
}
