import { assertEquals, assertThrows } from "@std/assert";
import { FileError } from "../../src/host/error.ts";
import { MarkFile } from "../../src/host/mark_file.ts";
import { contents, Folder } from "../e2e/vzrun.ts";

const names = (folder: Folder) => [...Deno.readDirSync(folder.path)].map(({ name }) => name);

Deno.test("MarkFile: it is there, whole, from when it is made until it is disposed of", () => {
  using folder = new Folder();
  const path = folder.file("ready");
  {
    using file = new MarkFile(path, "READY=1\n");
    assertEquals(names(folder), []);
    file.make();
    assertEquals([names(folder), contents(path)], [["ready"], "READY=1\n"]);
  }
  assertEquals(names(folder), []);
});

Deno.test("MarkFile: what a killed run has left tells nobody anything, and another's file is left alone", () => {
  using folder = new Folder();
  const path = folder.file("ready");
  Deno.writeTextFileSync(path, "READY=1\n");
  MarkFile.check(path, "READY=1\n");
  assertEquals(names(folder), ["ready"]);
  const file = new MarkFile(path, "READY=1\n");
  assertEquals(names(folder), []);
  file.make();
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, "mine");
  file[Symbol.dispose]();
  file.make();
  assertEquals(contents(path), "mine");
  assertThrows(() => new MarkFile(path, "READY=1\n"), FileError, "something else");
  assertThrows(() => MarkFile.check(folder.path, ""), FileError, "it is a folder");
  assertThrows(() => MarkFile.check(`${folder.path}/no/file`, ""), FileError, "no folder");
});
