/** Measures how qcow2 images are made raw: whole processes, vzrun's and qemu-img's, in turn, of the same images. */

import { format } from "@std/fmt/bytes";

const MIB = 2 ** 20;
const SIZE = 4096 * MIB;
/** The disk is text, random bytes, text and a hole, and so on. */
const STRETCH = 8 * MIB;

const KINDS = {
  "plain clusters": [],
  "zlib clusters": ["-c"],
  "zstd clusters": ["-c", "-o", "compression_type=zstd"],
};

async function output(command: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command(command[0], {
    args: command.slice(1),
    stderr: "inherit",
  })
    .output();
  if (!success) throw new Error(`failed: ${command.join(" ")}`);
  return new TextDecoder().decode(stdout);
}

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
async function timed(command: string[], writes: string): Promise<[ms: number, output: string]> {
  await output(["sync"]); // one does not wait for what the other has left to the kernel
  const from = performance.now();
  const printed = await output([...command, writes]);
  const ms = performance.now() - from;
  await Deno.remove(writes);
  return [ms, printed];
}

/**
 * @param build A folder for what is made, 10 GB; what an interrupted run has left there is overwritten.
 * @param convert The command that makes an image raw: the paths of both are to be added.
 */
export async function measureDisks(build: string, convert: string[], runs: number) {
  const [disk, image, raw] = ["disk", "disk.qcow2", "raw"].map((name) => `${build}/${name}`);
  const rows = [];
  try {
    writeDisk(disk);
    for (const [kind, options] of Object.entries(KINDS)) {
      await output(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", ...options, disk, image]);
      const [vzrun, memory, native]: number[][] = [[], [], []];
      for (let i = 0; i < runs; i++) {
        const [ms, peak] = await timed([...convert, image], raw);
        vzrun.push(ms);
        memory.push(Number(peak) / 1024);
        native.push((await timed(["qemu-img", "convert", "-O", "raw", image], raw))[0]);
      }
      rows.push(
        { what: `qcow2 of ${format(SIZE, { binary: true })}, ${kind}`, unit: "ms", vzrun, native },
        { what: "peak memory of that", unit: "MiB", vzrun: memory },
      );
    }
  } finally {
    for (const path of [disk, image, raw]) await Deno.remove(path).catch(() => {});
  }
  return rows;
}
