import { assertEquals, assertThrows } from "@std/assert";
import { parseType } from "../../src/objc/encoding.ts";
import { layoutOf, nativeType, pack, type Struct, unpack } from "../../src/objc/native_type.ts";

Deno.test("native types: sizes and alignments are C's", () => {
  const layouts: [encoding: string, size: number, alignment: number][] = [
    ["c", 1, 1],
    ["C", 1, 1],
    ["B", 1, 1],
    ["s", 2, 2],
    ["S", 2, 2],
    ["i", 4, 4],
    ["I", 4, 4],
    ["l", 4, 4],
    ["L", 4, 4],
    ["q", 8, 8],
    ["Q", 8, 8],
    ["f", 4, 4],
    ["d", 8, 8],
    ["@", 8, 8],
    ["#", 8, 8],
    [":", 8, 8],
    ["r*", 8, 8],
    ["%", 8, 8],
    ["@?", 8, 8],
    ["^{x}", 8, 8],
    ["[6C]", 6, 1],
    ["[3s]", 6, 2],
    ["[0q]", 0, 1],
    ["{a=cc}", 2, 1],
    ["{a=ci}", 8, 4],
    ["{a=ic}", 8, 4],
    ["{a=csci}", 12, 4],
    ["{a=qc}", 16, 8],
    ["{a=cqc}", 24, 8],
    ["{a=c{b=d}}", 16, 8],
    ["{a={b=ic}c}", 12, 4],
    ["{a=[3{b=sc}]c}", 14, 2],
    ["{a=c[2[2i]]c}", 24, 4],
    ["{CGRect={CGPoint=dd}{CGSize=dd}}", 32, 8],
    ["{ether_addr=[6C]}", 6, 1],
  ];
  for (const [encoding, size, alignment] of layouts) {
    assertEquals(layoutOf(parseType(encoding)), { size, alignment }, encoding);
  }
});

Deno.test("native types: members stand where C puts them, little-endian", () => {
  const bytes: [encoding: string, value: Struct, hex: string][] = [
    ["{a=ci}", [-1, 1], "ff00000001000000"],
    ["{a=csC}", [1, -2, 255], "0100feffff00"],
    ["{a=BS}", [true, 0x1234], "01003412"],
    ["{a=[3{b=sC}]c}", [[[1, 2], [3, 4], [5, 6]], 7], "0100020003000400050006000700"],
    ["{a=fQ}", [1.5, 2n ** 64n - 1n], "0000c03f00000000ffffffffffffffff"],
    ["{a=d}", [-2], "00000000000000c0"],
    ["{a=^v}", [0x1122334455667788n], "8877665544332211"],
  ];
  for (const [encoding, value, hex] of bytes) {
    assertEquals(pack(parseType(encoding), value).toHex(), hex, encoding);
  }
});

Deno.test("native types: what was packed is unpacked as the same, at the edges of every width", () => {
  const values: [encoding: string, value: Struct[number]][] = [
    ["c", -128],
    ["c", 127],
    ["C", 255],
    ["s", -32768],
    ["S", 65535],
    ["i", -(2 ** 31)],
    ["I", 2 ** 32 - 1],
    ["l", 2 ** 31 - 1],
    ["L", 2 ** 32 - 1],
    ["q", -(2n ** 63n)],
    ["q", 2n ** 63n - 1n],
    ["Q", 2n ** 64n - 1n],
    ["f", Math.fround(0.1)],
    ["d", 0.1],
    ["d", Infinity],
    ["B", true],
    ["B", false],
    ["@", 8n],
    ["[3c]", [1, 2, 3]],
    ["{a=}", []],
    ["{NSRect={NSPoint=dd}{NSSize=dd}}", [[1, 2], [3, 4.5]]],
    ["{a=[2{b=Bq}]s}", [[[true, 1n], [false, -1n]], -3]],
  ];
  for (const [encoding, value] of values) {
    const type = parseType(encoding);
    assertEquals(unpack(type, pack(type, value)), value, encoding);
  }
});

Deno.test("native types: a struct is read from the middle of a buffer", () => {
  const type = parseType("{a=SI}");
  const buffer = new Uint8Array(16);
  buffer.set(pack(type, [7, 8]), 3);
  assertEquals(unpack(type, buffer.subarray(3)), [7, 8]);
});

Deno.test("native types: FFI is told every member of a struct", () => {
  assertEquals(nativeType(parseType("{a=c{b=d@}[2S]}")), {
    struct: ["i8", { struct: ["f64", "pointer"] }, { struct: ["u16", "u16"] }],
  });
});

Deno.test("native types: what cannot be passed by value is refused by its encoding", () => {
  const unfit: [encoding: string, named: string][] = [
    ["(u=id)", "(u=id)"],
    ["b3", "b3"],
    ["{a=b3}", "b3"],
    ["{a=i(u=id)}", "(u=id)"],
    ["{opaque}", "{opaque}"],
    ["{empty=}", "{empty=}"],
    ["![16,16f]", "![16,16f]"],
    ["jd", "jd"],
    ["D", "D"],
    ["t", "t"],
    ["{a=T}", "T"],
    ["?", "?"],
    ["v", "v"],
  ];
  for (const [encoding, named] of unfit) {
    assertThrows(
      () => nativeType(parseType(encoding)),
      TypeError,
      `A value of type "${named}" cannot be passed by value`,
    );
  }
});

Deno.test("native types: a value of another shape is refused, and told which was expected", () => {
  const refused: [encoding: string, value: unknown, problem: string][] = [
    ["{a=ii}", [1], 'an array of 2 for "{a=ii}"'],
    ["{a=ii}", [1, 2, 3], 'an array of 2 for "{a=ii}"'],
    ["{a=ii}", 1, 'an array of 2 for "{a=ii}"'],
    ["{a={b=ii}i}", [[1], 2], 'an array of 2 for "{b=ii}"'],
    ["[2i]", [1], 'an array of 2 for "[2i]"'],
    ["{a=i}", [[1]], "a signed 32-bit integer"],
    ["{a=d}", [[1]], 'a number for "d"'],
  ];
  for (const [encoding, value, problem] of refused) {
    assertThrows(() => pack(parseType(encoding), value as Struct), TypeError, problem);
  }
});

// As an argument of its own such a number is refused: it must not become another number because it is in a struct.
Deno.test("native types: a number that a struct's member cannot hold is refused, not cut", () => {
  const unfit: [encoding: string, value: unknown][] = [
    ["{a=c}", 128],
    ["{a=C}", -1],
    ["{a=s}", 40000],
    ["{a=I}", 2 ** 32],
    ["{a=i}", 1.5],
    ["{a=i}", "x"],
    ["{a=i}", undefined],
    ["{a=Q}", -1n],
    ["{a=q}", 2n ** 63n],
    ["{a=Q}", 1.5],
    ["{a=Q}", "x"],
    ["{a=d}", "x"],
    ["{a=d}", undefined],
  ];
  const taken = unfit.filter(([encoding, value]) => {
    try {
      pack(parseType(encoding), [value] as Struct);
      return true;
    } catch (error) {
      return !(error instanceof TypeError);
    }
  });
  assertEquals(taken, []);
});
