/** Compressed clusters of qcow2 images, and grains of VMDK ones. */

import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from "node:zlib";
import { damaged } from "./error.ts";
import type { CompressedCluster } from "./layer.ts";
import { ZstdFrame } from "./zstd_frame.ts";

/** No frame of zstd needs more memory than this: 8 MiB, which its format asks every decoder to have. */
const ZSTD_WINDOW_LOG = 23;

/**
 * Reads and decompresses a cluster.
 *
 * @throws {ImageError} When it is damaged; so it is, too, when more than a cluster comes out.
 */
export function decompress(cluster: CompressedCluster): Uint8Array {
  const { file, at, atMost, size, shortest = size, compression } = cluster;
  const compressed = new Uint8Array(atMost);
  file.readWhole(at, compressed);
  const decompressed = decompressBytes(compressed, compression, size);
  if (!decompressed || decompressed.length < shortest) {
    throw damaged(`the compressed cluster at byte ${at} of '${file.path}' is broken`);
  }
  return decompressed;
}

function decompressBytes(
  bytes: Uint8Array,
  compression: CompressedCluster["compression"],
  size: number,
): Uint8Array | undefined {
  // With room for a byte more it is done when it has ended; else it is called again, with another buffer.
  const limits = { chunkSize: size + 1, maxOutputLength: size };
  try {
    if (compression === "deflate") return inflateRawSync(bytes, limits);
    if (compression === "zlib") return inflateSync(bytes, limits);
    const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
    return zstdDecompressSync(frameOf(bytes), { ...limits, params });
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
