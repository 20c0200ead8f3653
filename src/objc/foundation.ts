/** Foundation's objects as JavaScript values, and those that messages need and JavaScript has no value for. */

import type { Pointer } from "./runtime.ts";
import { POINTER } from "./runtime.ts";
import { Class, NSObject, type Result } from "./object.ts";
import { sendValues } from "./arguments.ts";

/** What {@linkcode fromObjC} gives; objects of no class that it knows stay as they are. */
export type Converted =
  | null
  | string
  | number
  | bigint
  | boolean
  | Date
  | URL
  | Uint8Array
  | NSObject
  | Converted[]
  | Map<string, Converted>;

function number(object: NSObject): number | bigint | boolean {
  // The two booleans are singletons on both systems, and their objCType says no more than "char".
  for (const value of [true, false]) {
    using boolean = Class.named("NSNumber").send("numberWithBool:", value) as NSObject;
    if (same(object, boolean)) return value;
  }
  const type = object.send("objCType");
  if (type === "f" || type === "d") return object.send("doubleValue") as number;
  const integer = object.send(type === "Q" ? "unsignedLongLongValue" : "longLongValue") as bigint;
  return BigInt(Number(integer)) === integer && Number.isSafeInteger(Number(integer))
    ? Number(integer)
    : integer;
}

/** Whether two wrappers are of one object. */
export function same(a: NSObject, b: NSObject): boolean {
  return Deno.UnsafePointer.equals(a[POINTER], b[POINTER]);
}

function bytes(data: NSObject): Uint8Array {
  const length = Number(data.send("length"));
  const pointer = sendValues(data[POINTER], "bytes") as Pointer;
  if (!pointer) return new Uint8Array();
  return new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, length)).slice();
}

/** The elements of an NSArray as they are; {@linkcode fromObjC} converts them. */
export function elements(array: NSObject): NSObject[] {
  const count = Number(array.send("count"));
  return Array.from({ length: count }, (_, i) => array.send("objectAtIndex:", i) as NSObject);
}

function entries(dictionary: NSObject): Map<string, Converted> {
  const map = new Map<string, Converted>();
  using keys = dictionary.send("allKeys") as NSObject;
  for (let i = 0; i < Number(keys.send("count")); i++) {
    using key = keys.send("objectAtIndex:", i) as NSObject;
    map.set(key.toString(), fromObjC(dictionary.send("objectForKey:", key)));
  }
  return map;
}

/** Classes by which an object is converted; a subclass of one is converted as that one. */
const CONVERSIONS: [string, (object: NSObject) => Converted][] = [
  ["NSString", (object) => object.toString()],
  ["NSNumber", number],
  ["NSArray", (object) => elements(object).map(fromObjC)],
  ["NSDictionary", entries],
  ["NSData", bytes],
  ["NSDate", (object) => new Date(Math.round((object.send("timeIntervalSince1970") as number) * 1000))],
  ["NSURL", (object) => URL.parse(String(object.send("absoluteString"))) ?? object], // a relative one stays
  ["NSNull", () => null],
];

/**
 * The JavaScript value of an object: text, number, array, Map, bytes, Date or URL; null for nil and NSNull.
 * Elements of collections are converted too.
 *
 * @param result What a message has returned; what is no object comes back as it is.
 */
export function fromObjC(result: Result): Converted {
  if (!(result instanceof NSObject)) return (result ?? null) as Converted;
  for (const [name, convert] of CONVERSIONS) {
    if (result.send("isKindOfClass:", Class.named(name))) return convert(result);
  }
  return result;
}

/**
 * An NSURL of any kind.
 *
 * @throws {TypeError} When the text is none.
 */
export function webURL(text: string): NSObject {
  const url = Class.named("NSURL").send("URLWithString:", text) as NSObject | null;
  if (!url) throw new TypeError(`'${text}' is no URL`);
  return url;
}

/** An NSURL of a file. A relative path is seen from the current folder. */
export function fileURL(path: string): NSObject {
  // GNUstep would turn the backslashes of a relative path, and of the current folder, into slashes.
  const absolute = path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
  return Class.named("NSURL").send("fileURLWithPath:", absolute) as NSObject;
}
