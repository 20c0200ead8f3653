/** What a client finds on the macOS that VIRTUALIZATION_MACOS names, and a guest's boot there, as JSON. */

import { cString, registerSelector } from "../../../src/objc/runtime.ts";
import { macOSVersion } from "../../../src/host/system.ts";
import { TABLE } from "../../vz/table.ts";
import { configuration, filePort, Machine, projectFile } from "../raw.ts";

const runtime = Deno.dlopen(projectFile("linux/build/libVirtualization.so"), {
  objc_getClass: { parameters: ["buffer"], result: "pointer" },
  objc_lookUpClass: { parameters: ["buffer"], result: "pointer" },
  object_getClass: { parameters: ["pointer"], result: "pointer" },
  class_getInstanceMethod: { parameters: ["pointer", "pointer"], result: "pointer" },
  class_respondsToSelector: { parameters: ["pointer", "pointer"], result: "bool" },
}).symbols;
if (Deno.args[0]) Deno.dlopen(Deno.args[0], {}); // the view's library

const classes: string[] = [];
const methods: string[] = [];
for (const { owner, kind, selector } of TABLE) {
  const name = cString(owner);
  const found = runtime.objc_getClass(name);
  if ((runtime.objc_lookUpClass(name) === null) !== (found === null)) {
    throw new Error(`${owner} is found once`);
  }
  if (kind === "C" && found) classes.push(owner);
  if (kind !== "+" && kind !== "-" || !found) continue;
  const type = kind === "+" ? runtime.object_getClass(found) : found;
  const there = runtime.class_getInstanceMethod(type, registerSelector(selector)) !== null;
  if (runtime.class_respondsToSelector(type, registerSelector(selector)) !== there) {
    throw new Error(`${kind}[${owner} ${selector}] is there and is not`);
  }
  if (there) methods.push(`${kind}[${owner} ${selector}]`);
}

const output = Deno.makeTempFileSync();
const made = configuration("echo hello from $(uname -s)");
made.send("setSerialPorts:", [filePort(output)]);
await using machine = new Machine(made);
const answers = (selector: string) => Boolean(machine.object.send("respondsToSelector:", selector));
const responds = [answers("state"), answers("canStop"), answers("stopWithCompletionHandler:")];
const started = await machine.start();
await machine.ended();
const said = Deno.readTextFileSync(output);
Deno.removeSync(output);
console.log(
  JSON.stringify({
    version: macOSVersion(),
    classes,
    methods,
    responds,
    started,
    said: said.trim(),
  }),
);
