/** Type encodings as what FFI passes: native types, sizes, and the bytes of structs. */

import { formatType, isVoid, type MethodType, type Scalar, type Type } from "./encoding.ts";

/** A struct's or array's value in JavaScript: its members in order. `NSRect` is `[[x, y], [width, height]]`. */
export type Struct = (number | bigint | boolean | Struct)[];

interface ScalarLayout {
  native: Deno.NativeType;
  size: number;
  /** Reads and writes it in memory; all machines that Deno runs on are little-endian. */
  get: (view: DataView, at: number) => number | bigint | boolean;
  set: (view: DataView, at: number, value: number | bigint | boolean) => void;
}

const u64: ScalarLayout = {
  native: "u64",
  size: 8,
  get: (v, at) => v.getBigUint64(at, true),
  set: (v, at, x) => v.setBigUint64(at, BigInt(x), true),
};
const i32: ScalarLayout = {
  native: "i32",
  size: 4,
  get: (v, at) => v.getInt32(at, true),
  set: (v, at, x) => v.setInt32(at, Number(x), true),
};
const u32: ScalarLayout = {
  native: "u32",
  size: 4,
  get: (v, at) => v.getUint32(at, true),
  set: (v, at, x) => v.setUint32(at, Number(x), true),
};

/** Those that FFI can pass by value: long double, 128-bit integers and `?` it cannot. */
const LAYOUTS: Partial<Record<Scalar, ScalarLayout>> = {
  c: {
    native: "i8",
    size: 1,
    get: (v, at) => v.getInt8(at),
    set: (v, at, x) => v.setInt8(at, Number(x)),
  },
  C: {
    native: "u8",
    size: 1,
    get: (v, at) => v.getUint8(at),
    set: (v, at, x) => v.setUint8(at, Number(x)),
  },
  s: {
    native: "i16",
    size: 2,
    get: (v, at) => v.getInt16(at, true),
    set: (v, at, x) => v.setInt16(at, Number(x), true),
  },
  S: {
    native: "u16",
    size: 2,
    get: (v, at) => v.getUint16(at, true),
    set: (v, at, x) => v.setUint16(at, Number(x), true),
  },
  i: i32,
  I: u32,
  // Apple: "l is treated as a 32-bit quantity on 64-bit programs"; a 64-bit long is q on both systems.
  l: i32,
  L: u32,
  q: {
    native: "i64",
    size: 8,
    get: (v, at) => v.getBigInt64(at, true),
    set: (v, at, x) => v.setBigInt64(at, BigInt(x), true),
  },
  Q: u64,
  f: {
    native: "f32",
    size: 4,
    get: (v, at) => v.getFloat32(at, true),
    set: (v, at, x) => v.setFloat32(at, Number(x), true),
  },
  d: {
    native: "f64",
    size: 8,
    get: (v, at) => v.getFloat64(at, true),
    set: (v, at, x) => v.setFloat64(at, Number(x), true),
  },
  B: {
    native: "bool",
    size: 1,
    get: (v, at) => v.getUint8(at) !== 0,
    set: (v, at, x) => v.setUint8(at, x ? 1 : 0),
  },
};

const POINTER: ScalarLayout = { ...u64, native: "pointer" };

/** The layout of a type that is one machine word or less, or undefined for an aggregate and what cannot be passed. */
function scalarLayout(type: Type): ScalarLayout | undefined {
  if (type.kind === "object" || type.kind === "block" || type.kind === "pointer") return POINTER;
  if (type.kind !== "scalar") return undefined;
  if (type.code === "*" || type.code === "#" || type.code === ":" || type.code === "%") return POINTER;
  return LAYOUTS[type.code];
}

function throwNotPassable(type: Type): never {
  throw new TypeError(`A value of type "${formatType(type)}" cannot be passed by value`);
}

/** The members of a struct or array in order. */
function members(type: Type): Type[] {
  if (type.kind === "struct" && type.fields) return type.fields.map((f) => f.type);
  if (type.kind === "array") return new Array<Type>(type.length).fill(type.of);
  throwNotPassable(type);
}

/**
 * The type that FFI passes for an encoding.
 *
 * @throws {TypeError} When it cannot be passed: unions, bit-fields, vectors, long doubles, opaque structs.
 */
