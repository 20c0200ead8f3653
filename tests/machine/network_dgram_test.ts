import { assert, assertEquals, assertThrows } from "@std/assert";
import { DatagramSocket } from "../../src/host/datagram_socket.ts";
import { descriptorOf } from "../../src/host/descriptors.ts";
import { FileError } from "../../src/host/error.ts";
import { openDatagrams } from "../../src/machine/network_dgram.ts";
import { boundAt, inFolder, listeningContext, openSockets, Peer, takeHandle, within } from "./frames.ts";

const CARD = "network card 1";
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("datagrams: frames go both ways without the program, after the greeting of gvproxy", async () => {
  await inFolder(async (folder) => {
    const before = openSockets();
    const { context, said } = listeningContext();
    const [remote, local] = [`${folder}/remote`, `${folder}/local`];
    const peer = boundAt(remote);
    const card = openDatagrams({ remote, local, magic: true }, context, CARD);
    const guest = new Peer(takeHandle(card.handle));
    assertEquals(text(await peer.next()), "VFKT");
    await guest.socket.send(Uint8Array.of(1));
    assertEquals(await peer.next(), Uint8Array.of(1));
    const back = peer.connect(local);
    await back.send(Uint8Array.of(2));
    await guest.has(1);
    assertEquals(guest.frames, [Uint8Array.of(2)]);
    back[Symbol.dispose]();
    await guest.end();
    await within(card[Symbol.asyncDispose]());
    peer[Symbol.dispose]();
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["remote"]);
    assertEquals(said, []);
    assertEquals(openSockets(), before);
  });
});

Deno.test("datagrams: a peer that has gone is taken again when it is back, through the socket that the guest has", async () => {
  await inFolder(async (folder) => {
    const { context, said, until } = listeningContext();
    const remote = `${folder}/remote`;
    const first = boundAt(remote);
    const card = openDatagrams({ remote, magic: true }, context, CARD);
    const guest = takeHandle(card.handle); // as another process has it, from the start
    assertEquals(text(await first.next()), "VFKT");
    const peer = `${CARD}: the peer at ${remote}`;
    let lines: string[] = [];
    let last = first;
    for (let round = 0; round < 3; round++) {
      last[Symbol.dispose]();
      Deno.removeSync(remote);
      lines = [...lines, `${peer} has gone`];
      await until(lines.length);
      assertEquals(await guest.send(Uint8Array.of(9)), "gone");
      Deno.writeTextFileSync(`${folder}/another`, ""); // is nothing to it
      last = boundAt(remote);
      lines = [...lines, `${peer} is back`];
      await until(lines.length);
      assertEquals(text(await last.next()), "VFKT");
      assertEquals(await guest.send(Uint8Array.of(round)), "sent");
      assertEquals(await last.next(), Uint8Array.of(round));
    }
    // One that was killed leaves its file, and the next one replaces that.
    last[Symbol.dispose]();
    const next = `${folder}/next`;
    const successor = boundAt(next);
    Deno.renameSync(next, remote);
    lines = [...lines, `${peer} has gone`, `${peer} is back`];
    await until(lines.length);
    assertEquals(text(await successor.next()), "VFKT");
    assertEquals(said, lines);
    guest[Symbol.dispose]();
    await within(card[Symbol.asyncDispose]());
    successor[Symbol.dispose]();
  });
});

Deno.test("datagrams: without a path of its own the card has one in a temporary folder, which goes", async () => {
  await inFolder(async (folder) => {
    const { context } = listeningContext();
    const remote = `${folder}/remote`;
    const temporary = () =>
      [...Deno.readDirSync(`${folder}/..`)].filter(({ name }) => name.startsWith(`vzrun-net-${Deno.pid}-`));
    const peer = boundAt(remote);
    const card = openDatagrams({ remote }, context, CARD);
    assertEquals(temporary().length, 1);
    await within(card[Symbol.asyncDispose]());
    assertEquals(temporary(), []);
    peer[Symbol.dispose]();
    assertThrows(() => openDatagrams({ remote }, context, CARD), FileError, "nobody listens there");
    assertEquals(temporary(), []);
  });
});

Deno.test("datagrams: a path of its own that is taken is refused, a dead socket there is replaced, another's stays", async () => {
  await inFolder(async (folder) => {
    const { context } = listeningContext();
    const [remote, local] = [`${folder}/remote`, `${folder}/local`];
    const peer = boundAt(remote);
    const dead = boundAt(local);
    const refused = () =>
      assertThrows(() => openDatagrams({ remote, local }, context, CARD), FileError).message;
    assertEquals(refused(), `cannot make the socket '${local}': somebody has it open`);
    dead[Symbol.dispose]();
    const card = openDatagrams({ remote, local }, context, CARD);
    assertEquals(refused(), `cannot make the socket '${local}': somebody has it open`);
    assert(Deno.statSync(local).isSocket);
    Deno.removeSync(local);
    const others = boundAt(local);
    await within(card[Symbol.asyncDispose]());
    assert(Deno.statSync(local).isSocket);
    others[Symbol.dispose]();
    peer[Symbol.dispose]();
  });
});

Deno.test("datagrams: a descriptor that the program has inherited is a card's", async () => {
  const before = openSockets();
  const { context } = listeningContext();
  const [one, other] = DatagramSocket.pair();
  const card = openDatagrams({ descriptor: descriptorOf(one.handle) }, context, CARD);
  one[Symbol.dispose]();
  const peer = new Peer(other);
  const guest = takeHandle(card.handle);
  await guest.send(Uint8Array.of(1));
  await peer.has(1);
  guest[Symbol.dispose]();
  await within(card[Symbol.asyncDispose]());
  await peer.end();
  assertThrows(() => openDatagrams({ descriptor: 987 }, context, CARD), FileError, "it is not open");
  assertEquals(openSockets(), before);
});
