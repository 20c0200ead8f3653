// Prints when it makes a machine with the library, in milliseconds since 1970, and starts that.
import { VirtualMachine } from "vzrun";

const [kernel, initrd, commandLine] = Deno.args;
console.log(performance.timeOrigin + performance.now());
await using machine = await VirtualMachine.create({
  boot: { kind: "linux", kernel, initrd, commandLine },
  memory: 512 * 1024 * 1024,
  processors: 1,
});
await machine.start();
