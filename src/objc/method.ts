/** Messages on raw pointers: what a method takes is read from the runtime, once, and FFI is set up to match. */

import { formatType, isVoid, type MethodType, parseMethodType, type Type } from "./encoding.ts";
import { openFunctions } from "./libraries.ts";
import { layoutOf, nativeSignature } from "./native_type.ts";
import { fromCString, type Pointer, registerSelector, runtime } from "./runtime.ts";

/** What FFI takes and gives for a value of some type. */
export type Raw = Pointer | number | bigint | boolean | Uint8Array<ArrayBuffer> | undefined;

type Send = (receiver: Pointer, sel: Pointer, ...args: Raw[]) => Raw;

/** Calls a method, by its member. */
interface Sender {
  send: Send;
}

/** `objc_msgSend` under each C signature that was needed so far. */
const senders = new Map<string, Sender>();

/** What methods take and how they are called, by their encodings: most methods share a few. */
const signatures = new Map<string, { type: MethodType; sender: Sender }>();

/**
 * On x86_64 a struct of more than 16 bytes comes back through memory, and another entry point expects that;
 * arm64 has a register for it. (Apple, "OS X ABI Function Call Guide")
 */
function entryPoint(result: Type): string {
  const aggregate = result.kind === "struct" || result.kind === "array";
  const inMemory = Deno.build.arch === "x86_64" && aggregate && layoutOf(result).size > 16;
  return inMemory ? "objc_msgSend_stret" : "objc_msgSend";
}

function senderFor(type: MethodType): Sender {
  const definition = { name: entryPoint(type.result), ...nativeSignature(type) };
  const key = JSON.stringify(definition);
  let sender = senders.get(key);
  if (!sender) {
    sender = openFunctions("objc", { send: definition }) as Sender;
    senders.set(key, sender);
  }
  return sender;
}

function signatureOf(encoding: string): { type: MethodType; sender: Sender } {
  let signature = signatures.get(encoding);
  if (!signature) {
    const type = parseMethodType(encoding);
    signature = { type, sender: senderFor(type) };
    signatures.set(encoding, signature);
  }
  return signature;
}

/**
 * Whether a selector is of a family whose results the caller owns. A family's word must end where a name's
 * word does: `newValue` is of `new`, `newer` is not. (Clang, "Automatic Reference Counting", 5.4)
 */
export function methodFamily(name: string): "alloc" | "new" | "copy" | "mutableCopy" | "init" | null {
  const match = /^_*(alloc|new|copy|mutableCopy|init)(?![a-z])/.exec(name);
  return match && match[1] as ReturnType<typeof methodFamily>;
}

/** One method of one class, ready to be sent. */
export class Method {
  /** Calls it, by its member `send`: receiver, {@linkcode sel}, then arguments as FFI takes them. */
  readonly sender: Sender;
  readonly sel: Pointer;
  /** The types of the arguments after receiver and selector. */
  readonly args: Type[];
  readonly result: Type;
  /** The result is the caller's to release. */
  readonly owned: boolean;
  /** The receiver is used up: `init…` may give another object in its place. */
  readonly consumes: boolean;
  /** The last argument is an `NSError **`, and a result of nil or NO means that it was set. */
  readonly throws: boolean;

  constructor(readonly owner: RuntimeClass, readonly selector: string, encoding: string) {
    let type: MethodType;
    try {
      ({ type, sender: this.sender } = signatureOf(encoding));
    } catch (error) {
      throw new TypeError(`${this} cannot be sent: ${(error as Error).message}`);
    }
    this.sel = registerSelector(selector);
    this.args = type.args.slice(2);
    this.result = type.result;
    const family = methodFamily(selector);
    this.owned = family !== null && type.result.kind === "object";
    this.consumes = family === "init";
    const last = this.args.at(-1);
    const takesError = last?.kind === "pointer" && last.to.kind === "object";
    this.throws = /(^e|E|:e)rror:$/.test(selector) && takesError && !isVoid(type.result);
  }

  /** How it reads in messages: `-[NSString length]`. */
  toString(): string {
    return this.owner.describe(this.selector);
  }
}

/** A class as the runtime knows it (metaclasses too), with the methods that were asked of it. */
export class RuntimeClass {
  readonly #methods = new Map<string, Method>();

  private constructor(readonly pointer: Pointer) {}

  /** Its name; a metaclass has that of its class. */
  get name(): string {
    return fromCString(runtime.class_getName(this.pointer)) ?? "";
  }

  static readonly #known = new Map<bigint, RuntimeClass>();

  /** The class of an object; the metaclass of a class. */
  static of(object: Pointer): RuntimeClass {
    const pointer = runtime.object_getClass(object);
    const address = Deno.UnsafePointer.value(pointer);
    let known = this.#known.get(address);
    if (!known) {
      known = new RuntimeClass(pointer);
      this.#known.set(address, known);
    }
    return known;
  }

  /** How a method of it reads in messages: `-[NSString length]`. */
  describe(selector: string): string {
    return `${runtime.class_isMetaClass(this.pointer) ? "+" : "-"}[${this.name} ${selector}]`;
  }

  /** Whether instances have a method of that name. */
  has(name: string): boolean {
    return this.#methods.has(name) ||
      runtime.class_getInstanceMethod(this.pointer, registerSelector(name)) !== null;
  }

  /**
   * The method that a selector names.
   *
   * @throws {TypeError} When there is none, or it takes what FFI cannot pass.
   */
  method(name: string): Method {
    const known = this.#methods.get(name);
    if (known) return known;
    const pointer = runtime.class_getInstanceMethod(this.pointer, registerSelector(name));
    if (!pointer) throw new TypeError(`${this.describe(name)}: no such method`);
    const encoding = fromCString(runtime.method_getTypeEncoding(pointer)) ?? "";
    const method = new Method(this, name, encoding);
    this.#methods.set(name, method);
    return method;
  }
}

/** What an argument of a type is called in messages. */
export function describeType(type: Type): string {
  switch (type.kind) {
    case "object":
      return "an object";
    case "block":
      return "a block";
    case "scalar":
      if (type.code === ":") return "a selector's name";
      if (type.code === "#") return "a class";
      if (type.code === "*") return "a string";
      if (type.code === "B") return "a boolean";
      return "a number";
    default:
      return `a value of type "${formatType(type)}"`;
  }
}
