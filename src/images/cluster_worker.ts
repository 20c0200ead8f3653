/** A worker that decompresses batches of clusters. */

/// <reference lib="webworker" />
import type { FromWorker, ToWorker } from "./cluster_batch.ts";
import { decompressParts } from "./decompress_cluster.ts";

const self = globalThis as unknown as DedicatedWorkerGlobalScope;

self.onmessage = ({ data: { input, output, parts } }: MessageEvent<ToWorker>) => {
  const answer: FromWorker = { input, output, broken: decompressParts(parts, input, output) };
  self.postMessage(answer, [input.buffer, output.buffer]);
};
