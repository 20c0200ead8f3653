/** JavaScript functions as C functions, for blocks and methods: callable on any thread. */

import { isVoid, type MethodType, type Type } from "./encoding.ts";
import { layoutOf, nativeSignature, nativeType } from "./native_type.ts";
import { fromRaw, type Result } from "./object.ts";
import { ensurePool } from "./pool.ts";
import type { Raw } from "./method.ts";
import { type Pointer, runtime } from "./runtime.ts";
import { toRaw } from "./arguments.ts";

/** A function that Objective-C calls. Its result is converted like an argument. */
export type Implementation = (...args: Result[]) => unknown;

/** A C function and what keeps it. */
export type Callback = Deno.UnsafeCallback<{ parameters: Deno.NativeType[]; result: Deno.NativeResultType }>;

/** Zero, NO, nil or a struct of zeros. */
function nothing(result: Type): Raw {
  const native = nativeType(result);
  if (typeof native === "object") return new Uint8Array(layoutOf(result).size);
  if (native === "pointer") return null;
  if (native === "bool") return false;
  return native === "i64" || native === "u64" ? 0n : 0;
}

/** Objects that a callback has returned and that are kept for their caller, see {@linkcode Kept}. */
const KEPT = 16;

/**
 * The objects that a callback has returned last. The pool of this thread is drained before a caller on another
 * thread has seen its result, and that thread's pool is out of reach: so they are held for a while here.
 */
class Kept {
  readonly #objects: Pointer[] = [];

  add(object: Pointer): void {
    this.#objects.push(runtime.objc_retain(object));
    if (this.#objects.length > KEPT) runtime.objc_release(this.#objects.shift()!);
  }
}

/**
 * Makes a C function of a JavaScript function. On a thread that is not this isolate's the call waits until
 * JavaScript has returned, so JavaScript must never wait for that thread.
 *
 * The callback does not keep the program alive; `ref()` it while a call is to be expected: only then does a
 * call from another thread wake the event loop.
 *
 * @param skip Whether the function does not get the argument of an index (a block's self, a method's `_cmd`).
 */
export function callback(
  type: MethodType,
  implementation: Implementation,
  skip: (index: number) => boolean,
): Callback {
  const returnsNothing = isVoid(type.result);
  const kept = new Kept();
  return new Deno.UnsafeCallback(nativeSignature(type), (...raw: unknown[]) => {
    // An exception must not leave a callback: its C caller would get zero and nobody would hear of it.
    try {
      ensurePool();
      const args = type.args.flatMap((t, i) => skip(i) ? [] : [fromRaw(t, raw[i] as Raw)]);
      const result = implementation(...args);
      if (returnsNothing) return undefined as never;
      if (result === undefined) return nothing(type.result) as never;
      const returned = toRaw(type.result, result, []);
      if (type.result.kind === "object" && returned) kept.add(returned as Pointer);
      return returned as never;
    } catch (error) {
      reportError(error);
      return (returnsNothing ? undefined : nothing(type.result)) as never;
    }
  });
}
