import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { Folder, guest, vzrun } from "./vzrun.ts";

Deno.test("identity: -machine-id is the same to the guest at each boot, and another's is another", async () => {
  using folder = new Folder();
  const uuid = async (...args: string[]) => {
    const { code, out, err } = await vzrun([...guest("cat /sys/class/dmi/id/product_uuid"), ...args], {
      cwd: folder.path,
    });
    assertEquals([code, err], [0, ""]);
    assertMatch(out, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\r\n$/);
    return out;
  };
  const first = await uuid("-machine-id", "one");
  assertEquals(await uuid("-machine-id", "one"), first);
  assertNotEquals(await uuid("-machine-id", "two"), first);
});

Deno.test("identity: several that make it at once have the same", async () => {
  using folder = new Folder();
  const args = [...guest("cat /sys/class/dmi/id/product_uuid"), "-machine-id", "one"];
  const runs = await Promise.all([1, 2, 3].map(() => vzrun(args, { cwd: folder.path })));
  assertEquals(runs.map(({ code, out, err }) => [code, out, err]), runs.map(() => [0, runs[0].out, ""]));
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["one"]);
});
