/**
 * Damaged kernels: each format in a process of its own, so that a hang ends and memory can be told. KERNEL_FUZZ=N
 * tries more files of each, KERNEL_FUZZ_SEED=N others.
 */

import { assertEquals, assertLess } from "@std/assert";
import { ENVIRONMENT, ROOT, within } from "../e2e/vzrun.ts";
import { FORMATS } from "./kernel_fuzz.ts";

const COUNT = Number(Deno.env.get("KERNEL_FUZZ") ?? 10_000);
const SEED = Deno.env.get("KERNEL_FUZZ_SEED") ?? "4";

async function fuzz(format: string): Promise<void> {
  const program = `${ROOT}/tests/images/kernel_fuzz.ts`;
  const args = ["run", "-A", "-q", `--config=${ROOT}/deno.json`, program, format, String(COUNT), SEED];
  const child = new Deno.Command(Deno.execPath(), { args, ...ENVIRONMENT, stdout: "piped" }).spawn();
  try {
    const { success, stdout } = await within(format, child.output(), 60 + COUNT / 100);
    assertEquals(success, true, format);
    const { opened, refused, peak } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(opened + refused, COUNT, format);
    assertLess(peak, 400, `${format}: peak memory in MiB`); // with the garbage of many files
  } catch (error) {
    try {
      child.kill("SIGKILL");
    } catch { /* it has ended */ }
    throw error;
  }
}

Deno.test(`kernel fuzz: ${COUNT} damaged files of each format are opened right or refused`, async () => {
  const formats = Object.keys(FORMATS);
  const worker = async () => {
    for (let format = formats.shift(); format; format = formats.shift()) await fuzz(format);
  };
  await Promise.all([worker(), worker()]);
});
