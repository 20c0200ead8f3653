/** Compressed clusters of qcow2 images, and grains of VMDK ones. */

import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import type { ClusterBatch, Decompressed } from "./cluster_batch.ts";
import { brokenCluster, type CompressedCluster } from "./layer.ts";
import { ZstdFrame } from "./zstd_frame.ts";

/** No frame of zstd needs more memory than this: 8 MiB, which its format asks every decoder to have. */
const ZSTD_WINDOW_LOG = 23;

/** What is to be known of a cluster to decompress it. */
type Packing = Pick<CompressedCluster, "compression" | "size" | "shortest">;

/** A cluster, or a part of one, among others. */
export interface Part extends Packing {
  /** Where it is in the input, and how long it is at the most. */
  at: number;
  atMost: number;
  /** What of it goes into the output, which has the parts one behind the other. */
  skip: number;
  length: number;
}

/**
 * Reads and decompresses a cluster.
 *
 * @throws {ImageError} When it is damaged; so it is, too, when more than a cluster comes out.
 */
export function decompress(cluster: CompressedCluster): Uint8Array {
  const compressed = new Uint8Array(cluster.atMost);
  cluster.file.readWhole(cluster.at, compressed);
  const decompressed = decompressBytes(compressed, cluster);
  if (!decompressed) throw brokenCluster(cluster);
  return decompressed;
}

/** Reads and decompresses a batch. */
export function decompressBatch(batch: ClusterBatch): Decompressed {
  const input = new Uint8Array(batch.inputLength);
  const output = new Uint8Array(batch.length);
  batch.read(input);
  return { batch, output, broken: decompressParts(batch.parts, input, output) };
}

/** Decompresses clusters into an output. @returns Which of them is broken; undefined when none is. */
export function decompressParts(parts: Part[], input: Uint8Array, output: Uint8Array): number | undefined {
  let done = 0;
  let cluster: Uint8Array | undefined;
  for (const [i, part] of parts.entries()) {
    const { at, atMost, skip, length, size } = part;
    if (parts[i - 1]?.at !== at) cluster = decompressBytes(input.subarray(at, at + atMost), part);
    if (!cluster) return i;
    output.set(cluster.subarray(skip, skip + length), done);
    done += length;
    // Freed at once, when it is no part of a buffer that others are in: else V8 lets tens of MiB pile up.
    const isDone = parts[i + 1]?.at !== at;
    if (isDone && cluster.buffer.byteLength === size + 1) (cluster.buffer as ArrayBuffer).transfer(0);
  }
}

/**
 * Decompresses a cluster.
 *
 * @param bytes They may go on behind it.
 * @returns Nothing when it is damaged.
 */
function decompressBytes(
  bytes: Uint8Array,
  { compression, size, shortest = size }: Packing,
): Uint8Array | undefined {
  // With room for a byte more it is done when it has ended; else it is called again, with another buffer.
  const limits = { chunkSize: size + 1, maxOutputLength: size };
  const run = (): Uint8Array => {
    if (compression === "deflate") return inflateRawSync(bytes, limits);
    if (compression === "zlib") return inflateSync(bytes, limits);
    const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
    return zstdDecompressSync(frameOf(bytes), { ...limits, params });
  };
  try {
    const decompressed = run();
    return decompressed.length < shortest ? undefined : decompressed;
  } catch {
    return undefined;
  }
}

/** The frame that bytes begin with. Behind it, in the last sector, the next cluster's may begin; deflate ends by itself. */
function frameOf(bytes: Uint8Array): Uint8Array {
  const frame = new ZstdFrame(bytes[4]);
  frame.follow(bytes, 0);
  if (!frame.isWhole || frame.length > bytes.length) throw new RangeError("the frame is longer");
  return bytes.subarray(0, frame.length);
}
