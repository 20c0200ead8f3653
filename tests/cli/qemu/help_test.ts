import { assert, assertEquals } from "@std/assert";
import { helpText, qemuHelpText, usageOf } from "../../../src/cli/qemu/help.ts";
import { QEMU_OPTIONS, qemuRows } from "../../../src/cli/qemu/compatibility.ts";
import { OPTIONS } from "../../../src/cli/qemu/options.ts";

Deno.test("help: an option is shown with its value and its other names", () => {
  const usages = OPTIONS.map(usageOf);
  for (
    const usage of [
      "-kernel FILE, -k",
      "-initrd FILE, -initramfs, -i",
      "-m SIZE",
      "-smp N, -p",
      "-display window[,width=W,height=H][,full-grab=on][,hidpi=on]|none",
      "-nographic",
      "-share TAG DIR[,ro]",
      "-rosetta [TAG]",
    ]
  ) {
    assert(usages.includes(usage), usage);
  }
});

Deno.test("help: every option is in the text once, under its group, with its help", () => {
  const text = helpText();
  for (const option of OPTIONS) {
    const lines = text.split("\n");
    const usage = `  ${usageOf(option)}`;
    const is = (line: string) => line === usage || line.startsWith(`${usage}  `);
    assertEquals(lines.filter(is).length, 1, usage);
    const before = lines.slice(0, lines.findIndex(is)).findLast((line) => /^\w.*:$/.test(line));
    assertEquals(before, `${option.group}:`, usage);
    assert(text.includes(option.help), option.help);
  }
});

Deno.test("help: the text fits a terminal's width and says what the exit codes mean", () => {
  for (const line of helpText().split("\n")) assert(line.length <= 110, line);
  assert(helpText().includes("Exit: 0 the guest stopped, 1 the machine failed, 2 the command"));
  assert(helpText().includes("Ctrl-A x"));
});

Deno.test("README: its table of options is the program's", async () => {
  const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));
  const between = /<!-- options -->([^]*)<!-- \/options -->/.exec(readme)?.[1];
  assert(between, "README.md has no table between <!-- options --> and <!-- /options -->");
  const rows = between.split("\n").filter((line) => line.startsWith("| `"));
  // deno fmt pads the cells; a | in one is written \| there.
  const cells = rows.map((row) =>
    row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|"))
  );
  assertEquals(cells, OPTIONS.map((option) => [`\`${usageOf(option)}\``, option.help]));
});

Deno.test("docs: what becomes of qemu's words is the program's, in README and in docs/qemu.md", async () => {
  const readme = await Deno.readTextFile(new URL("../../../README.md", import.meta.url));
  const list = /<!-- qemu -->([^]*)<!-- \/qemu -->/.exec(readme)?.[1] ?? "";
  const named = Array.from(list.matchAll(/`-(\S+)`/g), ([, name]) => name).filter((name) =>
    name !== "verbose"
  );
  assertEquals(named.sort(), QEMU_OPTIONS.flatMap(({ names }) => names).sort());
  const page = await Deno.readTextFile(new URL("../../../docs/qemu.md", import.meta.url));
  const rows = page.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll("\\|", "|"))
  );
  assertEquals(rows, qemuRows().map(({ word, answer, text }) => [`\`${word}\``, answer, text]));
  for (const line of (await qemuHelpText()).split("\n")) assert(line.length <= 120, line);
});
