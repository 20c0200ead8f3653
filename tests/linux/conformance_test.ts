// linux/ against Apple's declarations, read from the live runtime: a class, method or type that differs is one that a
// client of Apple's framework, vzrun first, cannot use.

import { assert, assertEquals } from "@std/assert";
import { formatType, parseMethodType } from "../../src/objc/encoding.ts";
import { standInPath } from "../../src/host/libraries.ts";
import { Class } from "../../src/objc/mod.ts";
import { wrap } from "../../src/objc/object.ts";
import { cString, fromCString, type Pointer, registerSelector } from "../../src/objc/runtime.ts";
import { classRow, isLater, type Row, superclassOf, TABLE } from "../vz/table.ts";
import { projectFile } from "./guest.ts";
import { methodVersion } from "./versions.ts";

/** The macOS that the library claims to be. */
const MACOS = Deno.env.get("VIRTUALIZATION_MACOS") ?? "27.0";

const runtime = Deno.dlopen(standInPath("objc"), {
  VZErrorDomain: { type: "pointer" },
  objc_getClassList: { parameters: ["buffer", "i32"], result: "i32" },
  objc_getProtocol: { parameters: ["buffer"], result: "pointer" },
  object_getClass: { parameters: ["pointer"], result: "pointer" },
  class_getName: { parameters: ["pointer"], result: "pointer" },
  class_getSuperclass: { parameters: ["pointer"], result: "pointer" },
  class_conformsToProtocol: { parameters: ["pointer", "pointer"], result: "bool" },
  class_copyMethodList: { parameters: ["pointer", "buffer"], result: "pointer" },
  class_getInstanceMethod: { parameters: ["pointer", "pointer"], result: "pointer" },
  method_getName: { parameters: ["pointer"], result: "pointer" },
  method_getTypeEncoding: { parameters: ["pointer"], result: "pointer" },
  sel_getName: { parameters: ["pointer"], result: "pointer" },
  free: { parameters: ["pointer"], result: "void" },
}).symbols;

/** Methods that a class may override without Apple's headers saying so. */
const OVERRIDES = [
  "-dealloc",
  "-copyWithZone:",
  "-isEqual:",
  "-hash",
  "-description",
  "-retain",
  "-release",
  "-retainCount",
  "+automaticallyNotifiesObserversForKey:",
];

/** The classes of both libraries, by name. */
function classes(): Map<string, Pointer> {
  Class.named("VZVirtualMachine"); // the library is open
  Deno.dlopen(projectFile("linux/build/libVirtualizationAppKit.so"), {});
  const count = runtime.objc_getClassList(new Uint8Array(), 0);
  const list = new BigUint64Array(count);
  const got = runtime.objc_getClassList(new Uint8Array(list.buffer), count);
  const named = [...list.subarray(0, got)].map((address): [string, Pointer] => {
    const pointer = Deno.UnsafePointer.create(address);
    return [fromCString(runtime.class_getName(pointer))!, pointer];
  });
  return new Map(named.filter(([name]) => name.startsWith("VZ")));
}

const CLASSES = classes();

/** A method's own selectors and encodings, of a class or metaclass itself, not of its superclasses. */
function ownMethods(type: Pointer): Map<string, string> {
  const count = new Uint32Array(1);
  const list = runtime.class_copyMethodList(type, new Uint8Array(count.buffer));
  const methods = new Map<string, string>();
  for (let i = 0; i < count[0]; i++) {
    const method = Deno.UnsafePointer.create(new Deno.UnsafePointerView(list!).getBigUint64(8 * i));
    const selector = fromCString(runtime.sel_getName(runtime.method_getName(method)))!;
    methods.set(selector, fromCString(runtime.method_getTypeEncoding(method))!);
  }
  runtime.free(list);
  return methods;
}

/** Types as the table writes them, of an encoding. */
function tableTypes(encoding: string): string {
  const { result, args } = parseMethodType(encoding);
  return [result, ...args.slice(2)].map((type) => {
    const text = formatType({ ...type, qualifiers: undefined });
    // BOOL is another type on each system, and GNUstep's NSSize has kept its first name.
    return text.replace(/^(\^?)[CB]$/, "$1Z").replace("{_NSSize=", "{CGSize=");
  }).join(" ");
}

/** The same of a row. The runtime knows neither what a block takes nor how an out parameter is qualified. */
function rowTypes(row: Row): string {
  return [row.result, ...row.args].map((type) => type.replace(/^o\^@$/, "^@").replace(/^@\?<.*>$/, "@?"))
    .join(" ");
}

function rowsOf(name: string): Row[] {
  return TABLE.filter((row) => row.owner === name && (row.kind === "+" || row.kind === "-"));
}

function typeFor(name: string, kind: string): Pointer {
  const type = CLASSES.get(name)!;
  return kind === "+" ? runtime.object_getClass(type) : type;
}

Deno.test("linux: the library has the classes that vzrun needs", () => {
  for (
    const name of [
      "VZVirtualMachine",
      "VZVirtualMachineConfiguration",
      "VZLinuxBootLoader",
      "VZMACAddress",
      "VZVirtualMachineView",
    ]
  ) {
    assert(CLASSES.has(name), name);
  }
});

