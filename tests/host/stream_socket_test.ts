import { Buffer } from "node:buffer";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { FileError } from "../../src/host/error.ts";
import { StreamSocket } from "../../src/host/stream_socket.ts";
import { child } from "../objc/child.ts";
import { Folder, within } from "../e2e/vzrun.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => new Response(stream).text();

/** Bytes that tell which connection they are of, and where in it they are. */
function own(number: number, length: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(length / 4).map((_, i) => number * 0x1000193 ^ i);
  return new Uint8Array(words.buffer);
}

async function send(socket: StreamSocket, what: Uint8Array<ArrayBuffer>): Promise<void> {
  const writer = socket.writable.getWriter();
  await writer.write(what);
  await writer.close();
}

/** Threads of this process, and what it has open. */
const count = (what: "task" | "fd") => [...Deno.readDirSync(`/proc/self/${what}`)].length;

Deno.test("streams: 500 pairs at once each carry their own MiB whole, on one thread that waits", async () => {
  const length = 2 ** 20;
  StreamSocket.pair().forEach((socket) => socket.close()); // what is opened once is
  const before = count("fd");
  let most = 0;
  await within(
    "500 MiB",
    Promise.all(Array.from({ length: 500 }, async (_, number) => {
      const [a, b] = StreamSocket.pair();
      const what = own(number, length);
      const sent = send(a, what);
      const received = new Uint8Array(await new Response(b.readable).arrayBuffer());
      most = Math.max(most, count("task"));
      assert(Buffer.from(received.buffer).equals(what), `the bytes of ${number}`);
      await sent;
      await b.writable.close();
      assertEquals(await text(a.readable), "");
      await Promise.all([a.closed, b.closed]);
    })),
  );
  assert(most < 50, `${most} threads`);
  await new Promise((resolve) => setImmediate(resolve)); // the last call of poll(2) has ended then
  assertEquals(count("fd"), before);
});

Deno.test("streams: what nobody reads stops its writer, and no other connection", async () => {
  const [a, b] = StreamSocket.pair();
  const [c, d] = StreamSocket.pair();
  const writer = a.writable.getWriter();
  let written = 0;
  const writing = (async () => {
    for (; written < 64; written++) await writer.write(new Uint8Array(2 ** 20));
    await writer.close();
  })();
  const sent = send(c, own(1, 4 * 2 ** 20));
  assertEquals((await new Response(d.readable).arrayBuffer()).byteLength, 4 * 2 ** 20);
  await sent;
  assertEquals(written, 0);
  let length = 0;
  for await (const chunk of b.readable) length += chunk.length;
  await writing;
  assertEquals(length, 64 * 2 ** 20);
  for (const socket of [a, b, c, d]) socket.close();
});

Deno.test("streams: a side that has ended its own still receives", async () => {
  const [a, b] = StreamSocket.pair();
  const answer = text(a.readable);
  await send(a, bytes("question"));
  assertEquals(await text(b.readable), "question");
  await send(b, bytes("answer"));
  assertEquals(await answer, "answer");
  await Promise.all([a.closed, b.closed]);
});

Deno.test("streams: a program's own memory is filled, and its length kept", async () => {
  const [a, b] = StreamSocket.pair();
  using _both = new DisposableStack();
  _both.use(a);
  _both.use(b);
  const reader = b.readable.getReader({ mode: "byob" });
  const reading = reader.read(new Uint8Array(4));
  await a.writable.getWriter().write(bytes("sixsix"));
  assertEquals((await reading).value, bytes("sixs"));
  assertEquals((await reader.read(new Uint8Array(4))).value, bytes("ix"));
});

Deno.test("streams: a peer that has gone is a failed write, and unread bytes make its end a reset", async () => {
  const [a, b] = StreamSocket.pair();
  const writer = a.writable.getWriter();
  await writer.write(bytes("unread"));
  const reading = a.readable.getReader().read();
  b.close();
  await assertRejects(() => reading, Error, "the connection is lost: ");
  await assertRejects(() => writer.write(bytes("more")), Error, "the connection is lost: ");
  await a.closed;
});

