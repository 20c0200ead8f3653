// What src/vz sends, read from its source, against Apple's declarations: a selector that is wrong, or too new for the
// macOS that the code asks for, fails on a user's Mac, and only there.

import { assert, assertEquals } from "@std/assert";
import * as vz from "../../src/vz/mod.ts";
import { apiModule } from "../../scripts/api.ts";
import { API } from "../../src/vz/api.ts";
import { classRow, enumOf, isLater, methodRow, TABLE } from "./table.ts";

/** Selectors in src/vz that are Foundation's or AppKit's. */
const FOUNDATION = [
  "init",
  "addObserver:forKeyPath:options:context:",
  "observeValueForKeyPath:ofObject:change:context:",
  "initWithFrame:",
];

const folder = new URL("../../src/vz/", import.meta.url);
const sources = [...Deno.readDirSync(folder)].map(({ name }) => ({
  name,
  text: Deno.readTextFileSync(new URL(name, folder)).replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, ""),
}));
const wrapping = sources.filter(({ name }) => !["api.ts", "selectors.ts"].includes(name));

const apis = Object.values(vz).flatMap((value) => {
  const { api } = value as { api?: { name: keyof typeof API; macOS: string } };
  return api ? [api] : [];
});

/** The methods of a class that src/vz knows, with their first macOS and types. */
function methodsOf(name: keyof typeof API): [method: string, types: string][] {
  const { macOS: _, ...methods } = API[name] as Record<string, string>;
  return Object.entries(methods);
}

Deno.test("src/vz: what it knows of Apple's table is what the table has; deno task api writes it", () => {
  assertEquals(Deno.readTextFileSync(new URL("api.ts", folder)), apiModule());
});

Deno.test("src/vz: every selector that it names is one that a class of it, or a delegate, has", () => {
  const known = new Set(FOUNDATION);
  for (const { name } of apis) for (const [method] of methodsOf(name)) known.add(method.slice(1));
  for (const row of TABLE.filter(({ owner }) => owner.endsWith("Delegate"))) {
    known.add(row.selector);
  }
  for (const { name, text } of wrapping) {
    for (const [, selector] of text.matchAll(/"((?:\w+:)+)"/g)) {
      assert(known.has(selector), `${name}: ${selector}`);
    }
  }
});

Deno.test("src/vz: no message goes past the types, which would let a wrong selector through", () => {
  const untyped = wrapping.flatMap(({ name, text }) =>
    [...text.matchAll(/[\w.)\]#]*\.(?:send|call|make|create)\(\s*([^\s,)]*)/g)]
      .filter(([message]) =>
        !/^(this|this\.api|device|platform|listener|loader|port|view|VZ\w+(\.api)?)\.(send|call|create)\(/
          .test(
            message,
          )
      )
      .map(([message]) => `${name}: ${message.replace(/\s+/g, "")}`)
  );
  assertEquals(
    untyped.filter((message) => !/^(vz_object|queue_object)\.ts: /.test(message)).toSorted(),
    [
      "block_device.ts: delegates.create(watcher",
      "socket_device.ts: delegates.create(listener",
      'virtual_machine.ts: DispatchQueue.create("vzrun.virtual-machine"',
      "virtual_machine.ts: delegates.create(this",
    ],
  );
});

Deno.test("src/vz: each class is exported, and states the macOS that it came with", () => {
  const stated = new Map(apis.map(({ name, macOS }) => [name as string, macOS]));
  const apple = apis.map(({ name }) => [name as string, classRow(name)?.macOS ?? "no such class"] as const);
  assertEquals(stated, new Map(apple));
  const declared = wrapping.flatMap(({ text }) =>
    [...text.matchAll(/new VZClass\(\s*"(\w+)"/g)].map(([, name]) => name)
  );
  assertEquals(declared.toSorted(), [...stated.keys()].toSorted());
  assertEquals(Object.keys(API).toSorted(), [...stated.keys()].toSorted());
  const names = wrapping.flatMap((
    { text },
  ) => [...text.matchAll(/class (VZ\w+)\s+extends \w+<"(\w+)">[^]*?new VZClass\(\s*"(\w+)"/g)]);
  assertEquals(names.length, declared.length);
  for (const [, wrapper, types, wrapped] of names) assertEquals([types, wrapped], [wrapper, wrapper]);
});

Deno.test("src/vz: each method that came later than its class has its own macOS", () => {
  const later = apis.flatMap(({ name, macOS }) =>
    methodsOf(name).filter(([, types]) => isLater(types.split(" ")[0], macOS)).map(([method]) =>
      `${name} ${method}`
    )
  );
  assert(later.includes("VZVirtualMachine -stopWithCompletionHandler:"));
  assert(later.includes("VZVirtioBlockDeviceConfiguration -setBlockDeviceIdentifier:"));
  for (const entry of later) {
    const [name, method] = entry.split(" ");
    const row = methodRow(name, method.slice(1), method[0] as "+" | "-");
    assertEquals(
      row && methodsOf(name as keyof typeof API).find(([m]) => m === method)![1].split(" ")[0],
      row?.macOS,
    );
  }
});

Deno.test("src/vz: states have the numbers that Apple gave them", () => {
  const source = sources.find(({ name }) => name === "virtual_machine.ts")!.text;
  const states = /const STATES[^"]*"([^"]*)"/.exec(source)![1].split(" ");
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

Deno.test("src/vz: delegates answer what Apple's protocols have, with their types", () => {
  const text = sources.map(({ text }) => text).join("\n");
  for (const { owner, kind, selector, result, args } of TABLE) {
    if (!/^VZVirt(ualMachine|ioSocketListener)Delegate$/.test(owner) || kind !== "-o") continue;
    const types = new RegExp(`"${selector}": \\{\\s*types: "([^"]*)"`).exec(text)?.[1];
    assertEquals(types, `${result.replace("Z", "B")}@:${args.join("")}`, selector);
  }
});
