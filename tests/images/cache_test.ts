import { assert, assertEquals, assertLess, assertMatch, assertRejects } from "@std/assert";
import { cacheFolder } from "../../src/host/cache_folder.ts";
import type { WritableFile } from "../../src/host/new_file.ts";
import { Cache } from "../../src/images/cache.ts";
import { ImageError } from "../../src/images/error.ts";
import { openKernel } from "../../src/images/kernel.ts";
import { ENVIRONMENT, Folder, ROOT, within } from "../e2e/vzrun.ts";
import { equalBytes } from "./bytes.ts";
import { guestKernel, pack } from "./pack.ts";

const MiB = 2 ** 20;

/** The names of what is kept. */
function kept(folder: string): string[] {
  return [...Deno.readDirSync(folder)].filter(({ isFile }) => isFile).map(({ name }) => name).sort();
}

function write(text: string) {
  return (file: WritableFile) => void file.writeSync(new TextEncoder().encode(text));
}

/** How many bytes this process has read so far. */
function bytesRead(): number {
  return Number(/^rchar: (\d+)/.exec(Deno.readTextFileSync("/proc/self/io"))![1]);
}

/** Runs a program that has a cache in a folder: what it prints, and the signal that ended it. */
async function run(
  folder: string,
  body: string,
  shell = 'exec "$0" "$@"',
): Promise<[string, Deno.Signal | null]> {
  const program = `
    import { Cache } from ${JSON.stringify(import.meta.resolve("../../src/images/cache.ts"))};
    import { openKernel } from ${JSON.stringify(import.meta.resolve("../../src/images/kernel.ts"))};
    using cache = new Cache(${JSON.stringify(folder)});
    ${body}`;
  const deno = [Deno.execPath(), "eval", "-q", "--ext=ts", `--config=${ROOT}/deno.json`, program];
  const command = new Deno.Command("sh", { args: ["-c", shell, ...deno], ...ENVIRONMENT, stderr: "inherit" });
  const { stdout, signal } = await within("a program", command.output());
  return [new TextDecoder().decode(stdout).trim(), signal];
}

Deno.test("cache: it is where the system wants it", () => {
  const home = { HOME: "/home/me" };
  assertEquals(cacheFolder("linux", home), "/home/me/.cache/vzrun");
  assertEquals(cacheFolder("linux", { ...home, XDG_CACHE_HOME: "/fast" }), "/fast/vzrun");
  assertEquals(cacheFolder("linux", { ...home, XDG_CACHE_HOME: "relative" }), "/home/me/.cache/vzrun");
  assertEquals(cacheFolder("darwin", { ...home, XDG_CACHE_HOME: "/fast" }), "/home/me/Library/Caches/vzrun");
  assertEquals(cacheFolder("linux", {}), undefined);
});

Deno.test("cache: the same content is made once, whatever its name, and another content anew", async () => {
  using folder = new Folder();
  using cache = new Cache(folder.file("cache"));
  const [a, b, c] = ["a", "b", "c"].map((name) => folder.file(name));
  for (const [path, text] of [[a, "one"], [b, "one"], [c, "two"]]) Deno.writeTextFileSync(path, text);
  const made = await cache.file(a, "copy", write("made of one"));
  assertEquals(await cache.file(b, "copy", () => Promise.reject(new Error("again"))), made);
  const other = await cache.file(c, "copy", write("made of two"));
  assertEquals([made, other].map((path) => Deno.readTextFileSync(path)), ["made of one", "made of two"]);
  assertEquals(await cache.file(a, "part", write("a part")) === made, false);
});

Deno.test("cache: a second start does not read the packed kernel again", async () => {
  using folder = new Folder();
  const path = folder.file("kernel.gz");
  Deno.writeFileSync(path, await pack("gzip", Deno.readFileSync(guestKernel("x86_64"))));
  const { mtime, ctime } = Deno.statSync(path);
  const open = async () => {
    using cache = new Cache(folder.file("cache"));
    const before = bytesRead();
    await openKernel(path, "x86_64", cache);
    return bytesRead() - before;
  };
  // A file that was written just now may be written again without a change of its times: it is not trusted yet.
  const trusted = Math.max(mtime!.getTime(), ctime!.getTime()) + 2001;
  await new Promise((resolve) => setTimeout(resolve, trusted - Date.now()));
  const [first, second] = [await open(), await open()];
  assert(first > 10 * MiB, `${first} bytes`);
  assertLess(second, 100_000);
});

Deno.test("cache: a source that was overwritten at once is not taken for what it was", async () => {
  using folder = new Folder();
  using cache = new Cache(folder.file("cache"));
  const path = folder.file("source");
  const time = new Date(1_000_000_000_000);
  const put = (text: string) => {
    Deno.writeTextFileSync(path, text);
    Deno.utimeSync(path, time, time);
    return String(Deno.statSync(path).ctime);
  };
  const copy = () => cache.file(path, "copy", write(Deno.readTextFileSync(path)));
  for (let same = false; !same;) { // until both fall into one second, which is as fine as Deno tells
    const first = put("first");
    assertEquals(Deno.readTextFileSync(await copy()), "first");
    same = put("other") === first;
    assertEquals(Deno.readTextFileSync(await copy()), "other");
  }
});

Deno.test("cache: what was made of a source that changed meanwhile is not kept", async () => {
  using folder = new Folder();
  using cache = new Cache(folder.file("cache"));
  const path = folder.file("source");
  Deno.writeTextFileSync(path, "first");
  const make = (file: WritableFile) => {
    Deno.writeTextFileSync(path, "another");
    write("made of both")(file);
  };
  await assertRejects(() => cache.file(path, "copy", make), ImageError, "it was changed while it was read");
  assertEquals(kept(folder.file("cache")), []);
});

