import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { parseOptions, UsageError } from "../../scripts/command_line.ts";
import { ended } from "../objc/child.ts";
import { ROOT } from "../e2e/vzrun.ts";

const USAGE = {
  usage: "deno task x [FILE] [--json] [--to P]",
  boolean: ["json"],
  string: ["to"],
  words: 1,
} as const;

Deno.test("scripts: options are read with their values, in either way to write them, and words beside them", () => {
  assertEquals(parseOptions([], USAGE), { json: false, words: [] });
  const all = { json: true, to: "a=b", words: ["7"] };
  assertEquals(parseOptions(["--json", "7", "--to", "a=b"], USAGE), all);
  assertEquals(parseOptions(["--to=a=b", "--json", "--", "7"], USAGE), all);
  assertEquals(parseOptions(["--to", "-", "-"], USAGE), { json: false, to: "-", words: ["-"] });
});

Deno.test("scripts: what is wrong in a command line is named, with how it is written", () => {
  const wrong = {
    "--jason": "unknown option '--jason'",
    "--jason=1": "unknown option '--jason'",
    "-x": "unknown option '-x'",
    "--to": "--to needs a value",
    "--to --json": "--to needs a value",
    "--to=": "--to needs a value",
    "a b": "'b' is too much",
  };
  for (const [line, problem] of Object.entries(wrong)) {
    const { message } = assertThrows(() => parseOptions(line.split(" "), USAGE), UsageError);
    assertEquals(message, `${problem}; usage: ${USAGE.usage}`, line);
  }
});

Deno.test("scripts: a slip in a command line ends each with one line and 2, before anything is made", async () => {
  const scripts = {
    compile: "scripts/compile.ts",
    sign: "scripts/sign.ts",
    release: "scripts/release.ts",
    bench: "bench/main.ts",
  };
  for (const [name, path] of Object.entries(scripts)) {
    const deno = [
      Deno.execPath(),
      "run",
      "-q",
      "-P=build",
      "--config",
      `${ROOT}/deno.json`,
      `${ROOT}/${path}`,
    ];
    const { code, stdout, stderr } = await ended([...deno, "--tarmac=1"]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, new RegExp(`^${name}: unknown option '--tarmac'; usage: deno task ${name} .*\n$`));
  }
});
