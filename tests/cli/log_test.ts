import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path/posix/from-file-url";
import { ended } from "../objc/child.ts";

const path = (relative: string) => fromFileUrl(new URL(`../../${relative}`, import.meta.url));
const VZRUN = [Deno.execPath(), "run", "-q", "-P", "--config", path("deno.json"), path("main.ts")];

Deno.test("log: what a wrong argument makes vzrun say is one line, whatever is in the argument", async () => {
  const lines = [
    ["a\nb"],
    ["-bo\r\ngus"],
    ["-m", "1\n2"],
    ["-serial", "a\nb"],
    ["-kernel", "no\nsuch file"],
    ["-kernel", "%s%d%c %o"],
  ];
  for (const argv of lines) {
    const { code, stdout, stderr } = await ended([...VZRUN, ...argv]);
    assertEquals([code, stdout], [2, ""], argv.join(" "));
    assert(/^vzrun: [^\r\n]*\n$/.test(stderr), stderr);
  }
});

Deno.test("log: letters that steer a terminal do not reach it from an argument", async () => {
  const { stderr } = await ended([...VZRUN, "-kernel", "\x1b[31mred\x07"]);
  assert([...stderr.trimEnd()].every((char) => char >= " " && char !== "\x7f"), JSON.stringify(stderr));
});

Deno.test("log: FORCE_COLOR alone gives no colour to what is not a terminal", async () => {
  const { stderr } = await ended([...VZRUN, "-bogus"], { NO_COLOR: "", FORCE_COLOR: "1" });
  assert(stderr.startsWith("vzrun: unknown option '-bogus'"), JSON.stringify(stderr));
});
