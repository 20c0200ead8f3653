/**
 * Measures how qcow2 images are made raw: whole processes, vzrun's without Deno's own start and qemu-img's, in turn, of
 * the same images. Both wait until the raw image is on the disk.
 */

import { format } from "@std/fmt/bytes";
import { type Bench, beyondStart, output, program, timed } from "./bench.ts";
import { inTurn, type Row } from "./figures.ts";

const MIB = 2 ** 20;
const SIZE = 1024 * MIB;
/** The disk is text, random bytes, text and a hole, and so on. */
const STRETCH = 8 * MIB;

const KINDS = {
  "plain clusters": [],
  "zlib clusters": ["-c"],
  "zstd clusters": ["-c", "-o", "compression_type=zstd"],
};

const CONVERT = 'qemu-img convert -O raw "$0" "$1"; sync "$1"';

/** Words of a text in random order, which compress as text does. */
function text(words: string[]): Uint8Array {
  const picked: string[] = [];
  for (let length = 0; length < STRETCH; length += picked.at(-1)!.length + 1) {
    picked.push(words[Math.floor(Math.random() * words.length)]);
  }
  return new TextEncoder().encode(picked.join(" ")).subarray(0, STRETCH);
}

function randomBytes(): Uint8Array {
  const bytes = new Uint8Array(STRETCH);
  for (let at = 0; at < STRETCH; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

function writeDisk(path: string): void {
  const words = Deno.readTextFileSync(new URL("../README.md", import.meta.url)).split(/\s+/);
  const stretches = [text(words), randomBytes(), text(words)];
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  file.truncateSync(SIZE);
  for (let i = 0; i * STRETCH < SIZE; i++) {
    if (i % 4 === 3) continue;
    file.seekSync(i * STRETCH, Deno.SeekMode.Start);
    file.writeSync(stretches[i % 4]);
  }
}

/** Milliseconds that a command takes, and what it prints; what it writes is gone afterwards. */
async function writing(command: string[], writes: string): Promise<[ms: number, output: string]> {
  await output(["sync"]); // one does not wait for what the other has left to the kernel
  const measured = await timed([...command, writes]);
  await Deno.remove(writes);
  return measured;
}

export async function* measureDisks({ rounds, scratch }: Bench): AsyncGenerator<Row> {
  const [disk, image, raw] = ["disk", "disk.qcow2", "raw"].map((name) => `${scratch}/${name}`);
  writeDisk(disk);
  for (const [kind, options] of Object.entries(KINDS)) {
    await output(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", ...options, disk, image]);
    const memory: number[] = [];
    const times = await inTurn(Math.min(rounds, 3), {
      vzrun: () =>
        beyondStart(async () => {
          const [ms, peak] = await writing(program("convert_disk", image), raw);
          memory.push(Number(peak) / 1024);
          return ms;
        }),
      native: async () => (await writing(["sh", "-ec", CONVERT, image], raw))[0],
    });
    const size = format(SIZE, { binary: true });
    yield { what: `qcow2 of ${size}, ${kind}, beyond Deno's start`, unit: "ms", ...times };
    yield { what: "peak memory of that", unit: "MiB", vzrun: memory };
  }
}
