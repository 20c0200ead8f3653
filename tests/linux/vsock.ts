/** A guest with a socket device, and what a client has of it. */

import { assert, assertEquals } from "@std/assert";
import {
  type Argument,
  Class,
  completion,
  defineClass,
  fileURL,
  fromObjC,
  type NSObject,
  type Result,
} from "../../src/objc/mod.ts";
import { within } from "./guest.ts";
import { NativeProgram } from "./native.ts";
import { causes } from "./raw.ts";
import { Shell } from "./shell.ts";

const libc = Deno.dlopen("libc.so.6", {
  dup: { parameters: ["i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize", nonblocking: true },
}).symbols;

const PIECE = 65_536;

/** The bytes of a stream: each stream's are others. The guest's program makes the same. */
export function streamBytes(stream: number, at: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(length / 4);
  const first = Math.imul(stream, 2654435761) + at / 4;
  for (let i = 0; i < words.length; i++) words[i] = first + i;
  return new Uint8Array(words.buffer);
}

/** A copy of a connection's descriptor, as a client makes one that lets go of the connection. */
export class Stream implements Disposable {
  readonly #descriptor: number;
  #open = true;

  constructor(descriptor: number) {
    this.#descriptor = libc.dup(descriptor);
  }

  /** What is there, once something is; nothing at the end. */
  async read(): Promise<Uint8Array> {
    const bytes = new Uint8Array(PIECE);
    const length = Number(await libc.read(this.#descriptor, bytes, BigInt(PIECE)));
    return bytes.subarray(0, Math.max(length, 0));
  }

  /** All of it, until the end. */
  async text(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for (let bytes; (bytes = await this.read()).length > 0;) text += decoder.decode(bytes, { stream: true });
    return text;
  }

  /** Whether all came before the connection was gone. */
  async write(bytes: Uint8Array<ArrayBuffer> | string): Promise<boolean> {
    let rest = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    while (rest.length > 0) {
      const written = Number(await libc.write(this.#descriptor, rest, BigInt(rest.length)));
      if (written <= 0) return false;
      rest = rest.subarray(written);
    }
    return true;
  }

  /** Writes a stream. @param wrote Hears how many bytes have been taken so far. */
  async writeStream(
    stream: number,
    length: number,
    wrote: (bytes: number) => void = () => {},
  ): Promise<boolean> {
    for (let at = 0; at < length; at += PIECE) {
      const part = Math.min(PIECE, length - at);
      if (!await this.write(streamBytes(stream, at, part))) return false;
      wrote(at + part);
    }
    return true;
  }

  /** Reads a stream until its end. How many bytes of it came; it is an error when they are others. */
  async readStream(stream: number): Promise<number> {
    let at = 0;
    for (let bytes; (bytes = await this.read()).length > 0; at += bytes.length) {
      const skipped = at % 4;
      const whole = streamBytes(stream, at - skipped, Math.ceil((skipped + bytes.length) / 4) * 4);
      const expected = whole.subarray(skipped, skipped + bytes.length);
      assert(bytes.every((byte, i) => byte === expected[i]), `bytes after ${at}`);
    }
    return at;
  }

  /** Ends the client's side, or its reading. */
  shutdown(how: "write" | "read"): void {
    libc.shutdown(this.#descriptor, how === "read" ? 0 : 1);
  }

  [Symbol.dispose](): void {
    if (this.#open) libc.close(this.#descriptor);
    this.#open = false;
  }
}

/** What a delegate does with the guest's connections. */
export class Listener implements Disposable {
  readonly object: NSObject;
  readonly #delegate: NSObject; // which the listener does not keep
  /** Ports of those that came. */
  readonly ports: [source: number, destination: number][] = [];

  /** @param take What to do with one, or null to refuse them. */
  constructor(readonly take: ((stream: Stream) => void) | null) {
    this.object = Class.named("VZVirtioSocketListener").create();
    this.#delegate = delegates.create(this);
    this.object.send("setDelegate:", this.#delegate);
    delegates.ref();
  }

  [Symbol.dispose](): void {
    delegates.unref();
  }
}

const delegates = defineClass<Listener>("TestSocketListener", {
  "listener:shouldAcceptNewConnection:fromSocketDevice:": {
    types: "C@:@@@",
    implementation: (listener, _, connection) => {
      const made = connection as NSObject;
      listener.ports.push([Number(made.send("sourcePort")), Number(made.send("destinationPort"))]);
      if (listener.take) {
        listener.take(new Stream(Number(made.send("fileDescriptor"))));
        made.send("close"); // or it would be open until it is collected
      }
      return listener.take !== null;
    },
  },
});

/** The processes that this one has started and that run QEMU. */
export function qemus(): number[] {
  const tasks = [...Deno.readDirSync("/proc/self/task")].map(({ name }) =>
    `/proc/self/task/${name}/children`
  );
  const children = tasks.flatMap((path) => Deno.readTextFileSync(path).trim().split(" "));
  const isQemu = (pid: string) => pid && Deno.readTextFileSync(`/proc/${pid}/comm`).startsWith("qemu");
  return children.filter(isQemu).map(Number);
}

/** A connection, or why there is none. */
export interface Outcome {
  connection?: NSObject;
  error?: ReturnType<typeof causes>;
}

/** A guest with a socket device and a program that uses sockets. */
export class SocketGuest implements AsyncDisposable {
  readonly shell: Shell;
  readonly #program: NativeProgram;

  private constructor(program: NativeProgram) {
    this.#program = program;
    const share = Class.named("VZVirtioFileSystemDeviceConfiguration").create("initWithTag:", "program");
    const url = fileURL(program.file("."));
    const folder = Class.named("VZSharedDirectory").create("initWithURL:readOnly:", url, true);
    share.send("setShare:", Class.named("VZSingleDirectoryShare").create("initWithDirectory:", folder));
    this.shell = new Shell([], (configuration) => {
      configuration.send("setSocketDevices:", [Class.named("VZVirtioSocketDeviceConfiguration").create()]);
      configuration.send("setDirectorySharingDevices:", [share]);
    });
  }

  /** One whose machine has not started. */
  static async make(): Promise<SocketGuest> {
    return new SocketGuest(await NativeProgram.compile("vsock_guest.c", "-O2 -static"));
  }

  /** Boots it until its program answers at port 1000. */
  async boot(): Promise<void> {
    await this.shell.boot();
    await this.prepare();
  }

  /** Starts the program in a guest that runs. */
  async prepare(): Promise<void> {
    const commands = "modprobe -q virtiofs; mount -t virtiofs program /mnt && cp /mnt/program /bin/sockets";
    assertEquals(await this.shell.tell(commands), "");
    await this.serve();
  }

  /** Lets the program answer, after it has been ended or before. */
  async serve(): Promise<void> {
    const commands = "(sockets serve 1000 >/tmp/log 2>&1 &); " +
      "until grep -q listening /tmp/log; do usleep 20000; done";
    assertEquals(await this.shell.tell(commands), "");
  }

  /** What the guest's program says of a connection to the host. */
  dial(port: number, what: string, number = 0): Promise<string> {
    return this.shell.tell(`sockets dial ${port} ${what} ${number}`);
  }

  async #device(): Promise<NSObject> {
    const devices = fromObjC(await this.shell.machine.call("socketDevices")) as NSObject[];
    return devices[0];
  }

  /** Sends the device a message on the machine's queue. */
  async call(selector: string, ...args: Argument[]): Promise<Result> {
    return await this.shell.machine.queue.call(await this.#device(), selector, ...args);
  }

  /** Listens at a port of the host's. */
  async listen(port: number, take: Listener["take"]): Promise<Listener> {
    const listener = new Listener(take);
    await this.call("setSocketListener:forPort:", listener.object, port);
    return listener;
  }

  /** Makes a connection to the guest's port. */
  async connect(port: number): Promise<Outcome> {
    const { block, called } = completion("v@?@@");
    await this.call("connectToPort:completionHandler:", port, block);
    const [connection, error] = await within("a connection", called) as (NSObject | null)[];
    return connection ? { connection } : { error: causes(error) };
  }

  /** A connection to the guest's program. @param what A letter: what it is to do. */
  async ask(what: string, number = 0): Promise<Stream> {
    const { connection } = await this.connect(1000);
    assert(connection);
    const stream = new Stream(Number(connection.send("fileDescriptor")));
    connection.send("close");
    assert(await stream.write(what + String(number).padStart(8, "0")));
    return stream;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shell[Symbol.asyncDispose]();
    this.#program[Symbol.dispose]();
  }
}
