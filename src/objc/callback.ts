/** JavaScript functions as C functions, for blocks and methods: callable on any thread. */

import type { MethodType, Type } from "./encoding.ts";
import { nativeType } from "./native_type.ts";
import { fromRaw, type Result } from "./object.ts";
import { ensurePool } from "./pool.ts";
import type { Raw } from "./message.ts";
import { toRaw } from "./to_objc.ts";

/** A function that Objective-C calls. Its result is converted like an argument. */
export type Implementation = (...args: Result[]) => unknown;

export type Callback = Deno.UnsafeCallback<{ parameters: Deno.NativeType[]; result: Deno.NativeResultType }>;

function nothing(result: Type): Raw {
  return result.kind === "scalar" && "qQ".includes(result.code) ? 0n : result.kind === "scalar" ? 0 : null;
}

/**
 * Makes a C function of a JavaScript function. On a thread that is not this isolate's the call waits until
 * JavaScript has returned, so JavaScript must never wait for that thread.
 *
 * The callback does not keep the program alive; `ref()` it while a call is to be expected: only then does a
 * call from another thread wake the event loop.
 *
 * @param skip How many leading arguments the function does not get (a block's self, a method's `_cmd`).
 */
export function callback(
  type: MethodType,
  implementation: Implementation,
  skip: (i: number) => boolean,
): Callback {
  const isVoid = type.result.kind === "scalar" && type.result.code === "v";
  const definition = {
    parameters: type.args.map(nativeType),
    result: isVoid ? "void" as const : nativeType(type.result),
  };
  return new Deno.UnsafeCallback(definition, (...raw: unknown[]) => {
    // An exception must not leave a callback: its C caller would get zero and nobody would hear of it.
    try {
      ensurePool();
      const args = type.args.flatMap((t, i) => skip(i) ? [] : [fromRaw(t, raw[i] as Raw)]);
      const result = implementation(...args);
      return (isVoid ? undefined : toRaw(type.result, result, [])) as never;
    } catch (error) {
      reportError(error);
      return nothing(type.result) as never;
    }
  });
}
