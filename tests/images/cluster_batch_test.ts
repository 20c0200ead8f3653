import { assert, assertEquals } from "@std/assert";
import { BATCH, ClusterBatch } from "../../src/images/cluster_batch.ts";
import { ImageFile } from "../../src/images/image_file.ts";
import type { CompressedRun } from "../../src/images/layer.ts";
import { Folder } from "../e2e/vzrun.ts";

const KIB = 1024;

/** Runs of a cluster of 64 KiB at a place of a file. */
function runOf(file: ImageFile, at: number, skip = 0, length = 64 * KIB): CompressedRun {
  const cluster = { file, at, atLeast: 1, atMost: 512, compression: "deflate", size: 64 * KIB } as const;
  return { kind: "compressed", cluster, skip, length };
}

/** How many of the runs are in a first batch. */
function taken(runs: CompressedRun[]): { count: number; batch: ClusterBatch } {
  const batch = new ClusterBatch();
  let count = 0;
  for (const run of runs) {
    if (batch.isFullFor(run)) break;
    batch.add(64 * KIB * count++, run);
  }
  return { count, batch };
}

Deno.test("cluster batch: it ends also when tables name the same cluster again and again", () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("image"), new Uint8Array(4096));
  using file = new ImageFile(folder.file("image"));
  const same = taken(Array.from({ length: 10_000 }, () => runOf(file, 512)));
  const others = taken(Array.from({ length: 10_000 }, (_, i) => runOf(file, 512 * i)));
  for (const { batch } of [same, others]) assertEquals(batch.length, BATCH);
  assertEquals(same.batch.inputLength, 512);
});

Deno.test("cluster batch: what follows in one cluster stays in one batch, so that it is decompressed once", () => {
  using folder = new Folder();
  Deno.writeFileSync(folder.file("image"), new Uint8Array(4096));
  using file = new ImageFile(folder.file("image"));
  const before = Array.from({ length: BATCH / (64 * KIB) - 1 }, (_, i) => runOf(file, 1024 + 512 * i));
  const parts = Array.from({ length: 64 }, (_, i) => runOf(file, 512, i * KIB, KIB));
  const { count, batch } = taken([...before, ...parts, runOf(file, 512)]);
  assertEquals(count, before.length + parts.length);
  assert(batch.length <= BATCH);
});
