import { assert, assertEquals } from "@std/assert";
import { LossyWriter } from "../../src/host/lossy_writer.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("LossyWriter: a reader that takes nothing is not waited for for long, and gets whole lines in their order", async () => {
  let text = "";
  const stuck = Promise.withResolvers<void>();
  const writer = new LossyWriter(async (bytes) => {
    await stuck.promise;
    text += new TextDecoder().decode(bytes);
    return bytes.length;
  });
  const start = Date.now();
  for (let n = 0; n < 100_000; n += 100) {
    await writer.offer(bytes(Array.from({ length: 100 }, (_, i) => `line ${n + i}\n`).join("")));
  }
  assert(Date.now() - start < 5_000);
  stuck.resolve();
  await writer.drain();
  await writer.offer(bytes("last\n"));
  await writer.drain();
  const lines = text.split("\n");
  assertEquals(lines.slice(-2), ["last", ""]);
  const numbers = lines.slice(0, -2).map((line) => Number(/^line (\d+)$/.exec(line)?.[1]));
  assertEquals(numbers, numbers.map((_, i) => i));
  assert(numbers.length > 10_000 && numbers.length < 100_000);
});

Deno.test("LossyWriter: a slow reader gets everything", async () => {
  let length = 0;
  const writer = new LossyWriter(async (bytes) => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    length += Math.min(bytes.length, 20_000);
    return Math.min(bytes.length, 20_000);
  });
  for (let i = 0; i < 10; i++) await writer.offer(new Uint8Array(65536));
  await writer.drain();
  assertEquals(length, 655_360);
});
