import { assert, assertEquals, assertMatch, assertObjectMatch } from "@std/assert";
import { qemuRows } from "../../../src/cli/qemu/compatibility.ts";
import { Folder, GUEST, vzrun } from "../../e2e/vzrun.ts";
import { LINES } from "./lines.ts";
import { OTHERS } from "./others.ts";

/** The files that the lines name. */
async function files(): Promise<Folder> {
  const folder = new Folder();
  Deno.symlinkSync(`${GUEST}/vmlinuz`, folder.file("bzImage"));
  Deno.mkdirSync(folder.file("share"));
  for (const name of ["disk.img", "other.img", "a,b.img", "initrd"]) {
    Deno.writeFileSync(folder.file(name), new Uint8Array(1024));
  }
  const args = ["create", "-q", "-f", "qcow2", folder.file("disk.qcow2"), "1M"];
  assert((await new Deno.Command("qemu-img", { args }).output()).success);
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
  using folder = await files();
  using _listener = Deno.listen({ transport: "unix", path: folder.file("socket") });
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

Deno.test({
  name: "qemu: lines that were picked without the table are answered as was expected, in one line",
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    using folder = await files();
    for (const [answer, line] of OTHERS) {
      const words = Array.from(line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g), ([, a, b, c]) => a ?? b ?? c);
      const { code, err } = await vzrun([...words, "-dry-run"], { cwd: folder.path });
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
