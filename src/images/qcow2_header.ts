/** The header of a qcow2 image. Source: QEMU's docs/interop/qcow2.txt. */

import { printable } from "../host/printable.ts";
import { checkDiskSize } from "./disk_size.ts";
import { damaged, ImageError } from "./error.ts";

/** What a header says of an image that can be read. */
export interface Qcow2Header {
  version: 2 | 3;
  /** Of the disk, in bytes. */
  size: number;
  clusterSize: number;
  /** How the clusters that are compressed are compressed. */
  compression: "deflate" | "zstd";
  /** Whether a 32nd of a cluster can be there without the rest (`extended_l2`). */
  subclusters: boolean;
  l1Offset: number;
  l1Entries: number;
  backing?: { name: string; format?: string };
}

/** The longest header: the first cluster of an image with the largest clusters. */
export const QCOW2_HEAD = 2 * 1024 * 1024;

/** As in QEMU. */
const MAX_L1_SIZE = 32 * 1024 * 1024;

const EXTENSIONS = { backingFormat: 0xe2792aca, featureNames: 0x6803f857, dataFile: 0x44415441 };

/** Bits of the incompatible features. */
const FEATURES = { dirty: 0, corrupt: 1, dataFile: 2, compressionType: 3, extendedL2: 4 };

/** Bits that a writer clears that does not know them. */
const AUTOCLEAR = { rawDataFile: 2 };

/** An unsigned number of 64 bits; above 2^53 it is a near one. */
function readU64(view: DataView, offset: number): number {
  return view.getUint32(offset) * 2 ** 32 + view.getUint32(offset + 4);
}

/**
 * Reads and checks a header.
 *
 * @param head The file's first {@linkcode QCOW2_HEAD} bytes, or all of a shorter file.
 * @throws {ImageError} When the image is damaged, or has what cannot be read here.
 */
export function readQcow2Header(head: Uint8Array, fileSize: number): Qcow2Header {
  if (new TextDecoder("latin1").decode(head.subarray(0, 4)) !== "QFI\xfb") {
    throw new ImageError("it is not a qcow2 image");
  }
  if (head.length < 512) throw damaged("it ends within its header");
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const version = view.getUint32(4);
  if (version !== 2 && version !== 3) {
    throw new ImageError(`it is a qcow image of version ${version}, only 2 and 3 can be read`);
  }
  const clusterBits = view.getUint32(20);
  if (clusterBits < 9 || clusterBits > 21) throw damaged(`its clusters have 2^${clusterBits} bytes`);
  const clusterSize = 2 ** clusterBits;
  const cluster = new DataView(head.buffer, head.byteOffset, Math.min(clusterSize, head.length));
  const extensions = readExtensions(cluster, version);
  const features = readFeatures(cluster, version, extensions);
  const header: Qcow2Header = {
    version,
    size: readU64(view, 24),
    clusterSize,
    compression: readCompression(view, version, features.has(FEATURES.compressionType)),
    subclusters: features.has(FEATURES.extendedL2),
    l1Offset: readU64(view, 40),
    l1Entries: view.getUint32(36),
    backing: readBacking(cluster, extensions.get(EXTENSIONS.backingFormat)),
  };
  if (view.getUint32(32) !== 0) {
    throw new ImageError("it is encrypted: decrypt it first (qemu-img convert -O qcow2)");
  }
  checkSizes(header, fileSize);
  return header;
}

function checkSizes(header: Qcow2Header, fileSize: number): void {
  const { size, clusterSize, l1Offset, l1Entries, subclusters } = header;
  checkDiskSize(size);
  if (subclusters && clusterSize < 16384) throw damaged("its clusters are too small for subclusters");
  const needed = Math.ceil(size / (clusterSize * clusterSize / (subclusters ? 16 : 8)));
  if (l1Entries < needed) throw damaged("its L1 table is too small for its disk");
  if (l1Entries * 8 > MAX_L1_SIZE) throw damaged("its L1 table is larger than 32 MiB");
  if (l1Offset % clusterSize !== 0) throw damaged("its L1 table lies across clusters");
  if (l1Offset + l1Entries * 8 > fileSize) throw damaged("its L1 table lies outside the file");
}

