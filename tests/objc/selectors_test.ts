// What src/ sends to Foundation and AppKit, read from its source, against Apple's declarations: GNUstep may have a method
// that a Mac has not, or with other types, and it lets anything be sent on any thread.

import { assert, assertEquals } from "@std/assert";
import { hasLibrary } from "../../src/host/libraries.ts";
import { formatType, openFramework, parseMethodType } from "../../src/objc/mod.ts";
import { cString, fromCString, registerSelector, runtime } from "../../src/objc/runtime.ts";
import { type Call, callsOf, withoutComments } from "./messages.ts";
import { classesOf, isForMainThread, methodRow, type Row, TABLE } from "./system.ts";

/** Who is who in a source: the class of each receiver, or those of which a receiver may be. */
const RECEIVERS: Record<string, Record<string, string>> = {
  "objc/foundation.ts": {
    object: "NSNumber NSDate NSURL",
    data: "NSData",
    "data[POINTER]": "NSData",
    array: "NSArray",
    keys: "NSArray",
    dictionary: "NSDictionary",
    result: "NSObject",
  },
  "objc/object.ts": { "this[POINTER]": "NSObject", this: "+NSObject", string: "NSString" },
  "objc/arguments.ts": {
    alloc: "NSString",
    string: "NSString",
    NSNumber: "+NSNumber",
    array: "NSMutableArray",
    dictionary: "NSMutableDictionary",
  },
  "objc/queue.ts": {
    result: "NSInvocation",
    call: "NSInvocation",
    both: "NSMutableArray",
    "Class.named(type)": "+NSObject",
  },
  "objc/error.ts": { error: "NSError", cause: "NSError", userInfo: "NSDictionary" },
  "host/descriptors.ts": { handle: "NSFileHandle", ends: "NSPipe" },
  "window/application.ts": { "this.object": "NSApplication" },
  "window/window.ts": {
    object: "NSApplication",
    window: "NSWindow",
    "this.#machineItems[i]": "NSMenuItem",
  },
  "window/main_thread.ts": {
    "thread.#application": "NSApplication",
    "this.#application": "NSApplication",
    info: "NSProcessInfo",
  },
  "window/menu.ts": { menu: "NSMenu", bar: "NSMenu", line: "NSMenuItem" },
};

/** Calls that send what they are given, which is seen where it is given, and those that send nothing. */
const NO_MESSAGES = [
  "host/datagram_socket.ts: libc.send(this.#descriptor, frame, BigInt(frame.length), MSG_DONTWAIT)", // send(2)
  "host/descriptor_poller.ts: now.send(hammer, BYTE, 1n, MSG_DONTWAIT)",
  "host/stream_socket.ts: libc.send(this.#descriptor, rest, BigInt(rest.length), MSG_DONTWAIT)",
  "objc/arguments.ts: method.sender.send(receiver, method.sel, ...raw)",
  "objc/arguments.ts: registerSelector(value)", // an argument
  "objc/define_class.ts: made.create()",
  "objc/define_class.ts: registerSelector(method.selector)",
  "objc/libraries.ts: pointer.call(...args)", // a C function
  'objc/object.ts: (this.send("alloc")asNSObject).send(initializer, ...args)',
  "objc/object.ts: Deno.UnsafePointer.create(out[0])",
  "objc/object.ts: method.sender.send(receiver, method.sel)",
  "objc/object.ts: method.sender.send(receiver, method.sel, ...raw)",
  "objc/method.ts: registerSelector(name)",
  "objc/method.ts: registerSelector(selector)",
  "objc/queue.ts: Deno.UnsafePointer.create(value)",
  'objc/queue.ts: invocation(completion().object, "done:", [word(number)])', // of a class made here
  "objc/queue.ts: invocation(target, selector, bytes)",
  "objc/queue.ts: made.create(pending)",
  "objc/queue.ts: this.call(allocated, initializer, ...args)",
  "host/process.ts: Deno.UnsafePointer.create(SIG_IGN)",
  "window/main_thread.ts: (…).create(this)", // what defineClass has made
  "window/window.ts: VZVirtualMachineView.create(options)",
  "window/window.ts: controllers.create(this)",
];

/** Messages whose selectors do not stand in the call: class, kind and selector, by the call. */
const INDIRECT: Record<string, string[]> = {
  "objc/error.ts: error.send(property)": [
    "NSError -localizedDescription",
    "NSError -domain",
    "NSError -localizedFailureReason",
    "NSError -localizedRecoverySuggestion",
  ],
  'objc/queue.ts: registerSelector("invoke")': ["NSInvocation -invoke"],
};

