// The least that a Deno program with these libraries can take: opens them, and prints its peak memory in KiB.
Deno.dlopen(new URL("../../linux/build/libVirtualization.so", import.meta.url).pathname, {});
console.log(/VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]);
