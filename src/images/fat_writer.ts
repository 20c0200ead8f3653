/** Writes FAT32 volumes, from the first byte to the last. Source: fatgen103, as for fat_volume.ts. */

import { Buffer } from "node:buffer";
import { nextTurn } from "../host/event_loop.ts";
import { ImageError } from "./error.ts";
import { ENTRY, longEntries } from "./fat_names.ts";
import { type FatNode, type FatPlan, RESERVED, SECTOR } from "./fat_volume.ts";
import type { Work } from "./progress.ts";
import { writeSparse } from "./holes.ts";

/** What is written at a time. */
const WINDOW = 1024 * 1024;

/** How long the event loop waits for its turn, in ms. */
const TURN = 50;

const END_OF_CHAIN = 0x0fffffff;

/**
 * Writes a volume into an empty file. What is zero takes no room in it.
 *
 * @throws {ImageError} When a file is not what it was when the volume was planned.
 * @throws Whatever ends `work`, and the errors of reading and writing.
 */
export async function writeVolume(plan: FatPlan, into: Deno.FsFile, work: Work = {}): Promise<void> {
  into.truncateSync(plan.size);
  const writer = new Writer(into, plan.size, work);
  const boot = bootSector(plan);
  const info = infoSector(plan);
  for (const [sector, bytes] of [[0, boot], [1, info], [6, boot], [7, info]] as const) {
    await writer.write(sector * SECTOR, bytes);
  }
  for (const copy of [0, 1]) {
    await writeTable(plan, (RESERVED + copy * plan.tableSectors) * SECTOR, writer);
  }
  const data = (RESERVED + 2 * plan.tableSectors) * SECTOR;
  for (const { name, size, cluster, file, ...folder } of plan.nodes) {
    let at = data + (cluster - 2) * plan.clusterSize;
    if (!file) {
      await writer.write(at, directory({ name, size, cluster, ...folder }, plan.label));
      continue;
    }
    const end = at + size;
    for (const bytes of file.read()) {
      if (at + bytes.length > end) throw new ImageError(`'${name}' has grown while it was read`);
      await writer.write(at, bytes);
      at += bytes.length;
    }
    if (at < end && size > 0) throw new ImageError(`'${name}' has shrunk while it was read`);
  }
  writer.flush();
  work.progress?.(plan.size, plan.size);
}

/** Writes stretches of a file one behind the other, many at once. */
class Writer {
  readonly #bytes = Buffer.alloc(WINDOW);
  /** Where the window begins in the file, and how much is in it. */
  #base = 0;
  #length = 0;
  #turn = performance.now();

  constructor(readonly file: Deno.FsFile, readonly size: number, readonly work: Work) {}

  /** Between this and what was written before are zeros. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const at = offset + done;
      if (at >= this.#base + WINDOW) {
        this.flush();
        this.#base = at - at % WINDOW;
      }
      const place = at - this.#base;
      const part = bytes.subarray(done, done + WINDOW - place);
      this.#bytes.fill(0, this.#length, place);
      this.#bytes.set(part, place);
      this.#length = place + part.length;
      done += part.length;
    }
    if (performance.now() - this.#turn > TURN) await this.#rest(offset);
  }

  flush(): void {
    writeSparse(this.file, this.#base, this.#bytes.subarray(0, this.#length));
    this.#length = 0;
  }

  async #rest(done: number): Promise<void> {
    this.work.progress?.(done, this.size);
    await nextTurn();
    this.work.signal?.throwIfAborted();
    this.#turn = performance.now();
  }
}

/**
 * The boot sector. What it has of disks with cylinders nobody asks for any more.
 *
 * | offset | bytes | what                                     | here                 |
 * | ------ | ----- | ---------------------------------------- | -------------------- |
 * | 0      | 3     | a jump to code                           | to what comes behind |
 * | 3      | 8     | the name of what has made it             |                      |
 * | 11     | 2     | bytes of a sector                        | 512                  |
 * | 13     | 1     | sectors of a cluster                     |                      |
 * | 14     | 2     | sectors before the first FAT             | 32                   |
 * | 16     | 1     | number of FATs                           | 2                    |
 * | 17     | 2     | entries of the root, not on FAT32        | 0                    |
 * | 19     | 2     | number of sectors, not on FAT32          | 0                    |
 * | 21     | 1     | kind of disk, as the first byte of a FAT | 0xf8                 |
 * | 22     | 2     | sectors of a FAT, not on FAT32           | 0                    |
 * | 24     | 2, 2  | sectors of a track, heads                | 63, 255              |
 * | 28     | 4     | sectors before the volume                | 0                    |
 * | 32     | 4     | number of sectors                        |                      |
 * | 36     | 4     | sectors of a FAT                         |                      |
 * | 40     | 2, 2  | flags, version                           | 0, 0                 |
 * | 44     | 4     | first cluster of the root                | 2                    |
 * | 48     | 2, 2  | sectors of FSInfo and the copies         | 1, 6                 |
 * | 64     | 1     | number of the disk for the BIOS          | 0x80                 |
 * | 66     | 1     | what follows is there                    | 0x29                 |
 * | 67     | 4     | serial number                            |                      |
 * | 71     | 11    | label                                    |                      |
 * | 82     | 8     | `FAT32   `                               |                      |
 * | 510    | 2     | mark                                     | 0xaa55               |
 */
function bootSector({ size, label, nodes, clusterSize, tableSectors }: FatPlan): Uint8Array {
  const bytes = Buffer.alloc(SECTOR);
  bytes.set([0xeb, 0x58, 0x90]);
  bytes.write("vzrun   ", 3, "latin1");
  bytes.writeUInt16LE(SECTOR, 11);
  bytes[13] = clusterSize / SECTOR;
  bytes.writeUInt16LE(RESERVED, 14);
  bytes[16] = 2;
  bytes[21] = 0xf8;
  bytes.writeUInt16LE(63, 24);
  bytes.writeUInt16LE(255, 26);
  bytes.writeUInt32LE(size / SECTOR, 32);
  bytes.writeUInt32LE(tableSectors, 36);
  bytes.writeUInt32LE(nodes[0].cluster, 44);
  bytes.writeUInt16LE(1, 48);
  bytes.writeUInt16LE(6, 50);
  bytes[64] = 0x80;
  bytes[66] = 0x29;
  bytes.writeUInt32LE(serialNumber(nodes), 67);
  bytes.write(label.padEnd(11), 71, "latin1");
  bytes.write("FAT32   ", 82, "latin1");
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}

/** The same for the same names, sizes and times, so that disks in /dev/disk/by-uuid have other ones (FNV-1a). */
function serialNumber(nodes: readonly FatNode[]): number {
  let hash = 0x811c9dc5;
  for (const { name, size, modified } of nodes) {
    for (const letter of `${name}/${size}/${modified.getTime()}/`) {
      hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193);
    }
  }
  return hash >>> 0;
}

