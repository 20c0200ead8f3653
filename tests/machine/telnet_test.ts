import { assertEquals } from "@std/assert";
import { TelnetReader, toTelnet } from "../../src/machine/telnet.ts";

Deno.test("telnet: a client's commands are taken out, wherever they are cut", () => {
  // A word, DO ECHO, a terminal's type in a block with the byte 255 in it, 255 itself, and NOP.
  const sent = [
    0x61,
    255,
    253,
    1,
    0x62,
    255,
    250,
    24,
    0,
    255,
    255,
    0x78,
    255,
    240,
    0x63,
    255,
    255,
    255,
    241,
    0x64,
  ];
  const typed = [0x61, 0x62, 0x63, 255, 0x64];
  for (let size = 1; size <= sent.length; size++) {
    const reader = new TelnetReader();
    const found: number[] = [];
    for (let i = 0; i < sent.length; i += size) {
      found.push(...reader.typed(Uint8Array.from(sent.slice(i, i + size))));
    }
    assertEquals(found, typed, `pieces of ${size}`);
  }
});

Deno.test("telnet: the byte that begins a command is doubled in what a console writes", () => {
  assertEquals(toTelnet(Uint8Array.of(1, 255, 2)), Uint8Array.of(1, 255, 255, 2));
  assertEquals(toTelnet(Uint8Array.of(1, 2)), Uint8Array.of(1, 2));
});
