// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertThrows } from "@std/assert";
import { describe } from "../../src/cli/describe.ts";
import { type Settings, UsageError } from "../../src/cli/options.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

function settings(some: Partial<Settings>): Settings {
  return { serial: [], mode: "run", verbosity: "normal", ...some };
}

function limits(memory: number, processors: number) {
  return { memory: { minimum: 4 * MiB, maximum: memory }, processors: { minimum: 1, maximum: processors } };
}

const host = limits(64 * GiB, 16);

Deno.test("describe: a kernel alone makes a machine with the defaults", () => {
  assertEquals(describe(settings({ kernel: "K" }), host), {
    boot: { kernel: "K", commandLine: "console=hvc0" },
    memory: 4 * GiB,
    processors: 4,
    serial: [{ to: "stdio" }],
    network: [{ attachment: "nat" }],
  });
});

Deno.test("describe: what is given is what the machine has", () => {
  const given = settings({
    kernel: "K",
    initrd: "I",
    append: "quiet",
    memory: 3 * GiB,
    processors: 9,
    serial: [{ to: "null" }, { to: "stdio" }, { to: "file", path: "F" }],
  });
  assertEquals(describe(given, host), {
    boot: { kernel: "K", initrd: "I", commandLine: "quiet" },
    memory: 3 * GiB,
    processors: 9,
    serial: [{ to: "null" }, { to: "stdio" }, { to: "file", path: "F" }],
    network: [{ attachment: "nat" }],
  });
});

Deno.test("describe: an empty command line is one, and no default", () => {
  assertEquals(describe(settings({ kernel: "K", append: "" }), host).boot.commandLine, "");
});

Deno.test("describe: a small host gives half of its memory, in whole MiB, and what processors it has", () => {
  const memory = (maximum: number) => describe(settings({ kernel: "K" }), limits(maximum, 2)).memory;
  assertEquals(memory(8 * GiB), 4 * GiB);
  assertEquals(memory(8 * GiB - MiB), 4 * GiB - MiB);
  assertEquals(memory(2 * GiB), GiB);
  assertEquals(memory(1001 * MiB), 500 * MiB);
  assertEquals(describe(settings({ kernel: "K" }), limits(GiB, 1)).processors, 1);
  assertEquals(describe(settings({ kernel: "K" }), limits(GiB, 4)).processors, 4);
});

Deno.test("describe: no console at all can be had, and only alone", () => {
  assertEquals(describe(settings({ kernel: "K", serial: ["none"] }), host).serial, []);
  for (
    const serial of [["none", { to: "stdio" }], [{ to: "null" }, "none"], [
      "none",
      "none",
    ]] as Settings["serial"][]
  ) {
    const error = assertThrows(() => describe(settings({ kernel: "K", serial }), host), UsageError);
    assertEquals(error.message, "-serial none stands alone");
  }
});

Deno.test("describe: what cannot be one machine is told", () => {
  const refused: [some: Partial<Settings>, message: string][] = [
    [{}, "nothing to boot: give a kernel with -kernel FILE (-help lists all options)"],
    [{ append: "x" }, "-append needs -kernel: it is the kernel's command line"],
    [{ initrd: "I" }, "-initrd needs -kernel: it is the kernel that reads it"],
    [{ initrd: "I", append: "x" }, "-append needs -kernel: it is the kernel's command line"],
    [
      { kernel: "K", serial: [{ to: "stdio" }, { to: "null" }, { to: "stdio" }] },
      "-serial stdio is given twice: there is one stdin",
    ],
  ];
  for (const [some, message] of refused) {
    assertEquals(assertThrows(() => describe(settings(some), host), UsageError).message, message);
  }
});
