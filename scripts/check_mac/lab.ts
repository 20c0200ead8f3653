/** What probes share: a folder, programs that they run, and booted guests. All of it goes with the lab. */

import { join } from "@std/path/posix/join";
import { inTime } from "../../src/host/in_time.ts";
import { Guest } from "./guest.ts";
import { ROOT } from "./machine.ts";
import { NetworkGuest } from "./network_guest.ts";

/** The variables that a program gets; nobody's wishes for colours, and no libraries of others. */
const VARIABLES = [
  "HOME",
  "PATH",
  "TMPDIR",
  "DENO_DIR",
  "DISPLAY",
  "XDG_CACHE_HOME",
  "VIRTUALIZATION_ENTITLEMENTS",
];

/** How a program is run. */
export interface How {
  /** What it is to read; /dev/null without. */
  input?: string;
  env?: Record<string, string>;
  /** In seconds. */
  limit?: number;
}

/** How a program ended. */
export interface Ended {
  code: number;
  signal: string | null;
  out: string;
  err: string;
  /** Whether it was killed because it took too long. */
  late: boolean;
}

/** A place for probes. */
export class Lab implements AsyncDisposable {
  readonly #folder = Deno.makeTempDirSync({ prefix: "vzrun-check-mac-" });
  readonly #children = new Set<Deno.ChildProcess>();
  #guest?: Promise<Guest>;
  #networkGuest?: Promise<NetworkGuest>;

  /** The path of a file that goes with the lab. */
  file(name: string): string {
    return join(this.#folder, name);
  }

  /** A new disk image of 1 MiB. */
  disk(name: string): string {
    const path = this.file(name);
    Deno.writeFileSync(path, new Uint8Array(1024 * 1024));
    return path;
  }

  /** Starts a program by the shell: it may then be any, and may have its input and output anywhere. */
  spawn(script: string, args: string[], how: How = {}): Deno.ChildProcess {
    const own = VARIABLES.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", script, "sh", ...args],
      clearEnv: true,
      env: { ...Object.fromEntries(own), NO_COLOR: "1", ...how.env },
      stdin: how.input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#children.add(child);
    child.status.then(() => this.#children.delete(child));
    return child;
  }

  /** Runs a program to its end. */
  async run(script: string, args: string[], how: How = {}): Promise<Ended> {
    return await this.end(this.spawn(script, args, how), how);
  }

  /** Waits for the end of a program, and kills it when that does not come. */
  async end(child: Deno.ChildProcess, { input, limit = 60 }: How = {}): Promise<Ended> {
    const output = child.output();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input)).catch(() => {});
      await writer.close().catch(() => {});
    }
    const late = !await inTime(output, limit * 1000);
    if (late) child.kill("SIGKILL");
    const { code, signal, stdout, stderr } = await output;
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, signal, out, err, late };
  }

  /** Words that run vzrun from this source tree. */
  vzrun(...args: string[]): string[] {
    return this.#deno("-P", "main.ts", args);
  }

  /** Words that run a program of probes, for what may end its process. */
  program(name: string, ...args: string[]): string[] {
    return this.#deno("-P=check-mac", join("scripts/check_mac/programs", name), args);
  }

  #deno(permissions: string, path: string, args: string[]): string[] {
    const config = join(ROOT, "deno.json");
    return [Deno.execPath(), "run", "-q", permissions, "--config", config, join(ROOT, path), ...args];
  }

  /** The guest that answers several probes, booted for the first of them. */
  guest(): Promise<Guest> {
    return this.#guest ??= Guest.boot(this);
  }

  /** The guest on networks of the program's own, booted for the first probe that asks it. */
  networkGuest(): Promise<NetworkGuest> {
    return this.#networkGuest ??= NetworkGuest.boot();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#children].map(({ status }) => status));
    for (const booted of [this.#networkGuest, this.#guest]) {
      await booted?.then((guest) => guest[Symbol.asyncDispose](), () => {});
    }
    await Deno.remove(this.#folder, { recursive: true });
  }
}
