// @ts-types="../../types/std_assert.d.ts"
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Folder, GUEST, ROOT, Vzrun, vzrun, within } from "./vzrun.ts";

const OK = ["-kernel", `${GUEST}/vmlinuz`];

/** What stands in for QEMU here: a program that leaves a trace. */
function traceOfQemu(folder: Folder): Record<string, string> {
  const VIRTUALIZATION_QEMU = folder.file("qemu");
  Deno.writeTextFileSync(VIRTUALIZATION_QEMU, `#!/bin/sh\n: >'${folder.file("started")}'\n`, { mode: 0o755 });
  return { VIRTUALIZATION_QEMU };
}
