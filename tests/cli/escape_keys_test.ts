import { assertEquals } from "@std/assert";
import { EscapeKeys } from "../../src/cli/escape_keys.ts";

function feed(...chunks: string[]) {
  const keys = new EscapeKeys();
  let guest = "";
  const commands: string[] = [];
  for (const chunk of chunks) {
    const result = keys.feed(new TextEncoder().encode(chunk));
    guest += new TextDecoder().decode(result.guest);
    commands.push(...result.commands);
  }
  return { guest, commands };
}

Deno.test("keys: what is typed reaches the guest as it is", () => {
  assertEquals(feed("ls -l\r\x03\x1a\x1b[A"), { guest: "ls -l\r\x03\x1a\x1b[A", commands: [] });
});

Deno.test("keys: Ctrl-A x ends, Ctrl-A h helps, Ctrl-A Ctrl-A sends one", () => {
  assertEquals(feed("a\x01xb"), { guest: "ab", commands: ["end"] });
  assertEquals(feed("\x01h\x01?"), { guest: "", commands: ["help", "help"] });
  assertEquals(feed("\x01\x01x"), { guest: "\x01x", commands: [] });
});

Deno.test("keys: a Ctrl-A at the end of a read belongs to the next", () => {
  assertEquals(feed("a\x01", "xb"), { guest: "ab", commands: ["end"] });
});

Deno.test("keys: an unknown letter after Ctrl-A is swallowed, as in qemu", () => {
  assertEquals(feed("\x01qz"), { guest: "z", commands: [] });
});
