/**
 * Measures how packed kernels are opened: whole processes, vzrun's and the distribution's tool's, in turn. Both write
 * the kernel to a file and sync that; vzrun also takes a digest of what it reads.
 */

import { format } from "@std/fmt/bytes";

const SIZE = 60 * 2 ** 20;

/** Each tool packs as the kernel's makefiles do. */
const TOOLS = {
  gzip: { pack: "gzip -9n", unpack: "gzip -d" },
  zstd: { pack: "zstd -q -19", unpack: "zstd -q -d" },
  xz: { pack: "xz --check=crc32", unpack: "xz -d" },
};

async function shell(command: string, ...args: string[]): Promise<string> {
  const { success, stdout } = await new Deno.Command("sh", {
    args: ["-ec", command, ...args],
    stderr: "inherit",
  })
    .output();
  if (!success) throw new Error(`failed: ${command}`);
  return new TextDecoder().decode(stdout);
}

/** A kernel as large as large ones are: the guest's, and its modules after it. */
async function pack(guest: string, build: string): Promise<void> {
  const plain = `${build}/kernel`;
  const modules = `${guest}/../packages/${Deno.build.arch}/lib/modules`;
  await shell(
    '{ cat "$0"; find "$1" -name "*.ko" -exec cat {} + 2>/dev/null; } | head -c "$2" >"$3"',
    `${guest}/vmlinuz`,
    modules,
    `${SIZE}`,
    plain,
  );
  for (const [name, { pack }] of Object.entries(TOOLS)) {
    await shell(`[ -s "$1" ] || { ${pack} <"$0" >"$1.new"; mv "$1.new" "$1"; }`, plain, `${plain}.${name}`);
  }
}

/** Milliseconds that a process takes, and what it prints. */
async function timed(run: () => Promise<string>): Promise<[ms: number, output: string]> {
  const from = performance.now();
  const output = await run();
  return [performance.now() - from, output];
}

/**
 * @param guest The folder of a guest.
 * @param build A folder for what is made.
 * @param open The command that opens a kernel: its path and the cache's folder are to be added.
 */
export async function measureKernels(guest: string, build: string, open: string[], runs: number) {
  await pack(guest, build);
  const cache = `${build}/cache`;
  const opening = (path: string) => timed(() => shell('exec "$0" "$@"', ...open, path, cache));
  const plain: number[] = [];
  for (let i = 0; i < runs; i++) plain.push((await opening(`${build}/kernel`))[0]);
  const rows = [];
  for (const [name, { unpack }] of Object.entries(TOOLS)) {
    const [first, memory, second, tool]: number[][] = [[], [], [], []];
    for (let i = 0; i < runs; i++) {
      await Deno.remove(cache, { recursive: true }).catch(() => {});
      const [ms, peak] = await opening(`${build}/kernel.${name}`);
      first.push(ms);
      memory.push(Number(peak) / 1024);
      second.push((await opening(`${build}/kernel.${name}`))[0]);
      tool.push(
        (await timed(() =>
          shell(`${unpack} <"$0" >"$1"; sync "$1"`, `${build}/kernel.${name}`, `${build}/out`)
        ))[0],
      );
    }
    rows.push(
      {
        what: `opening a kernel of ${format(SIZE, { binary: true })} in ${name}`,
        unit: "ms",
        vzrun: first,
        native: tool,
      },
      { what: `peak memory of that`, unit: "MiB", vzrun: memory },
      { what: `opening it again, and a plain one`, unit: "ms", vzrun: second, native: plain },
    );
  }
  return rows;
}
