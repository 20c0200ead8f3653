/**
 * Ends while something still has a block, and writes what lies at the block's address: as the last thing of
 * JavaScript, and once more when JavaScript's memory has been freed, in a function that C calls at the exit.
 */

import "../../../src/host/libraries.ts";
import { Block, Class, type NSObject, openFunctions } from "../../../src/objc/mod.ts";
import { classPointer } from "../../../src/objc/arguments.ts";
import { POINTER, registerSelector, runtime } from "../../../src/objc/runtime.ts";

/** isa, flags and reserved: what a release reads and writes. */
const SIZE = 16;

const system = openFunctions("system", {
  _Block_copy: { parameters: ["pointer"], result: "pointer" },
  __cxa_atexit: { parameters: ["pointer", "pointer", "pointer"], result: "i32" },
});

const block = new Block("v@?", () => {});
const address = system._Block_copy(block[POINTER]);

const data = Class.named("NSData").create(
  "initWithBytesNoCopy:length:freeWhenDone:",
  { [POINTER]: address },
  SIZE,
  false,
);
const output = Class.named("NSFileHandle").send("fileHandleWithStandardOutput") as NSObject;
const signature = output.send("methodSignatureForSelector:", "writeData:") as NSObject;
const writing = Class.named("NSInvocation").send("invocationWithMethodSignature:", signature) as NSObject;
writing.send("setTarget:", output);
writing.send("setSelector:", "writeData:");
writing.send("setArgument:atIndex:", new BigUint64Array([Deno.UnsafePointer.value(data[POINTER])]), 2);
writing.send("retainArguments");
writing.send("invoke");
const invoke = runtime.class_getMethodImplementation(
  classPointer("NSInvocation"),
  registerSelector("invoke"),
);
system.__cxa_atexit(invoke, runtime.objc_retain(writing[POINTER]), null);