export function nativeType(type: Type): Deno.NativeType {
  const scalar = scalarLayout(type);
  if (scalar) return scalar.native;
  const fields = members(type);
  if (fields.length === 0) throwNotPassable(type);
  return { struct: fields.map(nativeType) };
}

/**
 * The types that FFI passes to a function and takes from it.
 *
 * @throws {TypeError} As {@linkcode nativeType}.
 */
export function nativeSignature(
  { args, result }: MethodType,
): { parameters: Deno.NativeType[]; result: Deno.NativeResultType } {
  return { parameters: args.map(nativeType), result: isVoid(result) ? "void" : nativeType(result) };
}

/** Size and alignment in bytes, as C lays the type out. */
export function layoutOf(type: Type): { size: number; alignment: number } {
  const scalar = scalarLayout(type);
  if (scalar) return { size: scalar.size, alignment: scalar.size };
  let size = 0;
  let alignment = 1;
  for (const member of members(type)) {
    const field = layoutOf(member);
    size = alignUp(size, field.alignment) + field.size;
    alignment = Math.max(alignment, field.alignment);
  }
  return { size: alignUp(size, alignment), alignment };
}

function alignUp(n: number, alignment: number): number {
  return Math.ceil(n / alignment) * alignment;
}

/** Bits of the integers, negative where signed. */
const BITS: Partial<Record<Scalar, number>> = {
  c: -8,
  C: 8,
  s: -16,
  S: 16,
  i: -32,
  I: 32,
  l: -32,
  L: 32,
  q: -64,
  Q: 64,
};

/** Whether a type's values are integers. */
export function isInteger(code: Scalar): boolean {
  return code in BITS;
}

/**
 * An integer as FFI takes it: bigint for 64 bits. Booleans are welcome, since BOOL is a char on x86_64.
 *
 * @throws {TypeError} Whose message says what was expected: `an unsigned 64-bit integer`.
 */
export function toInteger(code: Scalar, value: unknown): number | bigint {
  const bits = BITS[code]!;
  const fits = typeof value === "bigint" || typeof value === "boolean" || Number.isSafeInteger(value);
  const wide = fits ? BigInt(value as number) : 0n;
  const clipped = bits < 0 ? BigInt.asIntN(-bits, wide) : BigInt.asUintN(bits, wide);
  if (!fits || clipped !== wide) {
    throw new TypeError(bits < 0 ? `a signed ${-bits}-bit integer` : `an unsigned ${bits}-bit integer`);
  }
  return Math.abs(bits) === 64 ? wide : Number(wide);
}

function place(type: Type, view: DataView, at: number, value: Struct[number]): void {
  const scalar = scalarLayout(type);
  if (scalar) {
    const code = type.kind === "scalar" ? type.code : "Q"; // an address
    if (isInteger(code)) value = toInteger(code, value);
    else if (typeof value !== (code === "B" ? "boolean" : "number") && scalar.native !== "pointer") {
      throw new TypeError(`a ${code === "B" ? "boolean" : "number"} for "${formatType(type)}"`);
    }
    return scalar.set(view, at, value as number);
  }
  const types = members(type);
  if (!Array.isArray(value) || value.length !== types.length) {
    throw new TypeError(`an array of ${types.length} for "${formatType(type)}"`);
  }
  let offset = 0;
  types.forEach((member, i) => {
    const { size, alignment } = layoutOf(member);
    offset = alignUp(offset, alignment);
    place(member, view, at + offset, value[i]);
    offset += size;
  });
}

/**
 * The bytes of a struct, array or scalar.
 *
 * @throws {TypeError} Whose message says what was expected: `an array of 2 for "{CGSize=dd}"`.
 */
export function pack(type: Type, value: Struct[number]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layoutOf(type).size);
  place(type, new DataView(bytes.buffer), 0, value);
  return bytes;
}

function take(type: Type, view: DataView, at: number): Struct[number] {
  const scalar = scalarLayout(type);
  if (scalar) return scalar.get(view, at);
  let offset = 0;
  return members(type).map((member) => {
    const { size, alignment } = layoutOf(member);
    offset = alignUp(offset, alignment);
    const value = take(member, view, at + offset);
    offset += size;
    return value;
  });
}

/** The value that {@linkcode pack} has written. */
export function unpack(type: Type, bytes: Uint8Array): Struct[number] {
  return take(type, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}