/** FSInfo: marks, how many clusters are free, and where to look for one. */
function infoSector({ clusters, used }: FatPlan): Uint8Array {
  const bytes = Buffer.alloc(SECTOR);
  bytes.writeUInt32LE(0x41615252, 0);
  bytes.writeUInt32LE(0x61417272, 484);
  bytes.writeUInt32LE(clusters - used, 488);
  bytes.writeUInt32LE(clusters > used ? used + 2 : 0xffffffff, 492);
  bytes.writeUInt32LE(0xaa550000, 508);
  return bytes;
}

/** The FAT: two entries that are of no cluster, then the number of the next cluster of a file, or the end of it. */
async function writeTable({ nodes, clusterSize }: FatPlan, at: number, writer: Writer): Promise<void> {
  const part = new Uint32Array(WINDOW / 4);
  let length = 0;
  const flush = async () => {
    await writer.write(at, new Uint8Array(part.buffer, 0, length * 4));
    at += length * 4;
    length = 0;
  };
  part[length++] = 0x0ffffff8;
  part[length++] = END_OF_CHAIN; // it was unmounted, and no error was met
  for (const { cluster, size } of nodes) {
    const end = cluster + Math.ceil(size / clusterSize);
    for (let next = cluster + 1; next <= end; next++) {
      part[length++] = next === end ? END_OF_CHAIN : next;
      if (length === part.length) await flush();
    }
  }
  await flush();
}

function directory(folder: FatNode, label: string): Uint8Array {
  const bytes = Buffer.alloc(folder.size);
  let at = 0;
  const add = (entry: Uint8Array) => {
    bytes.set(entry, at);
    at += entry.length;
  };
  if (folder.parent) {
    add(entry({ ...folder, short: ".".padEnd(11) }));
    const { parent } = folder;
    add(entry({ ...parent, short: "..".padEnd(11), cluster: parent.parent ? parent.cluster : 0 }));
  } else {
    add(entry({ ...folder, short: label.padEnd(11), cluster: 0 }, 0x08));
  }
  for (const child of folder.children) {
    add(longEntries(child.name, child.short));
    add(entry(child));
  }
  return bytes;
}

/**
 * The entry of a file or a folder.
 *
 * | offset | bytes | what                                            |
 * | ------ | ----- | ----------------------------------------------- |
 * | 0      | 11    | short name, or the label                        |
 * | 11     | 1     | attributes: 0x08 label, 0x10 folder, 0x20 file  |
 * | 13     | 1     | when it was made: hundredths of a second        |
 * | 14     | 2, 2  | the time and the date                           |
 * | 18     | 2     | the day on which it was last read               |
 * | 20     | 2     | first cluster: the higher half                  |
 * | 22     | 2, 2  | when it was written                             |
 * | 26     | 2     | first cluster: the lower half                   |
 * | 28     | 4     | size; 0 for folders                             |
 */
function entry(
  { short, modified, size, cluster, file }: FatNode,
  attributes = file ? 0x20 : 0x10,
): Uint8Array {
  const bytes = Buffer.alloc(ENTRY);
  const { date, time, hundredths } = timestamp(modified);
  bytes.write(short, 0, "latin1");
  bytes[11] = attributes;
  bytes[13] = hundredths;
  bytes.writeUInt16LE(time, 14);
  bytes.writeUInt16LE(date, 16);
  bytes.writeUInt16LE(date, 18);
  bytes.writeUInt16LE(cluster >>> 16, 20);
  bytes.writeUInt16LE(time, 22);
  bytes.writeUInt16LE(date, 24);
  bytes.writeUInt16LE(cluster & 0xffff, 26);
  bytes.writeUInt32LE(file ? size : 0, 28);
  return bytes;
}

const EARLIEST = Date.UTC(1980, 0, 1);
const LATEST = Date.UTC(2107, 11, 31, 23, 59, 58);

/** FAT has local time, of 1980 to 2107; here it is UTC, for which Linux takes it when nobody has told it of another. */
function timestamp(when: Date): { date: number; time: number; hundredths: number } {
  const at = new Date(Math.min(Math.max(when.getTime(), EARLIEST), LATEST));
  const date = at.getUTCFullYear() - 1980 << 9 | at.getUTCMonth() + 1 << 5 | at.getUTCDate();
  const seconds = at.getUTCSeconds();
  const time = at.getUTCHours() << 11 | at.getUTCMinutes() << 5 | seconds >> 1;
  return { date, time, hundredths: seconds % 2 * 100 + Math.floor(at.getUTCMilliseconds() / 10) };
}
