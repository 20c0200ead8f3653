/** The process itself: its signals, its files' modes, its end, what macOS lets it do, and becoming another one. */

import { cString, openFunctions } from "../objc/mod.ts";
import "./libraries.ts";

const libc = openFunctions("system", {
  signal: { parameters: ["i32", "pointer"], result: "pointer" },
  umask: { parameters: ["u16"], result: "u16" },
  _exit: { parameters: ["i32"], result: "void" },
  geteuid: { parameters: [], result: "u32" },
});

const UTF8 = 0x08000100; // kCFStringEncodingUTF8

/**
 * Whether the program of this process was signed with an entitlement. macOS only.
 *
 * @param name `com.apple.security.virtualization`
 *
 * Source: SecTaskCopyValueForEntitlement of Security.framework.
 */
export function hasEntitlement(name: string): boolean {
  // Security brings CoreFoundation with it.
  const security = openFunctions("Security", {
    SecTaskCreateFromSelf: { parameters: ["pointer"], result: "pointer" },
    SecTaskCopyValueForEntitlement: { parameters: ["pointer", "pointer", "pointer"], result: "pointer" },
    CFStringCreateWithCString: { parameters: ["pointer", "buffer", "u32"], result: "pointer" },
    CFBooleanGetValue: { parameters: ["pointer"], result: "u8" },
    CFRelease: { parameters: ["pointer"], result: "void" },
  });
  const task = security.SecTaskCreateFromSelf(null);
  if (!task) return false;
  const key = security.CFStringCreateWithCString(null, cString(name), UTF8);
  const value = security.SecTaskCopyValueForEntitlement(task, key, null);
  const has = value !== null && security.CFBooleanGetValue(value) !== 0;
  for (const object of [value, key, task]) if (object) security.CFRelease(object);
  return has;
}

/** Whether the process has root's rights: geteuid(2). */
export function isRoot(): boolean {
  return libc.geteuid() === 0;
}

/**
 * Lets another program take the process over, with the same arguments and environment. What is open for JavaScript
 * is closed.
 *
 * @param program Path of the program.
 * @param name What the first of the arguments is to be, which `ps` shows; by default as it was.
 * @throws {Error} When it does not start.
 *
 * Source: execv(3); _NSGetArgv of <crt_externs.h>. macOS only.
 */
export function replaceProcess(program: string, name?: string): never {
  const libc = openFunctions("system", {
    _NSGetArgv: { parameters: [], result: "pointer" },
    execv: { parameters: ["buffer", "pointer"], result: "i32" },
  });
  const argv = new Deno.UnsafePointerView(libc._NSGetArgv()!).getPointer(0);
  const first = name === undefined ? undefined : cString(name);
  const args = first ? Deno.UnsafePointer.of(withFirst(argv!, first)) : argv;
  libc.execv(cString(program), args);
  throw new Error(`'${program}' does not start`);
}

/** A list of arguments with another first one, which has to be kept as long as the list is used. */
function withFirst(argv: Deno.PointerObject, first: Uint8Array<ArrayBuffer>): BigUint64Array<ArrayBuffer> {
  const view = new Deno.UnsafePointerView(argv);
  const pointers = [Deno.UnsafePointer.value(Deno.UnsafePointer.of(first))];
  for (let i = 1; pointers.at(-1) !== 0n; i++) {
    pointers.push(Deno.UnsafePointer.value(view.getPointer(8 * i)));
  }
  return BigUint64Array.from(pointers);
}

/**
 * Does something while this process's umask is another. (Deno's own asks for a permission that it also takes for
 * much else.)
 *
 * @param mask Bits that new files do not get, as in umask(2): 0o077.
 * @param what Must be synchronous.
 * @returns What that has returned.
 */
export function withUmask<T>(mask: number, what: () => T): T {
  const before = libc.umask(mask);
  try {
    return what();
  } finally {
    libc.umask(before);
  }
}

/** Numbers of the signals that end a run, which are the same on macOS and Linux. */
export const SIGNALS = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGTERM: 15 } as const;

const SIG_IGN = 1n;

/**
 * Whether the program was started with a signal ignored, as `nohup` does.
 *
 * @param number The signal's: 1 for SIGHUP.
 *
 * Source: signal(3).
 */
export function isSignalIgnored(number: number): boolean {
  const before = libc.signal(number, Deno.UnsafePointer.create(SIG_IGN)); // asking is setting
  libc.signal(number, before);
  return Deno.UnsafePointer.value(before) === SIG_IGN;
}

/** Has a signal ignored: signal(3). */
export function ignoreSignal(number: number): void {
  libc.signal(number, Deno.UnsafePointer.create(SIG_IGN));
}

/** Ends the process, from any of its threads. `Deno.exit` in a worker ends only that. */
export function exitProcess(exitCode: number): void {
  libc._exit(exitCode);
}