Deno.test("streams: to close one ends who waits for it, in either direction", async () => {
  const failure = new Error("over");
  const [a, b] = StreamSocket.pair();
  const reading = a.readable.getReader().read();
  const writing = a.writable.getWriter().write(new Uint8Array(2 ** 24));
  await new Promise((resolve) => setTimeout(resolve, 10));
  a.close(failure);
  assertEquals(await assertRejects(() => reading), failure);
  assertEquals(await assertRejects(() => writing), failure);
  let length = 0;
  for await (const chunk of b.readable) length += chunk.length; // what was taken arrives, and then the end
  assert(length > 0 && length < 2 ** 24);
  b.close();
});

Deno.test("streams: to abort a write that waits closes the connection at once", async () => {
  const [a, b] = StreamSocket.pair();
  const writer = a.writable.getWriter();
  const writing = writer.write(new Uint8Array(2 ** 24));
  await new Promise((resolve) => setTimeout(resolve, 10));
  const aborted = writer.abort(new Error("enough"));
  await assertRejects(() => writing);
  await within("the abort", aborted.catch(() => {}));
  await a.closed;
  b.close();
});

Deno.test("streams: a peer is told that nobody reads any more", async () => {
  const [a, b] = StreamSocket.pair();
  await a.readable.cancel();
  await assertRejects(() => b.writable.getWriter().write(bytes("anyone?")), Error, "lost");
  await a.writable.close();
  await a.closed;
});

Deno.test("streams: a program that has closed its connections ends, and one that waits uses no processor", async () => {
  const { code, stdout, stderr } = await child("host/programs/streams.ts");
  assertEquals([code, stderr], [0, ""]);
  const milliseconds = Number(stdout);
  assert(milliseconds < 250, `${milliseconds} ms of processor time in a second of waiting`);
});

Deno.test("connect: a listener is there or not, at once", async () => {
  using folder = new Folder();
  const path = folder.file("socket");
  assertThrows(() => StreamSocket.connect(path), FileError, "No such file");
  {
    using listener = Deno.listen({ transport: "unix", path });
    const [connection] = await Promise.all([
      listener.accept(),
      send(StreamSocket.connect(path), bytes("hi")),
    ]);
    assertEquals(await new Response(connection.readable).text(), "hi");
  }
  Deno.writeTextFileSync(path, "");
  assertThrows(() => StreamSocket.connect(path), FileError, "refused");
});

Deno.test("streams: when the peer is no more, what it has sent is read, and then its end or the failure", async () => {
  const failure = new Error("the machine has ended");
  const [a, b] = StreamSocket.pair();
  const writing = a.writable.getWriter().write(new Uint8Array(2 ** 24)).catch((error) => error);
  await b.writable.getWriter().write(bytes("last"));
  a.finish(failure);
  assertEquals(await writing, failure);
  const reader = a.readable.getReader();
  assertEquals((await reader.read()).value, bytes("last"));
  assertEquals(await assertRejects(() => reader.read()), failure);
  await a.closed;
  b.close();

  const [c, d] = StreamSocket.pair();
  const waiting = text(c.readable);
  await send(d, bytes("all"));
  c.finish(failure);
  assertEquals(await waiting, "all");
  await c.closed;
  d.close();
});

Deno.test("streams: other kinds of bytes are sent whole, and what is none ends the connection on both sides", async () => {
  const [a, b] = StreamSocket.pair();
  const received = text(b.readable);
  const writer = (a.writable as WritableStream<unknown>).getWriter();
  const letters = bytes("wxyz").buffer;
  await writer.write(bytes("uv").buffer);
  await writer.write(new Uint16Array(letters));
  await writer.write(new DataView(bytes("-123-").buffer, 1, 3));
  await assertRejects(() => writer.write("text"), TypeError, "only bytes");
  await within("the end", a.closed);
  assertEquals(await within("what came", received), "uvwxyz123");
  b.close();
});
