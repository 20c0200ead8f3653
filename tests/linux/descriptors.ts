/** Descriptors of Linux's, as a client hands them to the framework. */

const libc = Deno.dlopen("libc.so.6", {
  openpty: { parameters: ["buffer", "buffer", "pointer", "pointer", "pointer"], result: "i32" },
  pipe: { parameters: ["buffer"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  cfmakeraw: { parameters: ["buffer"], result: "void" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const FIONREAD = 0x541bn;

function two(make: (ends: Uint8Array<ArrayBuffer>) => number): [number, number] {
  const ends = new Int32Array(2);
  if (make(new Uint8Array(ends.buffer)) !== 0) throw new Error("no descriptors could be made");
  return [ends[0], ends[1]];
}

/** A pipe: the end to read and the end to write. */
export function pipe(): [reading: number, writing: number] {
  return two((ends) => libc.pipe(ends));
}

/** A pair of connected stream sockets. */
export function socketPair(): [number, number] {
  const AF_UNIX = 1, SOCK_STREAM = 1;
  return two((ends) => libc.socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

/** A pty whose device is open and raw. */
export function rawPty(): [master: number, device: number] {
  const master = new Int32Array(1);
  const device = new Int32Array(1);
  const bytes = (array: Int32Array<ArrayBuffer>) => new Uint8Array(array.buffer);
  if (libc.openpty(bytes(master), bytes(device), null, null, null) !== 0) throw new Error("no pty");
  const settings = new Uint8Array(128);
  libc.tcgetattr(device[0], settings);
  libc.cfmakeraw(settings);
  libc.tcsetattr(device[0], 0, settings);
  return [master[0], device[0]];
}

/** Whether O_NONBLOCK is set on what a descriptor has open. */
export function isNonblocking(descriptor: number): boolean {
  return (libc.fcntl(descriptor, F_GETFL, 0n) & O_NONBLOCK) !== 0;
}

/** How many bytes are there to be read. */
export function unread(descriptor: number): number {
  const count = new Int32Array(1);
  libc.ioctl(descriptor, FIONREAD, new Uint8Array(count.buffer));
  return count[0];
}

/** What is there to be read, which is not waited for. */
export function readAvailable(descriptor: number): string {
  const bytes = new Uint8Array(unread(descriptor));
  if (bytes.length === 0) return "";
  const length = Number(libc.read(descriptor, bytes, BigInt(bytes.length)));
  return new TextDecoder("latin1").decode(bytes.subarray(0, Math.max(length, 0)));
}

/** Writes a text that there is room for. */
export function writeText(descriptor: number, text: string): void {
  const bytes = new TextEncoder().encode(text);
  libc.write(descriptor, bytes, BigInt(bytes.length));
}

/** Sets O_NONBLOCK, or not. */
export function setNonblocking(descriptor: number, nonblocking: boolean): void {
  const flags = libc.fcntl(descriptor, F_GETFL, 0n);
  libc.fcntl(descriptor, F_SETFL, BigInt(nonblocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
}

/** Closes descriptors. */
export function close(...descriptors: number[]): void {
  for (const descriptor of descriptors) libc.close(descriptor);
}
