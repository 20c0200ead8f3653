/**
 * Autorelease pools. Every synchronous stretch of JavaScript that sends a message has one: the first message
 * of the stretch opens it, a microtask at its end closes it, so none is ever held across an await. What a
 * message returns is retained by its wrapper before that.
 */

import { runtime } from "./runtime.ts";

let open = false;

function close(pool: Deno.PointerValue): void {
  open = false;
  runtime.objc_autoreleasePoolPop(pool);
}

/** Sees to it that this stretch of JavaScript has a pool. */
export function ensurePool(): void {
  if (open) return;
  const pool = runtime.objc_autoreleasePoolPush();
  open = true;
  queueMicrotask(() => close(pool));
}

/**
 * Calls a function with a pool of its own, as `@autoreleasepool { }` does: for loops that make many
 * temporary objects.
 *
 * @returns What the function has returned. Wrappers outlive the pool.
 * @param body Must be synchronous: a pool belongs to a thread's stack.
 * @throws {TypeError} When it returns a promise.
 */
export function autoreleasepool<T>(body: () => T): T {
  ensurePool();
  const pool = runtime.objc_autoreleasePoolPush();
  try {
    const result = body();
    if (result instanceof Promise) throw new TypeError("autoreleasepool: the body must not be async");
    return result;
  } finally {
    runtime.objc_autoreleasePoolPop(pool);
  }
}
