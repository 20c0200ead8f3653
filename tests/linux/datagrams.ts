/** Datagram sockets that carry a card's frames. */

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize", nonblocking: true },
  close: { parameters: ["i32"], result: "i32" },
}).symbols;

const AF_UNIX = 1, AF_INET = 2, SOCK_DGRAM = 2, SHUT_RDWR = 2;

function check(what: string, result: number | bigint): number {
  if (result < 0) throw new Error(`${what} has failed`);
  return Number(result);
}

/** One that has a name: a path's, or some port of the loopback. */
export class Datagrams {
  readonly descriptor: number;
  /** A struct sockaddr. */
  readonly name: Uint8Array<ArrayBuffer>;

  /** @param path None for UDP. */
  constructor(path?: string) {
    const family = path === undefined ? AF_INET : AF_UNIX;
    this.descriptor = check("socket", libc.socket(family, SOCK_DGRAM, 0));
    const rest = path === undefined ? [0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0] : [];
    this.name = Uint8Array.from([family, 0, ...rest, ...new TextEncoder().encode(path ?? "")]);
    check("bind", libc.bind(this.descriptor, this.name, this.name.length));
    if (path === undefined) {
      libc.getsockname(this.descriptor, this.name, new Uint8Array(Uint32Array.of(this.name.length).buffer));
    }
  }

  /** Connects it, perhaps anew. */
  connect(other: Datagrams): void {
    check("connect", libc.connect(this.descriptor, other.name, other.name.length));
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    check("send", libc.send(this.descriptor, bytes, BigInt(bytes.length), 0));
  }

  /** The next one; of no bytes when no more will come. */
  async receive(): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(1 << 17);
    return bytes.subarray(0, check("recv", await libc.recv(this.descriptor, bytes, BigInt(bytes.length), 0)));
  }

  /** Lets who receives get no more. */
  end(): void {
    libc.shutdown(this.descriptor, SHUT_RDWR);
  }

  close(): void {
    libc.close(this.descriptor);
  }
}
