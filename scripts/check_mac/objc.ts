/** Probes of the bridge to Apple's Objective-C runtime. */

import {
  Class,
  cString,
  DispatchQueue,
  fromCString,
  type NSObject,
  openFunctions,
} from "../../src/objc/mod.ts";
import { closeFile, hasHungUp, pipe } from "../../src/host/descriptors.ts";
import { becomeMultithreaded } from "../../src/host/threads.ts";
import { found, type Probe, until } from "./probe.ts";

const runtime = openFunctions("objc", {
  objc_getClass: { parameters: ["buffer"], result: "pointer" },
  sel_registerName: { parameters: ["buffer"], result: "pointer" },
  class_getInstanceMethod: { parameters: ["pointer", "pointer"], result: "pointer" },
  method_getTypeEncoding: { parameters: ["pointer"], result: "pointer" },
});

/** What the runtime says of a method's types, without its offsets. */
function encoding(type: string, selector: string): string {
  const name = runtime.sel_registerName(cString(selector));
  const method = runtime.class_getInstanceMethod(runtime.objc_getClass(cString(type)), name);
  return (fromCString(runtime.method_getTypeEncoding(method)) ?? "").replace(/\d+/g, "");
}

/** BOOL's encoding: bool on Apple silicon, signed char on Intel; GNUstep's is an unsigned char. */
const BOOL = Deno.build.os !== "darwin" ? "C" : Deno.build.arch === "aarch64" ? "B" : "c";

/** In the order in which they are run. */
export const OBJC: readonly Probe[] = [
  {
    name: "bool",
    question: "Which type is BOOL in a method's encoding?",
    expected: "B on Apple silicon, c on Intel (C with GNUstep)",
    run() {
      const types = encoding("NSObject", "isEqual:");
      return found(types === `${BOOL}@:@`, types);
    },
  },
  {
    name: "struct-result",
    question: "Does a method come back whole that returns four doubles? (objc_msgSend_stret on Intel)",
    expected: "the rectangle that was put in",
    run() {
      const value = Class.named("NSValue").send("valueWithRect:", [[1, 2], [3, 4.5]]) as NSObject;
      const rectangle = JSON.stringify(value.send("rectValue"));
      return found(rectangle === "[[1,2],[3,4.5]]", rectangle);
    },
  },
  {
    name: "invocation",
    question: "Does a dispatch queue run -[NSInvocation invoke], handed over as a C function?",
    expected: "a message is sent on another thread than the main one, and its result comes back",
    async run() {
      const onMain = await DispatchQueue.create("vzrun.check-mac").call(
        Class.named("NSThread"),
        "isMainThread",
      );
      return found(!onMain, `isMainThread ${onMain ? "YES" : "NO"}`);
    },
  },
  {
    name: "multithreaded",
    question: "Is Cocoa in multithreaded mode once it has started a thread itself? (row 22)",
    expected: "isMultiThreaded is YES",
    async run() {
      const isSo = () => Boolean(Class.named("NSThread").send("isMultiThreaded"));
      const before = isSo();
      becomeMultithreaded();
      return found(await until(isSo, 5), `before ${before ? "YES" : "NO"}, then ${isSo() ? "YES" : "NO"}`);
    },
  },
  {
    name: "pipe-hangup",
    question: "Does poll() tell that a pipe's reader has gone, asked for POLLHUP and POLLRDBAND?",
    expected: "not before, and at once when it goes: `| head` ends a run",
    async run() {
      const { reading, writing } = pipe();
      const before = await hasHungUp(writing, 100);
      const asked = hasHungUp(writing, 5000);
      closeFile(reading);
      const start = performance.now();
      const after = await asked;
      const seen = `before ${before}, then ${after} after ${Math.round(performance.now() - start)} ms`;
      return found(!before && after, seen);
    },
  },
  {
    name: "exception",
    question:
      "Does an NSException, here of a closed NSFileHandle, end a process that called through FFI? (rows 6, 18)",
    expected: "it does: SIGABRT, with GNUstep exit code 1",
    async run(lab) {
      const { code, signal, err, out } = await lab.run('exec "$@" 2>&1', lab.program("raise.ts"));
      const line = `${out}${err}`.split("\n").find((line) => /exception|NSFileHandle/i.test(line)) ?? "";
      return found(
        signal === "SIGABRT" || Deno.build.os !== "darwin" && code === 1,
        `${signal ?? `exit code ${code}`}; ${line.trim().slice(0, 160)}`,
      );
    },
  },
];