Deno.test("linux: every class is Apple's, with Apple's superclass", () => {
  const own = [...CLASSES].map(([name, type]) => [
    name,
    fromCString(runtime.class_getName(runtime.class_getSuperclass(type))),
  ]);
  assertEquals(own, [...CLASSES.keys()].map((name) => [name, superclassOf(name) ?? "no class of Apple's"]));
});

Deno.test("linux: every class adopts Apple's protocols, and no others", () => {
  const NSCopying = runtime.objc_getProtocol(cString("NSCopying"));
  assert(NSCopying);
  const adopts = (type: Pointer): boolean => {
    const name = fromCString(runtime.class_getName(type));
    if (!type || name === "NSObject") return false;
    return runtime.class_conformsToProtocol(type, NSCopying) || adopts(runtime.class_getSuperclass(type));
  };
  const declared = (name: string | undefined): boolean => {
    const row = name && classRow(name);
    if (!row) return false;
    return row.args.join(" ").includes("NSCopying") || declared(superclassOf(row.owner));
  };
  assertEquals(
    [...CLASSES].map(([name, type]) => `${name} ${adopts(type)}`),
    [...CLASSES.keys()].map((name) => `${name} ${declared(name)}`),
  );
});

Deno.test("linux: every method is Apple's, with Apple's types", () => {
  const problems: string[] = [];
  let compared = 0;
  for (const name of CLASSES.keys()) {
    for (const kind of ["+", "-"]) {
      for (const [selector, encoding] of ownMethods(typeFor(name, kind))) {
        if (selector.startsWith("_") || OVERRIDES.includes(kind + selector)) continue;
        const method = `${kind}[${name} ${selector}]`;
        const row = rowsOf(name).find((row) => row.kind === kind && row.selector === selector);
        if (!row && (adopted(name, kind, selector) || inherited(name, kind, selector))) continue;
        if (!row && isViews(name, selector, encoding)) continue;
        if (!row) problems.push(`${method} is none of Apple's`);
        else if (rowTypes(row) !== tableTypes(encoding)) {
          problems.push(`${method} is ${tableTypes(encoding)}, not ${rowTypes(row)}`);
        } else compared++;
      }
    }
  }
  assertEquals(problems, []);
  assert(compared > 100, `only ${compared} methods were compared`);
});

/** Whether a protocol that the class adopts has the method, in the table. */
function adopted(name: string, kind: string, selector: string): boolean {
  const protocols = classRow(name)!.args.join(" ").replace("protocols=", "").split(",");
  return TABLE.some((row) =>
    protocols.includes(row.owner) && row.kind === `${kind}r` && row.selector === selector
  );
}

/** Whether a superclass has the method, in the table or as NSObject's: then to override it is nobody's business. */
function inherited(name: string, kind: string, selector: string): boolean {
  for (let owner = superclassOf(name); owner && owner !== "NSObject"; owner = superclassOf(owner)) {
    if (rowsOf(owner).some((row) => row.kind === kind && row.selector === selector)) return true;
  }
  return `${kind}${selector}` === "-init" || `${kind}${selector}` === "+new";
}

/** Whether a view overrides what AppKit's views have, of which there is no table here. */
function isViews(name: string, selector: string, encoding: string): boolean {
  if (superclassOf(name) !== "NSView") return false;
  const method = runtime.class_getInstanceMethod(
    runtime.class_getSuperclass(CLASSES.get(name)!),
    registerSelector(selector),
  );
  return method !== null &&
    tableTypes(fromCString(runtime.method_getTypeEncoding(method))!) === tableTypes(encoding);
}

Deno.test("linux: every method that Apple's classes have is there, with Apple's types", () => {
  const problems: string[] = [];
  for (const name of CLASSES.keys()) {
    for (const row of rowsOf(name)) {
      if (isLater(methodVersion(row), MACOS)) continue; // that it is not there: versions_test.ts
      const type = typeFor(name, row.kind);
      const method = runtime.class_getInstanceMethod(type, registerSelector(row.selector));
      if (!method) {
        problems.push(`${row.kind}[${name} ${row.selector}] is missing`);
        continue;
      }
      const types = tableTypes(fromCString(runtime.method_getTypeEncoding(method))!);
      if (types !== rowTypes(row)) problems.push(`${row.kind}[${name} ${row.selector}] is ${types}`);
    }
  }
  assertEquals(problems, []);
});

// GCC's runtime keeps no optional methods of protocols, so the name is all that can be asked for.
Deno.test("linux: the delegates' protocols can be had by name", () => {
  const names = ["VZVirtualMachineDelegate", "VZVirtioSocketListenerDelegate"];
  const protocols = TABLE.filter((row) => row.kind === "P" && names.includes(row.owner));
  assertEquals(protocols.map((row) => runtime.objc_getProtocol(cString(row.owner)) !== null), [true, true]);
});

Deno.test("linux: the error domain is Apple's constant, by name and by value", () => {
  const domain = new Deno.UnsafePointerView(runtime.VZErrorDomain as Deno.PointerObject).getPointer();
  assertEquals(String(wrap(domain)), "VZErrorDomain");
});
