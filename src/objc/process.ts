/** The process itself: what macOS lets it do, and becoming another one. */

import { openFunctions } from "./libraries.ts";
import { cString } from "./runtime.ts";

const UTF8 = 0x08000100; // kCFStringEncodingUTF8

/**
 * Whether the program of this process was signed with an entitlement. macOS only.
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

/** Whether the user is root. */
export function isRoot(): boolean {
  const { geteuid } = openFunctions("system", { geteuid: { parameters: [], result: "u32" } });
  return geteuid() === 0;
}

/**
 * Lets another program take the process over, with the same arguments and environment. What is open for JavaScript
 * is closed.
 *
 * @param program Path of the program.
 * @throws {Error} When it does not start.
 */
export function replaceProcess(program: string): never {
  const libc = openFunctions("system", {
    _NSGetArgv: { parameters: [], result: "pointer" },
    execv: { parameters: ["buffer", "pointer"], result: "i32" },
  });
  const argv = new Deno.UnsafePointerView(libc._NSGetArgv()!).getPointer(0);
  libc.execv(cString(program), argv);
  throw new Error(`'${program}' does not start`);
}
