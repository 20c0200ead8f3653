// What src/vz sends, read from its source, against Apple's declarations: a selector that is wrong, or too new for the
// macOS that the code asks for, fails on a user's Mac, and only there.

// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals } from "@std/assert";
import * as vz from "../../src/vz/mod.ts";
import { classRow, enumOf, methodRow, TABLE } from "./table.ts";

/** Selectors that src/vz sends, or gives a class to answer, that are Foundation's or AppKit's. */
const FOUNDATION = [
  "init", // where the table has none, it is NSObject's
  "alloc",
  "count",
  "objectAtIndex:",
  "addObserver:forKeyPath:options:context:",
  "observeValueForKeyPath:ofObject:change:context:",
  "initWithFrame:",
];

const folder = new URL("../../src/vz/", import.meta.url);
const sources = [...Deno.readDirSync(folder)].map(({ name }) => ({
  name,
  text: Deno.readTextFileSync(new URL(name, folder)).replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, ""),
}));

const apis = Object.values(vz).flatMap((value): vz.Api[] => {
  const { api } = value as { api?: vz.Api };
  return api ? [api] : [];
});

/** A message that the source sends: the class is the one whose `api` stands last before it. */
interface Sent {
  place: string;
  class: string;
  selector: string;
}

function sentBy({ name, text }: { name: string; text: string }): Sent[] {
  const sent: Sent[] = [];
  let current = "";
  // A class; a selector with an argument, wherever it stands; one without, where it is sent; make() without a selector.
  const pattern =
    /class: "(\w+)"|"((?:\w+:)+)"|(?:\bsend|#call|#complete)\(\s*"(\w+)"|make\((\w+)(?:\.api)?\)/g;
  for (const match of text.matchAll(pattern)) {
    const [, declared, withArguments, without, made] = match;
    if (declared) {
      current = declared;
      continue;
    }
    const line = text.slice(0, match.index).split("\n").length;
    const selector = withArguments ?? without ?? (made && "init");
    sent.push({ place: `${name}:${line}`, class: current, selector });
  }
  return sent;
}

const SENT = sources.flatMap(sentBy);

/** Whether a version is later than another. */
function isLater(a: string, b: string): boolean {
  const [x, y] = [a, b].map((version) => version.split(".").map(Number));
  return x[0] !== y[0] ? x[0] > y[0] : x[1] > y[1];
}

/** What is wrong with a message, or undefined. */
function problem({ class: name, selector }: Sent): string | undefined {
  const delegate = TABLE.some((row) => row.owner === "VZVirtualMachineDelegate" && row.selector === selector);
  if (delegate && name === "VZVirtualMachine") return;
  const api = apis.find((api) => api.class === name);
  if (!api) return `no exported class has the api of ${name || "a class"}`;
  const row = methodRow(name, selector) ?? methodRow(name, selector, "+");
  if (!row) return FOUNDATION.includes(selector) ? undefined : `${name} has no ${selector}`;
  const stated = api.newer?.[selector]?.[1] ?? api.macOS;
  if (row.macOS === "?" || isLater(row.macOS, stated)) {
    return `needs macOS ${row.macOS}, the code states ${stated}`;
  }
}

Deno.test("src/vz: every selector that is sent is Apple's, and as old as the code says", () => {
  const problems = SENT.flatMap((sent) => {
    const wrong = problem(sent);
    return wrong ? [`${sent.place}: ${sent.class} ${sent.selector}: ${wrong}`] : [];
  });
  assertEquals(problems, []);
});

Deno.test("src/vz: no message is sent that this test does not see", () => {
  const selectors = new Set(SENT.map((sent) => sent.selector));
  const known = ["setMemorySize:", "initWithURL:append:error:", "state", "isSupported", "init"];
  known.push(
    "validateTag:error:",
    "initWithURL:readOnly:cachingMode:synchronizationMode:error:",
    "availability",
  );
  known.push("initCreatingVariableStoreAtURL:options:error:", "networkInterfaces", "dataRepresentation");
  known.push("initWithFrame:", "setAutomaticallyReconfiguresDisplay:", "canRequestStop");
  for (const selector of known) {
    assert(selectors.has(selector), selector);
  }
  // A selector that is not written out where it is sent: the constants of the same file, and the parameters of wrappers.
  const indirect = sources.flatMap(({ name, text }) =>
    [...text.matchAll(
      /(?:\bsend|#call|#complete|#queue\.call|\bmake)\(\s*(?:this\.#(?:machine|view), |(?:[\w.]+\.)?api, )?(?!api\b)([a-z]\w*)\b(?!\.api)/g,
    )]
      .map(([, argument]) => `${name} ${argument}`)
  );
  const expected = [
    "efi.ts initializer",
    "serial_port.ts initializer",
    "storage.ts initializer",
    "virtual_machine.ts observe",
    "virtual_machine.ts selector",
  ];
  const found = [...new Set(indirect)].filter((entry) => !entry.startsWith("vz_object.ts"));
  for (const entry of found) {
    const [name, argument] = entry.split(" ");
    const { text } = sources.find((source) => source.name === name)!;
    const isParameter = new RegExp(`\\b${argument}: string`).test(text);
    const isConstant = new RegExp(`const ${argument} = "`).test(text);
    const isConfiguration = argument === "virtualMachine"; // make(virtualMachine, …): the api itself
    assert(isParameter || isConstant || isConfiguration, `${entry}: what is sent there cannot be seen`);
  }
  for (const entry of expected) assert(found.includes(entry), entry);
});

Deno.test("src/vz: each class states the macOS that it came with", () => {
  const stated = new Map(apis.map((api) => [api.class, api.macOS]));
  assertEquals(
    stated,
    new Map(apis.map((api) => [api.class, classRow(api.class)?.macOS ?? "no such class"])),
  );
  const declared = sources.flatMap(({ text }) =>
    [...text.matchAll(/class: "(\w+)"/g)].map(([, name]) => name)
  );
  assertEquals(declared.toSorted(), [...stated.keys()].toSorted());
});

Deno.test("src/vz: each method that came later is stated with its macOS", () => {
  const newer = apis.flatMap((api) =>
    Object.entries(api.newer ?? {}).map(([selector, [, macOS]]) => ({ api, selector, macOS }))
  );
  assert(newer.length > 0);
  for (const { api, selector, macOS } of newer) {
    const row = methodRow(api.class, selector) ?? methodRow(api.class, selector, "+");
    assertEquals(row?.macOS, macOS, `${api.class} ${selector}`);
    assert(isLater(macOS, api.macOS), `${api.class} ${selector} is as old as its class`);
  }
});

Deno.test("src/vz: states have the numbers that Apple gave them", () => {
  const source = sources.find(({ name }) => name === "virtual_machine.ts")!.text;
  const list = /const STATES = \[([^\]]*)\]/.exec(source)![1];
  const states = [...list.matchAll(/"(\w+)"/g)].map(([, state]) => state);
  const apple = [...enumOf("VZVirtualMachineState")].map(([name, value]) =>
    [
      value,
      name.slice("VZVirtualMachineState".length).toLowerCase(),
    ] as const
  );
  assertEquals(new Map(states.entries()), new Map(apple.toSorted(([a], [b]) => a - b)));
});

Deno.test("src/vz: error codes are those that Apple gave them", () => {
  const apple = enumOf("VZErrorCode");
  for (const [name, code] of Object.entries(vz.VZErrorCode)) {
    assertEquals(apple.get(`VZError${name[0].toUpperCase()}${name.slice(1)}`), code, name);
  }
});

Deno.test("src/vz: the delegate answers what Apple's protocol has, with its types", () => {
  const source = sources.find(({ name }) => name === "virtual_machine.ts")!.text;
  for (const row of TABLE.filter((row) => row.owner === "VZVirtualMachineDelegate" && row.kind === "-o")) {
    const types = new RegExp(`"${row.selector}": \\{\\s*types: "([^"]*)"`).exec(source)?.[1];
    if (types !== undefined) assertEquals(types, `${row.result}@:${row.args.join("")}`, row.selector);
    else assertEquals(row.selector, "virtualMachine:networkDevice:attachmentWasDisconnectedWithError:");
  }
});
