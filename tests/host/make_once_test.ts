import { assertEquals, assertRejects } from "@std/assert";
import { makeOnce } from "../../src/host/make_once.ts";
import type { WritableFile } from "../../src/host/new_file.ts";
import { Folder, within } from "../e2e/vzrun.ts";

function names(folder: Folder): string[] {
  return [...Deno.readDirSync(folder.path)].map(({ name }) => name);
}

Deno.test("makeOnce: several that want the same file get one that is whole, made once", async () => {
  using folder = new Folder();
  const path = folder.file("x");
  let makers = 0;
  const make = async (file: WritableFile) => {
    makers++;
    file.writeSync(new TextEncoder().encode("all "));
    await new Promise((resolve) => setTimeout(resolve, 50));
    file.writeSync(new TextEncoder().encode("of it"));
  };
  const made = await within("all", Promise.all([1, 2, 3, 4, 5].map(() => makeOnce(path, make))));
  assertEquals([made.filter(Boolean).length, makers], [1, 1]);
  assertEquals(Deno.readTextFileSync(path), "all of it");
  assertEquals(names(folder), ["x"]);
});

Deno.test("makeOnce: a failure leaves nothing, and the next that waits makes the file", async () => {
  using folder = new Folder();
  const path = folder.file("x");
  const failing = makeOnce(path, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    throw new RangeError("full");
  });
  const waiting = makeOnce(path, (file) => void file.writeSync(new TextEncoder().encode("there")));
  await assertRejects(() => failing, RangeError, "full");
  assertEquals([await waiting, Deno.readTextFileSync(path)], [true, "there"]);
  const failingAgain = makeOnce(folder.file("y"), () => Promise.reject(new RangeError("full")));
  await assertRejects(() => failingAgain, RangeError);
  assertEquals(names(folder), ["x"]);
});

Deno.test("makeOnce: a signal ends the making and the waiting for another", async () => {
  using folder = new Folder();
  const path = folder.file("x");
  const making = new AbortController();
  const waiting = new AbortController();
  const never = () =>
    new Promise<void>((_, reject) =>
      making.signal.addEventListener("abort", () => reject(making.signal.reason))
    );
  const maker = makeOnce(path, never, making.signal);
  const waiter = makeOnce(path, never, waiting.signal);
  waiting.abort(new Error("enough"));
  await within("the waiter", assertRejects(() => waiter, Error, "enough"));
  making.abort(new Error("stop"));
  await within("the maker", assertRejects(() => maker, Error, "stop"));
  assertEquals(names(folder), []);
});

Deno.test("makeOnce: what a maker that was killed has left is not taken for the file", async () => {
  using folder = new Folder();
  const path = folder.file("x");
  const program = `
    import { makeOnce } from ${JSON.stringify(import.meta.resolve("../../src/host/make_once.ts"))};
    await makeOnce(${JSON.stringify(path)}, async (file) => {
      file.writeSync(new TextEncoder().encode("only half of what was meant"));
      Deno.kill(Deno.pid, "SIGKILL");
      await new Promise(() => {});
    });`;
  const killed = new Deno.Command(Deno.execPath(), { args: ["eval", program], stderr: "piped" });
  assertEquals((await killed.output()).signal, "SIGKILL");
  assertEquals(names(folder), ["x.partial"]);
  const make = (file: WritableFile) => void file.writeSync(new TextEncoder().encode("whole"));
  assertEquals([await makeOnce(path, make), Deno.readTextFileSync(path)], [true, "whole"]);
  assertEquals(names(folder), ["x"]);
});