/** Messages that others send for src/: an argument `:` of a method, the action of a menu's item. */
const SENT_BY_OTHERS: Record<string, string[]> = {
  "host/threads.ts": ["NSObject +class"],
  "window/window.ts": [
    "NSApplication -terminate:",
    "NSApplication -arrangeInFront:",
    "NSWindow -performMiniaturize:",
    "NSWindow -performZoom:",
    "NSWindow -performClose:",
  ],
};

/** Selectors of the project's own: actions of a class that it makes. */
const OWN = ["objc/queue.ts done:"].concat(
  ["shutDown:", "forceStop:", "pause:", "resume:"].map((action) => `window/window.ts ${action}`),
);

/** What may be sent although it is deprecated. */
const DEPRECATED: Record<string, string> = {
  "NSApplication -activateIgnoringOtherApps:": "activate came with macOS 14, and only asks",
  "NSFileHandle -closeFile": "closeAndReturnError: is not GNUstep's",
};

/** The part of src/window that runs on the main thread itself. */
const MAIN_THREAD = "window/main_thread.ts";

/** Types that GNUstep's methods have and Apple's have not. */
const GNUSTEP: Record<string, [types: string, why: string]> = {
  "NSString -initWithBytes:length:encoding:": ["@ ^v Q I", "NSStringEncoding is an enum"],
  "NSString -lengthOfBytesUsingEncoding:": ["Q I", "NSStringEncoding is an enum"],
};

interface Message {
  file: string;
  owner: string;
  kind: "+" | "-";
  selector: string;
  /** Whether it goes by the main queue. */
  main: boolean;
}

const ROOMS = ["objc", "host", "window"];

function read(room: string): [file: string, text: string][] {
  const folder = new URL(`../../src/${room}/`, import.meta.url);
  return [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".ts"))
    .map(({ name }) => [`${room}/${name}`, withoutComments(Deno.readTextFileSync(new URL(name, folder)))]);
}

const SOURCES = ROOMS.flatMap(read);

