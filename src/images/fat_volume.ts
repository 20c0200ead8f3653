/**
 * FAT32 volumes: where everything lies on one. All that is on it is known before, so each file lies in one piece. There is no FAT12 and FAT16: a volume that is too small for FAT32 is made larger, which in a sparse file costs
 * nothing, and firmware reads FAT32 in any case.
 *
 * Source: Microsoft's FAT specification of 2000 (fatgen103). Numbers are little-endian.
 *
 * | sectors        | what                                                                      |
 * | -------------- | ------------------------------------------------------------------------- |
 * | 0              | boot sector                                                               |
 * | 1              | FSInfo: how much is free                                                  |
 * | 6, 7           | copies of both                                                            |
 * | 32 …           | FAT: of each cluster the next one of its file                             |
 * | then           | the same FAT again                                                        |
 * | then           | clusters, from number 2 on: directories and files                         |
 */

import { ImageError } from "./error.ts";
import { entriesOf, ENTRY, shortNames } from "./fat_names.ts";

/** A file on a volume. */
export interface FatFile {
  name: string;
  modified: Date;
  /** In bytes. */
  size: number;
  /** Reads the file; throws when it has not that size, or cannot be read. */
  read(): Iterable<Uint8Array>;
}

/** A folder on a volume. */
export interface FatFolder {
  name: string;
  modified: Date;
  /** Names that FAT can have, each once: see {@linkcode nameProblem} and {@linkcode foldCase}. */
  entries: (FatFile | FatFolder)[];
}

const KiB = 1024;
const GiB = 2 ** 30;
/** Bytes of a sector. */
export const SECTOR = 512;

/** Sectors before the first FAT. */
export const RESERVED = 32;

/** The largest volume, and the largest file. */
export const LARGEST_VOLUME = 32 * GiB;
export const LARGEST_FILE = 4 * GiB - 1;

/** The most entries in a directory: 2 MiB of them. */
const MOST_ENTRIES = 65536;

/** With fewer clusters a volume is FAT16; 16 more, since some programs count wrongly. */
const LEAST_CLUSTERS = 65525 + 16;

/** The specification's table: bytes of a cluster, for volumes up to a size. */
const CLUSTERS = [[512, 260 * KiB * KiB], [4 * KiB, 8 * GiB], [8 * KiB, 16 * GiB], [16 * KiB, 32 * GiB]];

/** A file or a folder, and where it lies. */
export interface FatNode {
  name: string;
  /** As its entry has it. */
  short: string;
  modified: Date;
  /** Of a folder those of its directory. */
  size: number;
  /** Of its first cluster; 0 for an empty file. */
  cluster: number;
  file?: FatFile;
  children: FatNode[];
  parent?: FatNode;
}

/** A volume of which everything is known but what is in its files. */
export interface FatPlan {
  /** Of the volume, in bytes. */
  size: number;
  label: string;
  /** In the order of their clusters; the first is the root. */
  nodes: FatNode[];
  clusterSize: number;
  clusters: number;
  used: number;
  /** Sectors of a FAT. */
  tableSectors: number;
}

/**
 * Where everything lies on a volume.
 *
 * @throws {ImageError} When it would be too large for FAT.
 */
export function planVolume(root: FatFolder, label: string): FatPlan {
  const nodes = flatten(root);
  for (const [clusterSize, largest] of CLUSTERS) {
    const used = nodes.reduce((sum, { size }) => sum + Math.ceil(size / clusterSize), 0);
    // Whole blocks of 4 KiB, so that clusters are where blocks of the host's are.
    const clusters = roundUp(Math.max(used, LEAST_CLUSTERS), 8);
    const tableSectors = roundUp(Math.ceil((clusters + 2) * 4 / SECTOR), 4);
    const size = (RESERVED + 2 * tableSectors) * SECTOR + clusters * clusterSize;
    if (size > largest) continue;
    let next = 2;
    for (const node of nodes) {
      if (node.size > 0) node.cluster = next;
      next += Math.ceil(node.size / clusterSize);
    }
    return { size, label, nodes, clusterSize, clusters, used, tableSectors };
  }
  throw new ImageError("it has more than a FAT volume of 32 GiB can hold");
}

function roundUp(number: number, unit: number): number {
  return Math.ceil(number / unit) * unit;
}

/** The root and all that is below it, each folder before what is in it. */
function flatten(root: FatFolder): FatNode[] {
  const nodes: FatNode[] = [];
  const add = (entry: FatFile | FatFolder, short: string, parent?: FatNode): FatNode => {
    const { name, modified } = entry;
    const node: FatNode = {
      name,
      short,
      modified,
      size: 0,
      cluster: 0,
      children: [],
      ...parent && { parent },
    };
    nodes.push(node);
    if ("read" in entry) {
      node.size = entry.size;
      node.file = entry;
      return node;
    }
    const shorts = shortNames(entry.entries.map(({ name }) => name));
    node.children = entry.entries.map((child, i) => add(child, shorts[i], node));
    const own = parent ? 2 : 1; // `.` and `..`, or the label
    const entries = node.children.reduce((sum, { name, short }) => sum + entriesOf(name, short), own);
    if (entries > MOST_ENTRIES) {
      throw new ImageError(`folder '${name}' has more names than a folder on FAT can have`);
    }
    node.size = entries * ENTRY;
    return node;
  };
  add(root, "");
  return nodes;
}