/** The header's own length: its extensions begin there. */
function headerLength(cluster: DataView, version: 2 | 3): number {
  if (version === 2) return 72;
  const length = cluster.getUint32(100);
  if (length < 104 || length % 8 !== 0 || length > cluster.byteLength) {
    throw damaged(`its header is said to have ${length} bytes`);
  }
  return length;
}

/** Type and data. They end at the one of type zero, at the backing file's name, or with the cluster. */
function readExtensions(cluster: DataView, version: 2 | 3): Map<number, DataView> {
  const extensions = new Map<number, DataView>();
  const end = Math.min(readU64(cluster, 8) || Infinity, cluster.byteLength);
  for (let at = headerLength(cluster, version); at + 8 <= end;) {
    const [type, length] = [cluster.getUint32(at), cluster.getUint32(at + 4)];
    if (type === 0) break;
    if (at + 8 + length > end) throw damaged("an extension of its header is too long");
    extensions.set(type, new DataView(cluster.buffer, cluster.byteOffset + at + 8, length));
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return extensions;
}

/** The bits of the incompatible features, all of which must be known to whoever reads the image. */
function readFeatures(cluster: DataView, version: 2 | 3, extensions: Map<number, DataView>): Set<number> {
  const features = new Set<number>();
  if (version === 2) return features;
  for (let bit = 0; bit < 64; bit++) {
    const word = cluster.getUint32(bit < 32 ? 76 : 72);
    if ((word >>> (bit % 32)) & 1) features.add(bit);
  }
  if (features.has(FEATURES.corrupt)) {
    throw new ImageError("it is marked as corrupt: repair it first (qemu-img check -r all)");
  }
  if (features.has(FEATURES.dirty)) {
    throw new ImageError(
      "it is in use, or its last writer was killed: if so, repair it first (qemu-img check -r all)",
    );
  }
  if (features.has(FEATURES.dataFile)) {
    throw ofDataFile(cluster, extensions.get(EXTENSIONS.dataFile));
  }
  const known = new Set(Object.values(FEATURES));
  const unknown = [...features].filter((bit) => !known.has(bit));
  if (unknown.length > 0) {
    const list = unknown.map((bit) => featureName(bit, extensions.get(EXTENSIONS.featureNames))).join(", ");
    throw new ImageError(`it needs a feature that is not known here: ${list}`);
  }
  return features;
}

/** Why an image cannot be used whose data is in another file; a bit may say that this is the disk as it is. */
function ofDataFile(cluster: DataView, name?: DataView): ImageError {
  const file = name ? ` '${printable(text(name, 0, name.byteLength))}'` : "";
  const isRaw = (cluster.getUint32(92) & AUTOCLEAR.rawDataFile) !== 0;
  const remedy = isRaw && name
    ? ", which is a raw image: use that"
    : ": copy it first (qemu-img convert -O qcow2)";
  return new ImageError(`its data is in another file${file} (data_file)${remedy}`);
}

/** What the image itself calls an incompatible feature, for those who do not know it. */
function featureName(bit: number, names?: DataView): string {
  for (let at = 0; names && at + 48 <= names.byteLength; at += 48) {
    if (names.getUint8(at) === 0 && names.getUint8(at + 1) === bit) {
      return printable(text(names, at + 2, 46).replace(/\0.*/s, ""));
    }
  }
  return `bit ${bit}`;
}

function readCompression(view: DataView, version: 2 | 3, other: boolean): "deflate" | "zstd" {
  const type = version === 3 && view.getUint32(100) > 104 ? view.getUint8(104) : 0;
  if (other !== (type !== 0)) throw damaged("its compression is told in two ways");
  if (type > 1) throw new ImageError(`its compression, number ${type}, is not known here`);
  return type === 1 ? "zstd" : "deflate";
}

function readBacking(cluster: DataView, format?: DataView): Qcow2Header["backing"] {
  const [offset, length] = [readU64(cluster, 8), cluster.getUint32(16)];
  if (offset === 0) return undefined;
  if (length > 1023 || offset + length > cluster.byteLength) {
    throw damaged("the name of its backing file lies outside the header");
  }
  if (length === 0) return undefined;
  return {
    name: text(cluster, offset, length),
    format: format && text(format, 0, format.byteLength),
  };
}

function text(view: DataView, offset: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + offset, length));
}
