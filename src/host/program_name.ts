/** By which name this program was started, and by which others see it. Loads nothing else: each start asks for it. */

const { os } = Deno.build;

/** Of prctl(2). */
const PR_SET_NAME = 15;

/** argv[0]'s last part. Source: getprogname(3) of macOS, program_invocation_short_name(3) of glibc. */
export function programName(): string {
  if (os === "darwin") {
    const { symbols } = Deno.dlopen("/usr/lib/libSystem.B.dylib", {
      getprogname: { parameters: [], result: "pointer" },
    });
    return textAt(symbols.getprogname());
  }
  if (os !== "linux") return "";
  const { symbols } = Deno.dlopen("libc.so.6", { program_invocation_short_name: { type: "pointer" } });
  return textAt(new Deno.UnsafePointerView(symbols.program_invocation_short_name!).getPointer());
}

function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/**
 * Has other programs see this process by a name, where that can be set: `ps -o comm`. On macOS a process has the name
 * of the file that it was started from.
 *
 * Source: prctl(2).
 */
export function nameProcess(name: string): void {
  if (os !== "linux") return;
  const { symbols } = Deno.dlopen("libc.so.6", {
    prctl: { parameters: ["i32", "buffer"], result: "i32" },
  });
  symbols.prctl(PR_SET_NAME, new TextEncoder().encode(`${name}\0`));
}