Deno.test("cache: two processes at once share one making", async () => {
  using folder = new Folder();
  const path = folder.file("kernel.xz");
  Deno.writeFileSync(path, await pack("xz", Deno.readFileSync(guestKernel("x86_64")).subarray(0, 4 * MiB)));
  const body = `
    console.log(await cache.file(${JSON.stringify(path)}, "copy", async (file) => {
      console.log("made");
      await new Promise((resolve) => setTimeout(resolve, 500));
      file.writeSync(new Uint8Array(1000));
    }));`;
  const both = await Promise.all([1, 2].map(() => run(folder.file("cache"), body)));
  const lines = both.map(([output]) => output.split("\n"));
  assertEquals(lines.flat().filter((line) => line === "made").length, 1);
  assertEquals(lines[0].at(-1), lines[1].at(-1));
  assertEquals(Deno.statSync(lines[0].at(-1)!).size, 1000);
});

Deno.test("cache: a kernel that was half unpacked by a killed process is unpacked anew", async () => {
  using folder = new Folder();
  const kernel = Deno.readFileSync(guestKernel("x86_64"));
  const path = folder.file("kernel.bz2");
  Deno.writeFileSync(path, await pack("bzip2", kernel));
  const [, signal] = await run(
    folder.file("cache"),
    `const progress = (done, total) => {
       if (Deno.readDirSync(${
      JSON.stringify(folder.file("cache"))
    }).some(({ name }) => name.endsWith(".partial"))
         && done > total / 2) Deno.kill(Deno.pid, "SIGKILL");
     };
     await openKernel(${JSON.stringify(path)}, "x86_64", cache, { progress });`,
  );
  assertEquals(signal, "SIGKILL");
  const [left] = kept(folder.file("cache"));
  assertMatch(left, /\.bzip2\.partial$/);
  assert(Deno.statSync(`${folder.file("cache")}/${left}`).size > 0);
  using cache = new Cache(folder.file("cache"));
  const opened = await openKernel(path, "x86_64", cache);
  const content = Deno.readFileSync(opened.kernel);
  assert(equalBytes(content, kernel));
  assertEquals(kept(folder.file("cache")).length, 1);
});

Deno.test("cache: a disk without room is told, and nothing is left on it", async () => {
  using folder = new Folder();
  const path = folder.file("kernel.gz");
  Deno.writeFileSync(path, await pack("gzip", Deno.readFileSync(guestKernel("x86_64"))));
  // A limit of 4 MiB a file stands in for a full disk.
  const [output] = await run(
    folder.file("cache"),
    `await openKernel(${
      JSON.stringify(path)
    }, "x86_64", cache).catch((error) => console.log(String(error)));`,
    `trap "" XFSZ; ulimit -f 8192; exec "$0" "$@"`,
  );
  assertEquals(output, `ImageError: it cannot be unpacked into '${folder.file("cache")}': File too large`);
  assertEquals(kept(folder.file("cache")), []);
});

Deno.test("cache: a folder that cannot be there is told", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("source"), "text");
  using cache = new Cache(folder.file("source/cache"));
  const { message } = await assertRejects(
    () => cache.file(folder.file("source"), "copy", write("")),
    ImageError,
  );
  assertMatch(message, /^it cannot be unpacked into '.*\/source\/cache': /);
});

Deno.test("cache: when there is too much, what was not used for longest goes, and never what is in use", async () => {
  using folder = new Folder();
  const limit = 3.5 * MiB;
  const sources = ["a", "b", "c", "d"].map((name) => {
    Deno.writeTextFileSync(folder.file(name), name);
    return folder.file(name);
  });
  const make = (file: WritableFile) => void file.writeSync(new Uint8Array(MiB));
  const paths: string[] = [];
  const age = (path: string, days: number) => {
    const then = new Date(Date.now() - days * 86_400_000);
    Deno.utimeSync(path, then, then);
  };
  const there = () => paths.map((path) => kept(folder.file("cache")).some((name) => path.endsWith(name)));
  using user = new Cache(folder.file("cache"), limit);
  paths.push(await user.file(sources[0], "copy", make)); // the oldest, in use
  for (const source of sources.slice(1, 3)) {
    using cache = new Cache(folder.file("cache"), limit);
    paths.push(await cache.file(source, "copy", make));
  }
  paths.forEach((path, i) => age(path, 9 - i));
  for (const source of [sources[1], sources[3]]) { // b is used again, so c is older when d needs room
    using cache = new Cache(folder.file("cache"), limit);
    const path = await cache.file(source, "copy", make);
    if (source === sources[3]) paths.push(path);
  }
  assertEquals(there(), [true, true, false, true]);
});

Deno.test("cache: a kernel that was damaged there is refused, and unpacked anew the next time", async () => {
  using folder = new Folder();
  using cache = new Cache(folder.file("cache"));
  const path = folder.file("kernel");
  Deno.writeFileSync(path, await pack("gzip", Deno.readFileSync(guestKernel("x86_64"))));
  const { kernel } = await openKernel(path, "x86_64", cache);
  Deno.truncateSync(kernel, 100_000);
  await assertRejects(() => openKernel(path, "x86_64", cache), ImageError, "it ends too early");
  const again = await openKernel(path, "x86_64", cache);
  assertEquals(Deno.statSync(again.kernel).size, Deno.statSync(guestKernel("x86_64")).size);
});
