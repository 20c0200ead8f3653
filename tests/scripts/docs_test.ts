import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PROBES, untestedPage } from "../../scripts/check_mac/mod.ts";
import { manPage, qmpPage, withOptions } from "../../scripts/docs.ts";
import { OPTIONS } from "../../src/cli/qemu/options.ts";
import { ROOT } from "../e2e/vzrun.ts";

const MAN = `${ROOT}/docs/vzrun.1`;

Deno.test("docs: the manual page is the program's; deno task docs writes it", () => {
  assertEquals(Deno.readTextFileSync(MAN), manPage());
});

/** A text without the ends of lines, which deno fmt sets. */
const unwrapped = (text: string) => text.replace(/\s+/g, " ").replace(/-{3,}/g, "---").trim();

Deno.test("docs: the page of what no Mac has shown is check-mac's probes; deno task docs writes it", () => {
  const page = Deno.readTextFileSync(`${ROOT}/docs/untested-on-macos.md`);
  assertEquals(unwrapped(page), unwrapped(untestedPage()));
  assertEquals(new Set(PROBES.map(({ name }) => name)).size, PROBES.length, "names of probes");
});

Deno.test("docs: the page of QMP is the table of its commands; deno task docs writes it", () => {
  assertEquals(unwrapped(Deno.readTextFileSync(`${ROOT}/docs/qmp.md`)), unwrapped(qmpPage()));
});

Deno.test("docs: man renders the manual page without a warning, each option with its help", {
  ignore: Deno.build.os !== "linux", // macOS's man knows neither option
}, async () => {
  const { stdout, stderr } = await new Deno.Command("man", {
    args: ["--warnings", "-l", MAN],
    env: { MANWIDTH: "300", LC_ALL: "C.UTF-8", MAN_KEEP_FORMATTING: "", PAGER: "cat" },
  }).output();
  const text = new TextDecoder();
  assertEquals(text.decode(stderr), "");
  // deno-lint-ignore no-control-regex
  const page = text.decode(stdout).replace(/\x1b\[[\d;]*m|.\x08/g, "").replaceAll("‐", "-");
  for (const { names, help } of OPTIONS) {
    assertStringIncludes(page, names.map((name) => `-${name}`).join(", "));
    assertStringIncludes(page, help.replaceAll("'", "’").slice(0, 40).split("’")[0]);
  }
});

Deno.test("docs: README's table is written between its marks, and nothing else changes", () => {
  const readme = "before\n<!-- options -->\n\nold\n\n<!-- /options -->\nafter\n";
  const written = withOptions(readme);
  assert(
    written.startsWith(
      "before\n<!-- options -->\n\n| option | meaning |\n| --- | --- |\n| `-kernel FILE, -k` |",
    ),
  );
  assert(written.endsWith(" |\n\n<!-- /options -->\nafter\n"));
  assertEquals(withOptions(written), written);
});
