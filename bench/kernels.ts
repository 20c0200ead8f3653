/**
 * Measures how packed kernels are opened: whole processes, vzrun's without Deno's own start and the distribution's
 * tool's, in turn. Both write the kernel to a file and sync that; vzrun also takes a digest of what it reads.
 */

import { format } from "@std/fmt/bytes";
import { COARSEST_CLOCK } from "../src/images/cache.ts";
import { GUEST, pause } from "../tests/e2e/vzrun.ts";
import { type Bench, beyondStart, output, program, timed } from "./bench.ts";
import { inTurn, type Row } from "./figures.ts";

const SIZE = 60 * 2 ** 20;

/** Each tool packs as the kernel's makefiles do. */
const TOOLS = {
  gzip: { pack: "gzip -9n", unpack: "gzip -d" },
  zstd: { pack: "zstd -q -19", unpack: "zstd -q -d" },
  xz: { pack: "xz --check=crc32", unpack: "xz -d" },
};

const shell = (command: string, ...args: string[]) => output(["sh", "-ec", command, ...args]);

/** A kernel as large as large ones are: the guest's, and its modules after it. */
async function pack(kept: string): Promise<void> {
  const plain = `${kept}/kernel`;
  const modules = `${GUEST}/../packages/${Deno.build.arch}/lib/modules`;
  const make = '{ cat "$0"; find "$1" -name "*.ko" -exec cat {} + 2>/dev/null; } | head -c "$2" >"$3.new"';
  // Those that are packed are kept, as long as it is the same guest's.
  const packed = Object.keys(TOOLS).map((name) => `"$3.${name}"`).join(" ");
  const keep = `cmp -s "$3.new" "$3" || { rm -f ${packed}; mv "$3.new" "$3"; }; rm -f "$3.new"`;
  await shell(`${make}; ${keep}`, `${GUEST}/vmlinuz`, modules, `${SIZE}`, plain);
  await Promise.all(
    Object.entries(TOOLS).map(([name, { pack }]) =>
      shell(`[ -s "$1" ] || { ${pack} <"$0" >"$1.new"; mv "$1.new" "$1"; }`, plain, `${plain}.${name}`)
    ),
  );
  const changed = Object.keys(TOOLS).map((name) => Deno.statSync(`${plain}.${name}`).ctime!.getTime());
  await pause(Math.max(...changed) + COARSEST_CLOCK - Date.now()); // else they are not known the next time
}

/** Milliseconds, and peak memory in MiB. */
async function opening(path: string, cache: string): Promise<[ms: number, memory: number]> {
  const [ms, memory] = await timed(program("open_kernel", path, cache));
  return [ms, Number(memory) / 1024];
}

export async function* measureKernels({ rounds, kept, scratch }: Bench): AsyncGenerator<Row> {
  await pack(kept);
  const cache = `${scratch}/cache`;
  for (const [name, { unpack }] of Object.entries(TOOLS)) {
    const packed = `${kept}/kernel.${name}`;
    const memory: number[] = [];
    const { first, second, plain, tool } = await inTurn(Math.min(rounds, name === "xz" ? 3 : 5), {
      first: () =>
        beyondStart(async () => {
          await Deno.remove(cache, { recursive: true }).catch(() => {});
          const [ms, peak] = await opening(packed, cache);
          memory.push(peak);
          return ms;
        }),
      tool: async () =>
        (await timed(["sh", "-ec", `${unpack} <"$0" >"$1"; sync "$1"`, packed, `${scratch}/out`]))[0],
      second: async () => (await opening(packed, cache))[0],
      plain: async () => (await opening(`${kept}/kernel`, cache))[0],
    });
    const kernel = `a kernel of ${format(SIZE, { binary: true })} in ${name}`;
    yield { what: `opening ${kernel}, beyond Deno's start`, unit: "ms", vzrun: first, native: tool };
    yield { what: "peak memory of that", unit: "MiB", vzrun: memory };
    yield { what: "opening it again, and a plain one", unit: "ms", vzrun: second, native: plain };
  }
}
