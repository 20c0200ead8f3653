// Sockets between a guest and the host, without a network.

import { assert, assertEquals } from "@std/assert";
import { SocketGuest, Stream } from "./vsock.ts";

Deno.test("sockets: the first way through", async () => {
  await using guest = await SocketGuest.make();
  await guest.boot();
  console.log(await guest.dial(77, "send", 100));
  console.log((await guest.connect(5)).error);
  const stream = await guest.ask("e");
  await stream.write("hello");
  stream.shutdown("write");
  assertEquals(await stream.text(), "hello");
  using listener = await guest.listen(78, async (stream) => {
    console.log("got", await stream.readStream(7));
    stream[Symbol.dispose]();
  });
  console.log(await guest.dial(78, "send", 10_000_000));
  console.log(listener.ports);
  assert(Stream);
});
