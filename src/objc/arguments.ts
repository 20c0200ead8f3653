/** JavaScript values as arguments of messages. Strings, numbers, arrays … become Foundation's on the way. */

import { formatType, type Scalar, type Type } from "./encoding.ts";
import { openFramework } from "./libraries.ts";
import { describeType, type Method, type Raw, RuntimeClass } from "./method.ts";
import { isInteger, pack, type Struct, toInteger } from "./native_type.ts";
import { ensurePool } from "./pool.ts";
import { cString, POINTER, type Pointer, registerSelector, runtime } from "./runtime.ts";

/**
 * What Objective-C knows by its address: an {@linkcode NSObject}, a {@linkcode Class}, a {@linkcode Block}. Code
 * outside of this package can only pass it on.
 */
export interface Reference {
  /** @ignore */
  readonly [POINTER]: Pointer;
}

/**
 * What may stand where a method takes an object: wrappers as they are, null as nil, and what becomes an
 * NSString, NSNumber, NSDate, NSURL, NSData, NSArray or NSDictionary.
 */
export type ObjectValue =
  | Reference
  | null
  | undefined
  | string
  | number
  | bigint
  | boolean
  | Date
  | URL
  | Uint8Array
  | readonly ObjectValue[]
  | ReadonlyMap<string, ObjectValue>;

/**
 * What may stand as an argument of a message: where the method takes an object, an {@linkcode ObjectValue}; for
 * numbers and BOOLs those of JavaScript, bigint for 64 bits; a selector's name; a class; a string for `char *`; an
 * array of its members for a struct; for memory that the method reads or fills a view of it.
 */
export type Argument = ObjectValue | Struct | ArrayBufferView;

const classes = new Map<string, Pointer>();

/**
 * The address of a class.
 *
 * @throws {TypeError} When the runtime has none of that name.
 */
export function classPointer(name: string): Pointer {
  let pointer = classes.get(name);
  if (!pointer) {
    openFramework("Foundation"); // whose classes everything here is made of
    pointer = runtime.objc_getClass(cString(name));
    if (!pointer) throw new TypeError(`No Objective-C class is named ${name}`);
    classes.set(name, pointer);
  }
  return pointer;
}

function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && POINTER in value;
}

const encoder = new TextEncoder();
const NSUTF8StringEncoding = 4;

/** An address as an argument. */
function reference(pointer: Raw): Reference {
  return { [POINTER]: pointer as Pointer };
}

function nsString(text: string): Pointer {
  const bytes = encoder.encode(text);
  const alloc = sendValues(classPointer("NSString"), "alloc");
  const string = sendValues(
    alloc as Pointer,
    "initWithBytes:length:encoding:",
    bytes,
    bytes.length,
    NSUTF8StringEncoding,
  );
  return sendValues(string as Pointer, "autorelease") as Pointer;
}

function nsNumber(value: number | bigint | boolean): Pointer {
  const NSNumber = classPointer("NSNumber");
  if (typeof value === "boolean") return sendValues(NSNumber, "numberWithBool:", value) as Pointer;
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    return sendValues(NSNumber, "numberWithDouble:", value) as Pointer;
  }
  const signed = value < 0x8000_0000_0000_0000n;
  const make = signed ? "numberWithLongLong:" : "numberWithUnsignedLongLong:";
  return sendValues(NSNumber, make, toInteger(signed ? "q" : "Q", value)) as Pointer;
}

function nsURL(url: URL): Pointer {
  const object = sendValues(classPointer("NSURL"), "URLWithString:", url.href) as Pointer;
  if (!object) throw new TypeError("a URL that Foundation takes");
  return object;
}

function nsDate(date: Date): Pointer {
  const seconds = date.getTime() / 1000;
  if (Number.isNaN(seconds)) throw new TypeError("a valid date");
  return sendValues(classPointer("NSDate"), "dateWithTimeIntervalSince1970:", seconds) as Pointer;
}

/** Foundation's collections hold no nil: NSNull stands for it. */
function member(value: ObjectValue): Reference {
  return reference(toId(value) ?? sendValues(classPointer("NSNull"), "null"));
}

function nsArray(values: readonly ObjectValue[]): Pointer {
  const array = sendValues(classPointer("NSMutableArray"), "array") as Pointer;
  for (const value of values) sendValues(array, "addObject:", member(value));
  return array;
}

function nsDictionary(entries: ReadonlyMap<string, ObjectValue>): Pointer {
  const dictionary = sendValues(classPointer("NSMutableDictionary"), "dictionary") as Pointer;
  for (const [key, value] of entries) sendValues(dictionary, "setObject:forKey:", member(value), key);
  return dictionary;
}

