// Opens a kernel as vzrun does before a start, and prints the process's peak memory in KiB.
import { Cache } from "../../src/images/cache.ts";
import { type Arch, openKernel } from "../../src/images/kernel.ts";

const [path, folder] = Deno.args;
using cache = new Cache(folder);
await openKernel(path, Deno.build.arch as Arch, cache);
console.log(/VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
