/** A program that starts itself again, in a session of its own, and goes on there without whoever has started it. */

import { cString, openFunctions } from "../objc/mod.ts";
import { fileHandle, readSome } from "./descriptors.ts";
import { describeErrno } from "./errno.ts";
import "./libraries.ts";
import { closeOnExec } from "./socket_calls.ts";

const libc = openFunctions("system", {
  _NSGetArgv: { parameters: [], result: "pointer" },
  _NSGetEnviron: { parameters: [], result: "pointer" },
  posix_spawn: {
    parameters: ["buffer", "buffer", "buffer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_addopen: {
    parameters: ["buffer", "i32", "buffer", "i32", "u32"],
    result: "i32",
  },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  setsid: { parameters: [], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  pipe: { parameters: ["buffer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

// The call runs on a thread of Deno's own, so that nobody waits for it.
const waiting = openFunctions("system", {
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32", nonblocking: true },
});

const NOWHERE = cString("/dev/null");
const O_RDWR = 2; // on macOS and Linux
const STDERR = 2;

/** Tells a daemon, by an environment variable, who has started it, and the numbers of stderr and of the pipe to them. */
const MARK = "VZRUN_DAEMON";

/** How a process has ended. */
export type Ended = { exitCode: number } | { signal: number };

/** The other process of this program, as the one that has started it sees it. */
export class StartedDaemon {
  readonly #pid: number;
  readonly #pipe: number;

  constructor(pid: number, pipe: number) {
    this.#pid = pid;
    this.#pipe = pipe;
  }

  /** Sends it a signal: kill(2). (Deno's own asks for the permission to run programs.) */
  signal(number: number): void {
    libc.kill(this.#pid, number);
  }

  /** Settles when it goes on alone, or has ended before; then how. */
  async alone(): Promise<Ended | undefined> {
    using pipe = fileHandle(this.#pipe);
    if (await readSome(pipe, new Uint8Array(1))) return undefined;
    return await this.ended();
  }

  /** Waits for its end, once. Source: waitpid(2). */
  async ended(): Promise<Ended> {
    const status = new Int32Array(1);
    const found = await waiting.waitpid(this.#pid, new Uint8Array(status.buffer), 0);
    if (found < 0) return { exitCode: 1 }; // whoever ignores SIGCHLD is told of nobody's end
    const signal = status[0] & 0x7f;
    return signal ? { signal } : { exitCode: (status[0] >> 8) & 0xff };
  }
}

/** posix_spawn_file_actions_t: a pointer on macOS, 80 bytes on Linux, and nobody here looks inside. */
function noStandardFiles(): Uint8Array<ArrayBuffer> {
  const actions = new Uint8Array(256);
  libc.posix_spawn_file_actions_init(actions);
  for (const descriptor of [0, 1, STDERR]) {
    libc.posix_spawn_file_actions_addopen(actions, descriptor, NOWHERE, O_RDWR, 0);
  }
  return actions;
}

/**
 * Starts this program again, with the same arguments. Standard input and output of the other process are /dev/null.
 * Stderr is under another number, until it has begun: Deno keeps copies of what it finds there, which nobody could close.
 *
 * @throws {Error} When it does not start.
 *
 * Source: posix_spawn(3); _NSGetArgv and _NSGetEnviron of <crt_externs.h>.
 */
export function startDaemon(): StartedDaemon {
  const program = Deno.execPath();
  const fail = (why: string): never => {
    throw new Error(`'${program}' cannot be started again: ${why}`);
  };
  const [ends, pid] = [new Int32Array(2), new Int32Array(1)];
  if (libc.pipe(new Uint8Array(ends.buffer)) < 0) fail("too many files are open");
  const [reading, writing] = ends;
  const stderr = libc.dup(STDERR);
  closeOnExec(reading);
  Deno.env.set(MARK, [Deno.pid, stderr, writing].join());
  const [argv, environment] = [libc._NSGetArgv(), libc._NSGetEnviron()].map((place) =>
    new Deno.UnsafePointerView(place!).getPointer()
  );
  const actions = noStandardFiles();
  const failure = libc.posix_spawn(
    new Uint8Array(pid.buffer),
    cString(program),
    actions,
    null,
    argv,
    environment,
  );
  libc.posix_spawn_file_actions_destroy(actions);
  libc.close(stderr);
  libc.close(writing);
  if (failure !== 0) fail(describeErrno(failure));
  return new StartedDaemon(pid[0], reading);
}

/**
 * Begins to be the process that was started so: it is in a session of its own from now on, and has the stderr of who has
 * started it until {@linkcode goOnAlone} is called.
 *
 * @returns Undefined in every other process.
 *
 * Source: setsid(2).
 */
export function beginDaemon(): { goOnAlone(): void } | undefined {
  const [parent, stderr, pipe] = Deno.env.get(MARK)?.split(",").map(Number) ?? [];
  Deno.env.delete(MARK); // it is for nobody else
  if (parent !== Deno.ppid) return undefined;
  libc.setsid();
  libc.dup2(stderr, STDERR);
  libc.close(stderr);
  closeOnExec(pipe);
  return {
    goOnAlone() {
      const nowhere = libc.open(NOWHERE, O_RDWR);
      libc.dup2(nowhere, STDERR);
      libc.close(nowhere);
      libc.write(pipe, new Uint8Array(1), 1n);
      libc.close(pipe);
    },
  };
}