/**
 * The object for a value, autoreleased where it is made here.
 *
 * @throws {TypeError} When nothing in Foundation corresponds to it.
 */
export function toId(value: unknown): Pointer {
  switch (typeof value) {
    case "undefined":
      return null;
    case "string":
      return nsString(value);
    case "number":
    case "bigint":
    case "boolean":
      return nsNumber(value);
    case "object":
      if (value === null) return null;
      if (isReference(value)) return value[POINTER];
      if (value instanceof Uint8Array) {
        return sendValues(classPointer("NSData"), "dataWithBytes:length:", value, value.length) as Pointer;
      }
      if (Array.isArray(value)) return nsArray(value);
      if (value instanceof Map) return nsDictionary(value);
      if (value instanceof URL) return nsURL(value);
      if (value instanceof Date) return nsDate(value);
  }
  throw new TypeError("an object, nor anything that Foundation has a class for");
}

/**
 * An argument as FFI takes it.
 *
 * @param keep Gets what must stay reachable until the call is over.
 * @throws {TypeError} Whose message says what was expected: `a boolean`.
 */
export function toRaw(type: Type, value: unknown, keep: unknown[]): Raw {
  switch (type.kind) {
    case "object":
      return toId(value);
    case "block":
      if (value === null || value === undefined) return null;
      if (isReference(value)) return value[POINTER];
      break;
    case "pointer":
      if (value === null || value === undefined) return null;
      if (isReference(value)) return value[POINTER];
      if (ArrayBuffer.isView(value)) {
        keep.push(value);
        return Deno.UnsafePointer.of(value as Uint8Array<ArrayBuffer>);
      }
      break;
    case "struct":
    case "array":
      return pack(type, value as Struct);
    case "scalar":
      return scalar(type.code, value, keep);
  }
  throw new TypeError(describeType(type));
}

function scalar(code: Scalar, value: unknown, keep: unknown[]): Raw {
  switch (code) {
    case "B":
      if (typeof value === "boolean") return value;
      break;
    case "f":
    case "d":
      if (typeof value === "number") return value;
      break;
    case ":":
      if (value === null) return null;
      if (typeof value === "string") return registerSelector(value);
      break;
    case "#":
      if (value === null) return null;
      if (isReference(value)) return value[POINTER];
      break;
    case "*":
      if (value === null) return null;
      if (typeof value === "string") {
        const string = cString(value);
        keep.push(string);
        return Deno.UnsafePointer.of(string);
      }
      break;
    default:
      if (isInteger(code)) return toInteger(code, value);
  }
  throw new TypeError(describeType({ kind: "scalar", code }));
}

/**
 * The arguments of a message as FFI takes them.
 *
 * @throws {TypeError} That names the method and the argument when their number or one of them is wrong.
 */
export function toRawArguments(
  method: Method,
  types: Type[],
  values: readonly unknown[],
  keep: unknown[],
): Raw[] {
  if (values.length !== types.length) {
    throw new TypeError(`${method} takes ${types.length} argument(s), not ${values.length}`);
  }
  return types.map((type, i) => {
    try {
      return toRaw(type, values[i], keep);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const given = `${Deno.inspect(values[i])} is not ${error.message}`;
      throw new TypeError(`${method}, argument ${i + 1} ("${formatType(type)}"): ${given}`, { cause: error });
    }
  });
}

/**
 * The arguments of a call as FFI takes them, with an NSError out parameter where the method has one and the
 * call has not: the error's address is in `out` when the method has failed.
 *
 * @throws {TypeError} As {@linkcode toRawArguments}.
 */
export function toRawCall(
  method: Method,
  values: readonly unknown[],
  keep: unknown[],
): { raw: Raw[]; out?: BigUint64Array<ArrayBuffer> } {
  const leftOut = method.throws && values.length === method.args.length - 1;
  if (!leftOut) return { raw: toRawArguments(method, method.args, values, keep) };
  const out = new BigUint64Array(1);
  const raw = toRawArguments(method, method.args.slice(0, -1), values, keep);
  return { raw: [...raw, Deno.UnsafePointer.of(out)], out };
}

/** Sends a message with JavaScript values and returns the raw result; ownership is the caller's matter. */
export function sendValues(receiver: Pointer, selector: string, ...values: unknown[]): Raw {
  ensurePool();
  const method = RuntimeClass.of(receiver).method(selector);
  const keep: unknown[] = [];
  const raw = toRawArguments(method, method.args, values, keep);
  const result = method.sender.send(receiver, method.sel, ...raw);
  keep.length = 0; // Keeps arguments alive until the call returns.
  return result;
}
