import { assertEquals } from "@std/assert";
import { Folder } from "../e2e/vzrun.ts";
import { qemuImg } from "../images/qemu_img.ts";
import { commandOf, ended } from "../objc/child.ts";

Deno.test("bench: what an interrupted run has left is overwritten", async () => {
  using folder = new Folder();
  const [image, raw] = [folder.file("disk.qcow2"), folder.file("raw")];
  qemuImg("create", "-q", "-f", "qcow2", image, "1M");
  Deno.writeTextFileSync(raw, "half of a disk");
  const { code, stderr } = await ended(commandOf("../bench/convert_disk.ts", image, raw));
  assertEquals([code, stderr], [0, ""]);
  assertEquals(Deno.readFileSync(raw), new Uint8Array(1 << 20));
});
