import { assertEquals, assertRejects } from "@std/assert";
import { parse } from "../../../src/cli/qemu/parse.ts";
import { UsageError } from "../../../src/cli/qemu/usage_error.ts";

const placesOf = async (...argv: string[]) => (await parse(argv)).qmp;

Deno.test("-qmp: places, in qemu's words, new and old", async () => {
  const listen = { kind: "listen", path: "/tmp/q", wait: false } as const;
  assertEquals(await placesOf("-qmp", "unix:/tmp/q"), [listen]);
  assertEquals(await placesOf("-qmp", "unix:/tmp/q,server=on,wait=off"), [listen]);
  assertEquals(await placesOf("-qmp", "unix:/tmp/q,server,nowait"), [listen]);
  assertEquals(await placesOf("-qmp", "unix:/tmp/q,server=on"), [{ ...listen, wait: true }]);
  assertEquals(await placesOf("-qmp", "unix:/tmp/a,,b"), [{ ...listen, path: "/tmp/a,b" }]);
  assertEquals(await placesOf("-qmp", "unix:q,server=off"), [{ kind: "connect", path: "q" }]);
  assertEquals(await placesOf("-qmp", "tcp::4444,server=on,wait=off"), [
    { kind: "listen", host: "127.0.0.1", port: 4444, wait: false },
  ]);
  assertEquals(await placesOf("-qmp", "tcp:[::1]:4444,server=off"), [{
    kind: "connect",
    host: "::1",
    port: 4444,
  }]);
  assertEquals(await placesOf("-qmp", "stdio", "-qmp", "unix:/tmp/q"), [{ kind: "stdio" }, listen]);
});

Deno.test("-mon mode=control: a -chardev is where QMP is", async () => {
  const chardev = ["-chardev", "socket,id=m,path=/tmp/q,server=on,wait=off"];
  const listen = { kind: "listen", path: "/tmp/q", wait: false } as const;
  assertEquals(await placesOf(...chardev, "-mon", "chardev=m,mode=control"), [listen]);
  assertEquals(await placesOf("-mon", "m,mode=control", ...chardev), [listen]);
  assertEquals(await placesOf("-chardev", "stdio,id=m", "-mon", "chardev=m,mode=control"), [{
    kind: "stdio",
  }]);
});

Deno.test("-qmp: what is no place is told, with what is", async () => {
  const told: [argv: string[], message: string][] = [
    [["-qmp", ""], "-qmp : expected unix:PATH, tcp:HOST:PORT,server=on or stdio"],
    [["-qmp", "unix:"], "expected unix:PATH"],
    [["-qmp", "tcp:host:99999,server=on"], "expected unix:PATH"],
    [["-qmp", "tcp:host:1"], "server=on is missing"],
    [["-qmp", "unix:q,server=off,wait=on"], "wait= goes with server=on"],
    [["-qmp", "unix:q,reconnect=1"], "a connection that has ended is not made again"],
    [["-qmp", "unix:q,frob=1"], "unknown 'frob='"],
    [["-qmp", "stdio,server=on"], "expected unix:PATH"],
    [["-mon", "chardev=m,mode=control"], "no -chardev has id=m"],
    [["-chardev", "pty,id=m", "-mon", "m,mode=control"], "QMP is at a socket, or on stdio"],
    [["-qmp-pretty", "unix:q"], "a program that indents"],
  ];
  for (const [argv, message] of told) await assertRejects(() => parse(argv), UsageError, message);
});