/** The selectors that an expression may be: a literal, one of two, or a constant of such; none when it is another. */
function selectorsOf(expression: string, text: string): string[] {
  const constant = /^\w+$/.test(expression) &&
    new RegExp(`\\bconst ${expression} =([^;]*);`).exec(text)?.[1].trim();
  const choice = /^(?:[^?"]*(?:"[^"]*"[^?"]*)?\?)?\s*("[^"]*"(?:\s*:\s*"[^"]*")?)$/.exec(
    constant || expression,
  );
  return choice ? [...choice[1].matchAll(/"([^"]*)"/g)].map(([, selector]) => selector) : [];
}

function written({ receiver, name, args }: Call): string {
  const short = receiver.length > 60 ? "(…)" : receiver;
  return `${short}${short && "."}${name}(${args.map((arg) => arg.replace(/\s+/g, " ")).join(", ")})`;
}

/** A receiver's classes, and whether it is the class itself. */
function classOf(file: string, receiver: string): { owners: string[]; kind: "+" | "-" } {
  const name = receiver.replace(/ as \w+$/, "");
  const named = /^(?:Class\.named|classPointer)\("(\w+)"\)$/.exec(name)?.[1];
  if (named) return { owners: [named], kind: "+" };
  const known = RECEIVERS[file]?.[name];
  assert(known, `${file}: whose is ${receiver}?`);
  return { owners: known.replace("+", "").split(" "), kind: known.startsWith("+") ? "+" : "-" };
}

/** The message of a call: its receiver, whether that is a class, and the selector, as they are written. */
function messagesOf(file: string, text: string, call: Call): Message[] {
  const { name, receiver, args } = call;
  const message = (
    to: string,
    kinds: "+" | "-" | undefined,
    expression: string,
    given: string[],
    main = false,
  ) => {
    const selectors = selectorsOf(expression, text);
    assert(selectors.length > 0, `${file}: ${written(call)}: which selector?`);
    return selectors.map((selector): Message => {
      const { owners, kind: own } = classOf(file, to);
      const kind = kinds ?? own;
      const owner = owners.find((owner) => methodRow(owner, kind, selector)) ?? owners[0];
      const colons = selector.split(":").length - 1;
      if (name !== "respondsTo" && !given.some((arg) => arg.startsWith("..."))) {
        assertEquals(given.length, colons, `${file}: ${written(call)}`);
      }
      return { file, owner, kind, selector, main };
    });
  };
  switch (name) {
    case "send":
    case "respondsTo":
      return message(receiver, undefined, args[0], args.slice(1));
    case "sendValues":
      return message(args[0], undefined, args[1], args.slice(2));
    case "invocation":
      return message(args[0], undefined, args[1], args[2].startsWith("[") ? args.slice(2) : []);
    case "create":
      return message(receiver, "-", args[0], args.slice(1));
    case "call":
      assert(
        /^(this\.(application\.)?main|main|DispatchQueue\.main\(\))$/.test(receiver),
        `${file}: ${receiver}`,
      );
      return message(args[0], undefined, args[1], args.slice(2), true);
    case "make":
      assert(receiver === "main", `${file}: ${receiver}`);
      return message(`Class.named(${args[0]})`, "-", args[1], args.slice(2), true);
    default:
      throw new Error(`${file}: ${written(call)}: which message?`);
  }
}

const CALLS = SOURCES.flatMap(([file, text]) =>
  callsOf(
    ["send", "call", "make", "create", "respondsTo"],
    ["sendValues", "invocation", "registerSelector"],
    text,
  ).map((call) => ({ file, text, call, key: `${file}: ${written(call)}` }))
);

/** A message as the lists above have it: `NSError -code`. */
const parsed = (file: string, words: string): Message => {
  const [, owner, kind, selector] = /^(\w+) ([+-])(.*)$/.exec(words)!;
  return { file, owner, kind: kind as "+" | "-", selector, main: true };
};

const MESSAGES: Message[] = CALLS.filter(({ key }) => !NO_MESSAGES.includes(key)).flatMap(
  ({ file, text, call, key }) =>
    INDIRECT[key]?.map((words) => parsed(file, words)) ?? messagesOf(file, text, call),
);
for (const [file, list] of Object.entries(SENT_BY_OTHERS)) {
  MESSAGES.push(...list.map((words) => parsed(file, words)));
}

const nameOf = ({ owner, kind, selector }: Message) => `${owner} ${kind}${selector}`;

/** Methods of classes that src/ makes, in their order: selector and types. */
const DEFINED = SOURCES.flatMap(([file, text]) =>
  [...text.matchAll(/"([\w:]+)": \{\s*types: "([^"]*)"/g)].map(([, selector, types]) => ({
    file,
    selector,
    types,
  }))
);

Deno.test("messages: each class and method is Apple's", () => {
  const unknown = MESSAGES.filter(({ owner, kind, selector }) => !methodRow(owner, kind, selector));
  assertEquals(unknown.map(nameOf), []);
});

Deno.test("messages: none is overlooked, and no list has one that is gone", () => {
  const keys = new Set(CALLS.map(({ key }) => key));
  assertEquals([...NO_MESSAGES, ...Object.keys(INDIRECT)].filter((key) => !keys.has(key)), []);
  const text = new Map(SOURCES);
  const asked = [...text.get("objc/error.ts")!.matchAll(/\btext\("(\w+)"\)/g)].map(([, name]) => name);
  const listed = INDIRECT["objc/error.ts: error.send(property)"].map((words) => words.split("-")[1]);
  assertEquals(asked.toSorted(), listed.toSorted());
  // What looks like a selector is sent, answered, or the project's own.
  const known = new Set([
    ...MESSAGES.map(({ file, selector }) => `${file} ${selector}`),
    ...DEFINED.map(({ file, selector }) => `${file} ${selector}`),
    ...OWN,
  ]);
  const quoted = SOURCES.flatMap(([file, text]) =>
    [...text.matchAll(/"([a-z]\w*:(?:\w+:)*)"/g)].map(([, selector]) => `${file} ${selector}`)
  );
  assertEquals(quoted.filter((selector) => !known.has(selector)), []);
  for (const [file, list] of Object.entries(SENT_BY_OTHERS)) {
    for (const words of list) {
      assert(text.get(file)!.includes(`"${words.split(/[+-]/)[1]}"`), `${file} has no ${words}`);
    }
  }
  for (const own of OWN) assert(quoted.includes(own), own);
});

Deno.test("messages: the other rooms send none, but src/vz to its own classes", () => {
  const others = [...Deno.readDirSync(new URL("../../src/", import.meta.url))].map(({ name }) => name)
    .filter((room) => ![...ROOMS, "vz"].includes(room));
  const rooms = others.flatMap((
    room,
  ) => [...read(room), ...room === "cli" ? [...read("cli/qemu"), ...read("cli/vfkit")] : []]);
  assert(rooms.length > 50);
  const sending = rooms.filter(([, text]) =>
    /\.send\(\s*["'`]|\bClass\b|\bDispatchQueue\b|\bsendValues\b|\bdefineClass\b/.test(text)
  );
  assertEquals(sending.map(([file]) => file), []);
});

Deno.test("messages: what src/vz sends that is not Virtualization's has Apple's types; a view's go by the main queue", () => {
  const sources = new Map(read("vz"));
  const types = [...sources.get("vz/selectors.ts")!.matchAll(/"-([\w:]+)": "11\.0 ([^"]*)"/g)];
  assertEquals(types.length, 5);
  for (const [, selector, words] of types) {
    const row = methodRow("NSView", "-", selector);
    assert(row, selector);
    assertEquals(
      words.replace("{CGRect}", "{CGRect={CGPoint=dd}{CGSize=dd}}"),
      [row.result, ...row.args].join(" "),
    );
  }
  const view = sources.get("vz/virtual_machine_view.ts")!;
  assert(
    /queue = DispatchQueue\.main\(\);[^]*createOn\(queue, "initWithFrame:"[^]*new this\(queue, object\)/.test(
      view,
    ),
  );
});

Deno.test("messages: none is deprecated without a reason", () => {
  const deprecated = MESSAGES.filter(({ owner, kind, selector }) =>
    methodRow(owner, kind, selector)?.notes.includes("deprecated")
  );
  assertEquals(new Set(deprecated.map(nameOf)), new Set(Object.keys(DEPRECATED)));
});

Deno.test("messages: those of the main thread go by the main queue", () => {
  const forMain = MESSAGES.filter(({ owner, kind, selector }) => {
    const row = methodRow(owner, kind, selector);
    return row && isForMainThread(owner, row);
  });
  assert(forMain.length > 20);
  assertEquals(forMain.filter(({ main, file }) => !main && file !== MAIN_THREAD).map(nameOf), []);
});

/** BOOL is bool on Apple silicon, signed char on Intel, unsigned char with GNUstep; an address is an address. */
const BOOL = hasLibrary("Security") ? Deno.build.arch === "aarch64" ? "B" : "c" : "C";
const normal = (type: string) =>
  type.replace(/^[rnNoORV]+/, "").replace(/^\^.*/, "^v").replace(/^\{(_NS|CG)(Rect|Point|Size)=.*/, "{CG$2}");
const apple = ({ result, args }: Row) =>
  [result, ...args].map((type) => normal(type.replace("Z", BOOL))).join(" ");

Deno.test("messages: the runtime's types are Apple's, or listed", () => {
  openFramework("AppKit");
  const different: Record<string, string> = {};
  for (const message of MESSAGES) {
    const { owner, kind, selector } = message;
    const row = methodRow(owner, kind, selector)!;
    const type = runtime.objc_getClass(cString(owner));
    assert(type, owner);
    const method = runtime.class_getInstanceMethod(
      kind === "+" ? runtime.object_getClass(type) : type,
      registerSelector(selector),
    );
    assert(method, `${nameOf(message)}: no such method`);
    const { result, args } = parseMethodType(fromCString(runtime.method_getTypeEncoding(method))!);
    const types = [result, ...args.slice(2)].map((type) => normal(formatType(type))).join(" ");
    if (types !== apple(row)) different[nameOf(message)] = types;
  }
  const listed = Object.entries(GNUSTEP).map(([name, [types]]) => [name, types]);
  assertEquals(different, hasLibrary("Security") ? {} : Object.fromEntries(listed));
});

Deno.test("delegates: they answer what Apple's protocols have, with its types", () => {
  const answers = DEFINED.filter(({ file, selector }) => !OWN.includes(`${file} ${selector}`));
  assert(answers.length > 6);
  for (const { file, selector, types } of answers) {
    const row = TABLE.find((row) => row.kind === "-o" && row.selector === selector);
    assert(row, `${file}: ${selector}`);
    assertEquals(types, `${row.result}@:${row.args.join("")}`.replace("Z", "B"), selector);
  }
});

Deno.test("Apple's table of Foundation and AppKit: it has no row that nobody needs", () => {
  const used = new Set(MESSAGES.map(({ owner, kind, selector }) => methodRow(owner, kind, selector)));
  const vz = ["init", "copy", "addObserver:forKeyPath:options:context:", "initWithFrame:", "bounds"];
  for (const selector of vz) used.add(methodRow("NSView", "-", selector));
  for (const { selector } of DEFINED) {
    used.add(TABLE.find((row) => row.kind === "-o" && row.selector === selector));
  }
  const classes = new Set([...used].flatMap((row) => row && row.kind !== "-o" ? classesOf(row.owner) : []));
  for (const { owner } of MESSAGES) classesOf(owner).forEach((name) => classes.add(name));
  const needless = TABLE.filter((row) => row.kind === "C" ? !classes.has(row.owner) : !used.has(row));
  assertEquals(needless.map(({ owner, kind, selector }) => `${owner} ${kind}${selector}`), []);
});
