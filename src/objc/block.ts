/** Blocks made of JavaScript functions. */

import { type Callback, callback, type Implementation } from "./callback.ts";
import { parseBlockType } from "./encoding.ts";
import { NSError } from "./error.ts";
import { openFunctions, symbolAddress } from "./libraries.ts";
import { NSObject, type Result } from "./object.ts";
import { cString, POINTER, type Pointer } from "./runtime.ts";
import type { Reference } from "./arguments.ts";

// Clang, "Block Implementation Specification": a literal is isa, flags, reserved, invoke, descriptor.
const BLOCK_HAS_SIGNATURE = 1 << 30;
const LITERAL_SIZE = 32;

const blocks = openFunctions("system", {
  _Block_copy: { parameters: ["buffer"], result: "pointer" },
  _Block_release: { parameters: ["pointer"], result: "void" },
});

let stackBlockClass: Pointer | undefined;

/** What isa of a block holds that was not copied yet. */
function isa(): Pointer {
  return stackBlockClass ??= symbolAddress("system", "_NSConcreteStackBlock");
}

function address(pointer: Pointer): bigint {
  return Deno.UnsafePointer.value(pointer);
}

/**
 * A block that calls a JavaScript function, on whatever thread it is called. It must be held here for as long as
 * Objective-C may call it.
 *
 * @example
 * ```ts
 * import { Block, Class, fromObjC, type NSObject } from "@objc/runtime";
 * using names = Class.named("NSArray").send("arrayWithArray:", ["a", "b"]) as NSObject;
 * using block = new Block("v@?@Q^B", (name, index) => console.log(index, fromObjC(name)));
 * names.send("enumerateObjectsUsingBlock:", block); // 0n "a", 1n "b"
 * ```
 */
// The block itself is a copy in the runtime's memory, which is there until the last who has it has released it: a
// queue's thread does that some time after its call, when JavaScript may be at its end and its memory freed.
export class Block implements Reference, Disposable {
  #pointer: Pointer;
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
    this.#pointer = blocks._Block_copy(
      new BigUint64Array([
        address(isa()),
        BigInt(BLOCK_HAS_SIGNATURE),
        address(this.#callback.pointer),
        address(Deno.UnsafePointer.of(this.#descriptor)),
      ]),
    );
  }

  /** The address; a use after it was disposed of is an error here and not a crash there. */
  get [POINTER](): Pointer {
    if (!this.#pointer) throw new TypeError("This block has been released");
    return this.#pointer;
  }

  /** Keeps the program alive, and its event loop awake for calls, until {@linkcode unref}. */
  ref(): void {
    this.#callback.ref();
  }

  /** Undoes one {@linkcode ref}. */
  unref(): void {
    this.#callback.unref();
  }

  /** Gives it up. Nothing may call it any more; who still has it may release it later. */
  [Symbol.dispose](): void {
    if (!this.#pointer) return;
    this.#callback.close();
    blocks._Block_release(this.#pointer);
    this.#pointer = null;
  }
}

/**
 * Completion handlers are used again when they have been called, and never given up: that cannot be done in the
 * call, and nothing tells when the thread that has called one is out of it.
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
