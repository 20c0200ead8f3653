import { assert, assertEquals, assertMatch, assertObjectMatch } from "@std/assert";
import { qemuRows } from "../../../src/cli/qemu/compatibility.ts";
import { fat, FOR_EFI, iso, program, run } from "../../images/efi_layouts.ts";
import { manyLines } from "../../e2e/many_lines.ts";
import { Folder, GUEST, vzrun } from "../../e2e/vzrun.ts";
import { LINES } from "./lines.ts";
import { OTHERS } from "./others.ts";

/** The files that the lines name. */
function files(): Folder {
  const folder = new Folder();
  Deno.symlinkSync(`${GUEST}/vmlinuz`, folder.file("bzImage"));
  Deno.mkdirSync(folder.file("share"));
  Deno.writeFileSync(folder.file("initrd"), new Uint8Array(1024));
  const loader = fat({ "EFI/BOOT/BOOTX64.EFI": program(0x8664) }, 1 << 20);
  for (const name of ["disk.img", "other.img", "a,b.img"]) Deno.writeFileSync(folder.file(name), loader);
  Deno.writeFileSync(folder.file("raw"), loader);
  run("qemu-img", "convert", "-O", "qcow2", folder.file("raw"), folder.file("disk.qcow2"));
  Deno.writeFileSync(folder.file("live.iso"), iso({ "boot/efi.img": loader }, ...FOR_EFI));
  return folder;
}

Deno.test({
  name: "qemu: lines that people paste are done, or each says in one line what is not",
  ignore: Deno.build.arch !== "x86_64", // which their machines are
  fn: tryLines,
});

async function tryLines(): Promise<void> {
  using folder = files();
  using _listener = Deno.listen({ transport: "unix", path: folder.file("socket") });
  assert(LINES.length >= 80);
  const lines = LINES.map(({ line, so }) => [...line.split(" "), ...so ? ["-verbose"] : [], "-dry-run"]);
  const ended = await manyLines(lines, { cwd: folder.path });
  for (const [i, { line, does, so, cannot }] of LINES.entries()) {
    const { code, out, err } = ended[i];
    if (i % 20 === 0) { // some as they are run by those who paste them
      const own = await vzrun(lines[i], { cwd: folder.path });
      const withoutAddress = (machine: string) => machine.replace(/"mac": ".*"/, "");
      assertEquals([own.code, withoutAddress(own.out), own.err], [code, withoutAddress(out), err], line);
    }
    if (cannot) {
      assertEquals([code, out], [2, ""], `${line}\n${err}`);
      assertMatch(err, /^vzrun: [^\n]+\n$/, line);
      assertMatch(err.slice("vzrun: ".length).trimEnd(), cannot, line);
    } else {
      assertEquals(code, 0, `${line}\n${err}`);
      assertObjectMatch({ machine: JSON.parse(out) }, { machine: does ?? {} }, line);
      assertMatch(err, so ?? /^(vzrun: EFI boots [^\n]+\n)?$/, line);
    }
  }
}

Deno.test({
  name: "qemu: lines that were picked without the table are answered as was expected, in one line",
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    using folder = files();
    const words = (line: string) =>
      Array.from(line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, a, b, c]) => a ?? b ?? c);
    const lines = OTHERS.map(([, line]) => [...words(line), "-dry-run"]);
    const ended = await manyLines(lines, { cwd: folder.path });
    for (const [i, [answer, line]] of OTHERS.entries()) {
      const { code, err } = ended[i];
      assertEquals(code, answer === "cannot" ? 2 : 0, `${line}\n${err}`);
      if (answer === "cannot") assertMatch(err, /^vzrun: [^\n]+\n$/, line);
    }
  },
});

Deno.test("qemu: each word of its table has one answer of three, and a reason", () => {
  const rows = qemuRows();
  assert(rows.length > 200);
  for (const { word, text } of rows) assertMatch(text, /^\S[^\n]{2,}[^.\s]$/, word);
  const keys = rows.map(({ word, answer }) => `${word} ${answer}`);
  assertEquals(keys.length, new Set(keys).size);
});
