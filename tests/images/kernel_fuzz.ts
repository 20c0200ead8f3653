/**
 * Opens mutated kernels of one format, and fails at the first that is neither opened right nor refused.
 *
 *   deno run -A tests/images/kernel_fuzz.ts FORMAT COUNT [SEED]
 *
 * Its last line says how many were opened and refused, and the peak of memory in MiB. Formats without a checksum
 * may give other bytes; now and then the distribution's own tool is asked, and must give the same ones.
 */

import { ImageError } from "../../src/images/error.ts";
import { type Arch, openKernel } from "../../src/images/kernel.ts";
import { unifiedKernel } from "../e2e/unified_kernel.ts";
import { Folder, IN_MEMORY } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { concat, HERE, pack, pipe, STUB, u32, zboot } from "./pack.ts";

interface Format {
  make(kernel: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
  arch?: Arch;
  /** Undoes it, for a form that has no checksum. */
  reference?: string[];
  /** It has neither a checksum nor a tool to ask. */
  unchecked?: true;
}

/** An ELF file with two segments: the kernel's first half, and the other one. */
function vmlinux(kernel: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = kernel.length >> 1;
  const u64 = (value: number) => concat(u32(value), u32(0));
  const segment = (offset: number, size: number) =>
    concat(
      u32(1),
      u32(5),
      u64(4096 + offset),
      u64(0),
      u64(0x100000 + offset),
      u64(size),
      u64(size),
      u64(4096),
    );
  const ident = new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 183, 0]);
  const header = concat(ident, u32(1), u64(0), u64(64), u64(0), u32(0), new Uint8Array([64, 0, 56, 0, 2, 0]));
  const head = concat(header, new Uint8Array(64 - header.length), segment(0, half), segment(half, half));
  return concat(head, new Uint8Array(4096 - head.length), kernel);
}

export const FORMATS: Record<string, Format> = {
  gzip: { make: (kernel) => pack("gzip", kernel) },
  zstd: { make: (kernel) => pack("zstd", kernel) },
  xz: { make: (kernel) => pack("xz", kernel) },
  lzma: { make: (kernel) => pack("lzma", kernel), reference: ["lzma", "-dc"] },
  lz4: { make: (kernel) => pack("lz4", kernel) },
  "lz4 legacy": { make: (kernel) => pack("lz4 legacy", kernel), reference: ["lz4", "-dc"] },
  bzip2: { make: (kernel) => pack("bzip2", kernel) },
  zboot: {
    make: async (kernel) => zboot("zstd22", await pack("zstd", kernel), kernel.length),
    arch: "aarch64",
  },
  "unified kernel image": {
    make: async (kernel) =>
      concat(unifiedKernel(Deno.readFileSync(STUB), {
        ".cmdline": new TextEncoder().encode("console=hvc0"),
        ".initrd": kernel,
        ".linux": await pack("zstd", kernel),
      })),
    arch: HERE,
    unchecked: true,
  },
  vmlinux: { make: (kernel) => Promise.resolve(vmlinux(kernel)), arch: "aarch64", unchecked: true },
  bzImage: { make: (kernel) => Promise.resolve(kernel.slice()), unchecked: true },
  Image: { make: (kernel) => Promise.resolve(kernel.slice()), arch: "aarch64", unchecked: true },
};

/** Numbers below a limit, the same ones for the same seed (Marsaglia's xorshift32). */
function random(seed: number): (limit: number) => number {
  let state = seed | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** A kernel of 4 KiB that compresses, but not to nothing. */
function smallKernel(arch: Arch, below: (limit: number) => number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4096).map(() => below(3) === 0 ? below(256) : below(8));
  bytes.set([0, 0]); // no program for EFI
  const put = (offset: number, text: string) => bytes.set(new TextEncoder().encode(text), offset);
  if (arch === "aarch64") put(56, "ARM\x64");
  else {
    put(0x202, "HdrS");
    bytes.set([3, 0, 0, 128, 0, 0, 0], 0x1f1); // 4 sectors, and 128 times 16 bytes
  }
  return bytes;
}

function mutate(bytes: Uint8Array<ArrayBuffer>, below: (limit: number) => number): Uint8Array<ArrayBuffer> {
  let mutated = bytes.slice();
  // Most of a format's rules are in its first bytes.
  const place = () => below(below(2) ? mutated.length : Math.min(mutated.length, 64));
  for (let count = 1 + below(4); count > 0 && mutated.length > 0; count--) {
    const at = place();
    const kind = below(6);
    if (kind === 0) mutated = mutated.slice(0, at);
    else if (kind === 1) mutated = concat(mutated.subarray(0, at), mutated.subarray(at + 1 + below(8)));
    else if (kind === 2) mutated = concat(mutated.subarray(0, at), mutated.subarray(place()));
    else if (kind === 3) mutated[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)];
    else if (kind === 4) mutated[at] = below(256);
    else mutated[at] ^= 1 << below(8);
  }
  return mutated;
}

async function main(name: string, count: number, seed: number): Promise<void> {
  const { make, arch = "x86_64", reference, unchecked } = FORMATS[name];
  const below = random(seed);
  const kernel = smallKernel(arch, below);
  const whole = await make(kernel);
  using folder = new Folder(IN_MEMORY);
  // Nothing is kept, and nothing synced; a file that is overwritten is, by some file systems.
  const made: string[] = [];
  const cache = {
    async file(source: string, kind: string, make: (file: Deno.FsFile) => Promise<void>) {
      const path = `${source}.${kind}`;
      made.push(path);
      using file = Deno.openSync(path, { read: true, write: true, createNew: true });
      await make(file);
      return path;
    },
    forget() {}, // all that was made is removed below
  };
  let [opened, others, refused] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const bytes = i === 0 ? whole : mutate(whole, below);
    const path = folder.file(`${i}`);
    Deno.writeFileSync(path, bytes);
    made.push(path);
    try {
      const found = await openKernel(path, arch, cache);
      opened++;
      const content = Deno.readFileSync(found.kernel);
      if (equalBytes(content, kernel)) continue;
      others++;
      if (unchecked || found.kernel === path) continue; // a mutation can uncover the kernel, which has no checksum
      const asked = reference && (others % 10 > 0 || equalBytes(content, await pipe(reference, bytes)));
      if (!asked) throw new Error("another kernel came out");
    } catch (error) {
      if (i > 0 && error instanceof ImageError) refused++;
      else {
        const copy = Deno.makeTempFileSync({ prefix: "kernel-" });
        Deno.writeFileSync(copy, bytes);
        throw new Error(`${name}, seed ${seed}, file ${i}, kept as ${copy}`, { cause: error });
      }
    } finally {
      made.splice(0).forEach((path) => Deno.removeSync(path));
    }
  }
  const peak = Number(/VmHWM:\s*(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))![1]) / 1024;
  console.log(JSON.stringify({ opened, others, refused, peak: Math.round(peak) }));
}

if (import.meta.main) await main(Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2] ?? 4));
