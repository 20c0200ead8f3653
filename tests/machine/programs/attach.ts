/** Attaches a disk, the first argument, to a machine that runs a kernel, the second, and says what came of it. */

import { VirtualMachine } from "../../../mod.ts";

const [file, kernel] = Deno.args;
await using machine = await VirtualMachine.create({
  boot: { kind: "linux", kernel }, // without an initrd it panics, and runs
  disks: [{ file, readOnly: true, interface: "usb" }],
  memory: 256 * 1024 * 1024,
  network: [],
});
await machine.start();
const said = await machine.attach({ file, readOnly: true }).then(() => "attached", String);
console.log(`${said}; the machine is ${await machine.state()}`);
