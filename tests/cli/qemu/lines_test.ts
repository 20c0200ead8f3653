import { assert, assertEquals, assertMatch, assertObjectMatch } from "@std/assert";
import { qemuRows } from "../../../src/cli/qemu/compatibility.ts";
import { Folder, GUEST, vzrun } from "../../e2e/vzrun.ts";
import { LINES } from "./lines.ts";

/** The files that the lines name. */
function files(): Folder {
  const folder = new Folder();
  Deno.symlinkSync(`${GUEST}/vmlinuz`, folder.file("bzImage"));
  for (const name of ["disk.img", "other.img", "a,b.img", "initrd"]) {
    Deno.writeFileSync(folder.file(name), new Uint8Array(1024));
  }
  // An ISO 9660 volume descriptor is at 32 KiB.
  const iso = new Uint8Array(40 * 1024);
  iso.set(new TextEncoder().encode("\u0001CD001\u0001"), 32 * 1024);
  Deno.writeFileSync(folder.file("live.iso"), iso);
  return folder;
}

Deno.test({
  name: "qemu: lines that people paste are done, or each says in one line what is not",
  ignore: Deno.build.arch !== "x86_64", // which their machines are
  fn: tryLines,
});

async function tryLines(): Promise<void> {
  using folder = files();
  assert(LINES.length >= 80);
  for (const { line, does, so, cannot } of LINES) {
    const args = [...line.split(" "), "-dry-run", ...so ? ["-verbose"] : []];
    const { code, out, err } = await vzrun(args, { cwd: folder.path });
    if (cannot) {
      assertEquals([code, out], [2, ""], `${line}\n${err}`);
      assertMatch(err, /^vzrun: [^\n]+\n$/, line);
      assertMatch(err.slice("vzrun: ".length).trimEnd(), cannot, line);
    } else {
      assertEquals(code, 0, `${line}\n${err}`);
      assertObjectMatch({ machine: JSON.parse(out) }, { machine: does ?? {} }, line);
      assertMatch(err, so ?? /^$/, line);
    }
  }
}

Deno.test("qemu: each word of its table has one answer of three, and a reason", () => {
  const rows = qemuRows();
  assert(rows.length > 200);
  for (const { word, text } of rows) assertMatch(text, /^\S[^\n]{2,}[^.\s]$/, word);
  const keys = rows.map(({ word, answer }) => `${word} ${answer}`);
  assertEquals(keys.length, new Set(keys).size);
});
