// Firecracker's documentation (docs/vsock.md): a client sends `CONNECT PORT\n` and gets `OK HOST_PORT\n`; if nobody listens,
// or the line is another, the connection is closed. A guest that connects to a port of the host's gets to `PATH_PORT`.

import { assertEquals } from "@std/assert";
import { hybridAnswer, hybridPortOf, readHybridRequest } from "../../src/machine/vsock_hybrid.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("hybrid: the line is read as Firecracker reads it, and what follows is the guest's", () => {
  const table: [text: string, port: number, rest?: string][] = [
    ["CONNECT 52\n", 52],
    ["connect 52\n", 52],
    ["CONNECT 52\r\n", 52],
    ["CONNECT   52  \n", 52],
    ["CONNECT 1\nhello", 1, "hello"],
    ["CONNECT 22\n\nSSH-2.0-x\r\n", 22, "\nSSH-2.0-x\r\n"],
    ["CONNECT 4294967294\n", 4294967294],
    ["CONNECT 00000000000000000000052\n", 52],
  ];
  for (const [text, port, rest = ""] of table) {
    assertEquals(readHybridRequest(bytes(text)), { port, rest: bytes(rest) }, text);
  }
});

Deno.test("hybrid: a line that is not over is waited for, and no longer than one can be", () => {
  const line = "CONNECT 1234\n";
  for (let length = 0; length < line.length; length++) {
    assertEquals(readHybridRequest(bytes(line.slice(0, length))), "more", line.slice(0, length));
  }
  assertEquals(readHybridRequest(bytes("x".repeat(31))), "more");
  assertEquals(readHybridRequest(bytes("x".repeat(32))), "wrong");
  assertEquals(readHybridRequest(bytes(`CONNECT ${" ".repeat(30)}1\n`)), "wrong");
});

Deno.test("hybrid: what is of another protocol, or no port, is wrong", () => {
  for (
    const line of [
      "",
      "CONNECT",
      "CONNECT ",
      "CONNECT x",
      "CONNECT -1",
      "CONNECT 0",
      "CONNECT 4294967295",
      "CONNECT 4294967296",
      "CONNECT 99999999999999999999",
      "CONNECT 1.5",
      "CONNECT 0x16",
      "CONNECT52",
      "OK 52",
      "GET / HTTP/1.1",
      "CONNECT 52 53",
      "\u0000",
      "\u00ff CONNECT 5",
    ]
  ) assertEquals(readHybridRequest(bytes(`${line}\n`)), "wrong", line);
});

Deno.test("hybrid: the answer has the host's port, and a socket beside the path its port in its name", () => {
  assertEquals(new TextDecoder().decode(hybridAnswer(1073741824)), "OK 1073741824\n");
  const table: [name: string, port?: number][] = [
    ["v.sock_52", 52],
    ["v.sock_4294967294", 4294967294],
    ["v.sock_0"],
    ["v.sock_052"],
    ["v.sock_4294967295"],
    ["v.sock_"],
    ["v.sock"],
    ["v.sock_5x"],
    ["w.sock_5"],
  ];
  for (const [name, port] of table) assertEquals(hybridPortOf(name, "v.sock"), port, name);
});
