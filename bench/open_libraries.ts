// The least that a Deno program with these libraries can take: opens them, and prints its peak memory in KiB.
import { libraryPath } from "../src/objc/libraries.ts";

Deno.dlopen(libraryPath("Virtualization"), {});
console.log(/VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
