// The least that a Deno program with these libraries can take: opens them, and prints its peak memory in KiB.
import { standInPath } from "../src/host/libraries.ts";

Deno.dlopen(standInPath("Virtualization"), {});
console.log(/VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
