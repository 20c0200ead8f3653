/** Blocks made of JavaScript functions. */

import { type Callback, callback, type Implementation } from "./callback.ts";
import { parseBlockType } from "./encoding.ts";
import { NSError } from "./error.ts";
import { symbolAddress } from "./libraries.ts";
import { NSObject, type Result } from "./object.ts";
import { cString, POINTER, type Pointer } from "./runtime.ts";
import type { Reference } from "./arguments.ts";

// Clang, "Block Implementation Specification": a literal is isa, flags, reserved, invoke, descriptor.
const BLOCK_IS_GLOBAL = 1 << 28;
const BLOCK_HAS_SIGNATURE = 1 << 30;
const LITERAL_SIZE = 32;

let globalBlockClass: Pointer | undefined;

/** What isa of a global block holds. */
function isa(): Pointer {
  return globalBlockClass ??= symbolAddress("system", "_NSConcreteGlobalBlock");
}

function address(pointer: Pointer): bigint {
  return Deno.UnsafePointer.value(pointer);
}

/**
 * A block that calls a JavaScript function, on whatever thread it is called. It is a global block: copying it
 * gives itself, so it must be held here for as long as Objective-C may use it.
 *
 * @example
 * ```ts
 * import { Block, Class, fromObjC, type NSObject } from "@objc/runtime";
 * using names = Class.named("NSArray").send("arrayWithArray:", ["a", "b"]) as NSObject;
 * using block = new Block("v@?@Q^B", (name, index) => console.log(index, fromObjC(name)));
 * names.send("enumerateObjectsUsingBlock:", block); // 0n "a", 1n "b"
 * ```
 */
export class Block implements Reference, Disposable {
  readonly #literal = new BigUint64Array(LITERAL_SIZE / 8);
  readonly #descriptor = new BigUint64Array(3);
  readonly #signature: Uint8Array<ArrayBuffer>;
  readonly #callback: Callback;

  /**
   * Made of its types and its function.
   *
   * @param encoding Return type, `@?` for the block itself, then the arguments: `v@?@`. The runtime does not
   *   know it: a method says only that it takes a block.
   * @param implementation Gets the arguments after the block itself; what it returns is converted like an argument.
   *   Called on the event loop, while the thread that calls the block waits.
   * @throws {EncodingError} When the encoding cannot be read.
   * @throws {TypeError} When a type in it cannot be passed.
   */
  constructor(readonly encoding: string, implementation: Implementation) {
    this.#callback = callback(parseBlockType(encoding), implementation, (i) => i === 0);
    this.#signature = cString(encoding);
    this.#descriptor.set([0n, BigInt(LITERAL_SIZE), address(Deno.UnsafePointer.of(this.#signature))]);
    this.#literal.set([
      address(isa()),
      BigInt(BLOCK_IS_GLOBAL | BLOCK_HAS_SIGNATURE),
      address(this.#callback.pointer),
      address(Deno.UnsafePointer.of(this.#descriptor)),
    ]);
  }

  /** The address of the literal. */
  get [POINTER](): Pointer {
    return Deno.UnsafePointer.of(this.#literal);
  }

  /** Keeps the program alive, and its event loop awake for calls, until {@linkcode unref}. */
  ref(): void {
    this.#callback.ref();
  }

  /** Undoes one {@linkcode ref}. */
  unref(): void {
    this.#callback.unref();
  }

  /** Frees it. Nothing may call it any more. */
  [Symbol.dispose](): void {
    this.#callback.close();
  }
}

/**
 * Completion handlers are used again when they have been called, and never freed: a framework still reads a
 * block's flags, to release it, after the call.
 */
const idle = new Map<string, { block: Block; settle?: (result: Result[]) => void }[]>();

/** A completion handler that has been handed out, and what it will be called with. */
export interface Completion {
  /** What to give to the method. */
  block: Block;
  /** The arguments of the call. */
  called: Promise<Result[]>;
}

/**
 * A completion handler: a block that is called once, and a promise of its arguments. The program does not end before
 * it is called.
 *
 * @param encoding As of {@linkcode Block}: `v@?@` for `^(NSError *error)`.
 */
export function completion(encoding: string): Completion {
  const free = idle.get(encoding) ?? [];
  idle.set(encoding, free);
  const handler = free.pop() ?? newHandler(encoding, free);
  handler.block.ref();
  const called = new Promise<Result[]>((resolve) => handler.settle = resolve);
  return { block: handler.block, called };
}

function newHandler(encoding: string, free: { block: Block; settle?: (result: Result[]) => void }[]) {
  const handler: { block: Block; settle?: (result: Result[]) => void } = {
    block: new Block(encoding, (...args) => {
      handler.block.unref();
      handler.settle?.(args);
      free.push(handler);
    }),
  };
  return handler;
}

/**
 * The outcome of a completion handler that gets an `NSError *`: `^(NSError *error)`.
 *
 * @throws {NSError} When it is called with an error.
 */
export async function succeeded(called: Promise<Result[]>): Promise<void> {
  const [error] = await called;
  if (error instanceof NSObject) throw NSError.from(error);
}
