/**
 * vzrun as a library: Linux virtual machines with Apple's Virtualization framework. A machine is described by plain
 * data, the same that `vzrun -dry-run` prints, and is then an object with promises and streams.
 *
 * It needs Deno's permissions `ffi`, `read` and `write`, and `env` for HOME and XDG_CACHE_HOME. On a Mac, the program
 * has to be signed with the entitlement `com.apple.security.virtualization`. Machines are made on the main thread, which
 * waits for nothing of them; a worker could be terminated, and what the framework calls would be gone. At SIGUSR1
 * Deno listens for a debugger, on a port that every user of the computer can reach: a program that is to be safe from
 * that has to ignore the signal, as the command line does.
 *
 * @example
 * ```ts
 * import { VirtualMachine } from "vzrun";
 *
 * await using machine = await VirtualMachine.create({
 *   boot: { kind: "linux", kernel: "vmlinuz", initrd: "initrd.gz", commandLine: "console=hvc0" },
 *   memory: 512 * 1024 * 1024,
 * });
 * await machine.start();
 * await machine.console.readable.pipeTo(Deno.stdout.writable, { preventClose: true });
 * console.log(await machine.stopped);
 * ```
 * @module
 */

export type { Boot, EFIBoot, LinuxBoot } from "./src/machine/boot.ts";
export type { CacheMode, Disk, DiskFormat, DiskSource } from "./src/machine/disk.ts";
export type { CloudInit, SeedFile } from "./src/machine/cloud_init.ts";
export type { Display } from "./src/machine/display.ts";
export { MachineError, NothingToBootError, Setting, type Text } from "./src/machine/error.ts";
export type { AttachedDisk, PluggableDisk } from "./src/machine/hot_plug.ts";
export type { Progress } from "./src/images/progress.ts";
export type { Description, Machine } from "./src/machine/machine.ts";
export type { Network, OwnNetwork, PacketSize, PortForward, StreamAddress } from "./src/machine/network.ts";
export type { FrameStreams } from "./src/machine/network_frames.ts";
export type { Forward } from "./src/machine/port_forward.ts";
export type { ProgramFile, Reporter, RunContext } from "./src/machine/run_context.ts";
export type { Console, ConsoleStreams, Serial } from "./src/machine/serial.ts";
export type { Share } from "./src/machine/share.ts";
export type { PartialDescription } from "./src/machine/restore.ts";
export { savedMachine } from "./src/machine/saved_machine.ts";
export { type Stop, VirtualMachine } from "./src/machine/virtual_machine.ts";
export { type Vsock, VsockError, type VsockFailure, type VsockJoin } from "./src/machine/vsock.ts";
export type { VsockConnection, VsockListener, VsockOptions, VsockPorts } from "./src/machine/vsock_device.ts";
export { NSError } from "./src/objc/mod.ts";
export type { Operation, State } from "./src/vz/mod.ts";
