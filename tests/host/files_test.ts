import { assert, assertEquals } from "@std/assert";
import { removeAttribute } from "../../src/host/files.ts";
import { Folder } from "../e2e/vzrun.ts";

/** Sets an extended attribute, or tells whether there is one: on a Mac with its tool, on Linux, which may have none, by libc. */
async function attribute(what: "set" | "has", path: string, name: string): Promise<boolean> {
  if (Deno.build.os === "darwin") {
    const args = what === "set" ? ["-w", name, "value", path] : ["-p", name, path];
    return (await new Deno.Command("xattr", { args, stdout: "null", stderr: "null" }).output()).success;
  }
  const { symbols: libc } = Deno.dlopen("libc.so.6", {
    setxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
    getxattr: { parameters: ["buffer", "buffer", "pointer", "usize"], result: "isize" },
  });
  const text = (value: string) => new TextEncoder().encode(`${value}\0`);
  if (what === "set") return libc.setxattr(text(path), text(name), text("value"), 5n, 0) === 0;
  return Number(libc.getxattr(text(path), text(name), null, 0n)) >= 0;
}

// Row 29.
Deno.test("files: an attribute that a copy has kept is taken off, and a file without it stays as it is", async () => {
  using folder = new Folder();
  const path = folder.file("copy");
  const name = Deno.build.os === "darwin" ? "com.apple.quarantine" : "user.quarantine";
  await Deno.writeTextFile(path, "text");
  removeAttribute(path, name);
  assert(await attribute("set", path, name));
  assert(await attribute("has", path, name));
  removeAttribute(path, name);
  assertEquals(await attribute("has", path, name), false);
  assertEquals(await Deno.readTextFile(path), "text");
});
