// A folder as a FAT volume: dosfstools, mtools and blkid find on it what is in the folder.

import { createHash } from "node:crypto";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { readFolder } from "../../src/images/fat_folder.ts";
import { foldCase, labelProblem, nameProblem, shortNames } from "../../src/images/fat_names.ts";
import { type FatFile, type FatFolder, LARGEST_FILE, planVolume } from "../../src/images/fat_volume.ts";
import { writeVolume } from "../../src/images/fat_writer.ts";
import { ImageError } from "../../src/images/error.ts";
import { Folder } from "../e2e/vzrun.ts";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

async function run(program: string, ...args: string[]): Promise<{ code: number; out: string }> {
  const env = { LC_ALL: "C.UTF-8", TZ: "UTC" };
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  return { code, out: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

async function write(root: FatFolder, path: string, label = "VZRUN"): Promise<void> {
  using file = Deno.openSync(path, { write: true, createNew: true });
  await writeVolume(planVolume(root, label), file);
}

/** Fails when dosfstools find anything wrong. */
async function checkVolume(volume: string): Promise<string> {
  const { code, out } = await run("/sbin/fsck.vfat", "-n", "-v", volume);
  assertEquals(code, 0, out);
  assert(!/wrong|differ|dirty|invalid|bad/i.test(out), out);
  return out;
}

/** All files and folders below a path, with times to 2 s and digests of what is in them. */
function contentsOf(path: string, name = ""): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of Deno.readDirSync(path)) {
    const below = `${path}/${entry.name}`;
    const info = Deno.statSync(below);
    const shown = `${name}/${entry.name}`;
    if (info.isDirectory) Object.assign(found, { [`${shown}/`]: "" }, contentsOf(below, shown));
    else {found[shown] = `${Math.floor(info.mtime!.getTime() / 2000)} ${
        createHash("sha256").update(Deno.readFileSync(below)).digest("hex")
      }`;}
  }
  return found;
}

/** Names that are kept as they are, whatever short ones stand in for them. Letters of two units mtools do not read: a guest does. */
const NAMES = [
  "A",
  "README.TXT",
  "readme.md",
  "Mixed.Case",
  "user-data",
  "name with  spaces.text",
  " leading space",
  ".hidden",
  "..two dots",
  "a.b.c.d",
  "longprefix one.txt",
  "longprefix two.txt",
  "LONGPR~1.TXT",
  "no_extension_at_all",
  "extension.of many letters",
  "plus+comma,semicolon;equals=[brackets]",
  "ünïcödé.txt",
  "日本語のファイル.txt",
  "exactly 13 un",
  "exactly twenty-six units..x",
  "x".repeat(255),
];

Deno.test("every name that a folder can have is found again, with its content and its time", async () => {
  using folder = new Folder();
  const [source, volume, copy] = ["source", "volume", "copy"].map((name) => folder.file(name));
  Deno.mkdirSync(`${source}/sub folder/deeper/Empty`, { recursive: true });
  for (const [i, name] of NAMES.entries()) {
    const path = `${source}/${i % 3 === 0 ? "" : "sub folder/"}${name}`;
    Deno.writeTextFileSync(path, `${name}\n`.repeat(i * 50)); // the first is empty
    const time = new Date(Date.UTC(1980 + i * 5, i % 12, 1 + i, i, 2 * i, 2 * i + 1));
    Deno.utimeSync(path, time, time);
  }
  Deno.writeFileSync(`${source}/sub folder/deeper/random`, crypto.getRandomValues(new Uint8Array(60_001)));
  Deno.symlinkSync("README.TXT", `${source}/A`.replace(/A$/, "link"));
  Deno.writeTextFileSync(`${source}/README.TXT`, "link's target");

  const { root, leftOut } = await readFolder(source);
  assertEquals(leftOut, []);
  await write(root, volume, "My files");
  await checkVolume(volume);
  const { out } = await run("mcopy", "-n", "-m", "-s", "-i", volume, "::", copy);
  assertEquals(out, "");
  assertEquals(contentsOf(copy), contentsOf(source));
  assertMatch((await run("mtype", "-i", volume, "::/sub folder/user-data")).out, /^(user-data\n)+$/);
  assertMatch((await run("mdir", "-i", volume, "::/")).out, / Volume in drive : is My files/);
  assertMatch(
    (await run("/sbin/blkid", "-p", volume)).out,
    /LABEL="My files" .*VERSION="FAT32" .*TYPE="vfat"/,
  );
  const { size, blocks } = Deno.statSync(volume);
  assert(size > 32 * MiB && blocks! * 512 < MiB, `${blocks} blocks for ${size} bytes`);
});

Deno.test("a folder with very many files of like names is a sound volume, within the time of seconds", async () => {
  using folder = new Folder();
  const modified = new Date();
  const entries = Array.from({ length: 15_000 }, (_, i): FatFile => {
    const bytes = new TextEncoder().encode(`${i}`);
    return { name: `measurement number ${i}.json`, modified, size: bytes.length, read: () => [bytes] };
  });
  await write({ name: "", modified, entries }, folder.file("volume"));
  assertMatch(await checkVolume(folder.file("volume")), /: 1500[01] files/);
  const { out } = await run("mtype", "-i", folder.file("volume"), "::/measurement number 14999.json");
  assertEquals(out, "14999");
  const more = { name: "", modified, entries: Array(2).fill(entries).flat() };
  assertThrows(() => planVolume(more, "X"), ImageError, "more names than a folder on FAT can have");
});

/** A file of zeros, for which nobody needs room. */
function zeros(name: string, size: number): FatFile {
  const chunk = new Uint8Array(MiB);
  return {
    name,
    modified: new Date(),
    size,
    *read() {
      for (let left = size; left > 0; left -= chunk.length) {
        yield chunk.subarray(0, Math.min(left, chunk.length));
      }
    },
  };
}

Deno.test("the largest file that FAT can have is written without being in memory, and one that is larger refused", async () => {
  using folder = new Folder();
  const volume = folder.file("volume");
  const last = new TextEncoder().encode("the last file");
  const modified = new Date();
  const end: FatFile = { name: "end", modified, size: last.length, read: () => [last] };
  // One cluster less than there can be: fsck.vfat counts a chain's bytes in 32 bits.
  await write({ name: "", modified, entries: [zeros("large", LARGEST_FILE - 4096), end] }, volume);
  const { size, blocks } = Deno.statSync(volume);
  assert(size > 4 * GiB - 4096 && blocks! * 512 < 64 * MiB, `${blocks} blocks for ${size} bytes`);
  assertMatch(await checkVolume(volume), /4096 bytes per cluster/);
  assertEquals((await run("mtype", "-i", volume, "::/end")).out, "the last file");

  Deno.mkdirSync(folder.file("large"));
  Deno.writeFileSync(folder.file("large/x"), new Uint8Array());
  Deno.truncateSync(folder.file("large/x"), LARGEST_FILE + 1);
  await assertRejects(() => readFolder(folder.file("large")), ImageError, "/large/x' is too large");
});

Deno.test("volumes have the clusters that the specification gives their size, up to 32 GiB", () => {
  const plan = (...sizes: number[]) =>
    planVolume({ name: "", modified: new Date(), entries: sizes.map((size, i) => zeros(`${i}`, size)) }, "X");
  const files = (count: number) => Array<number>(count).fill(LARGEST_FILE);
  const table: [number[], number][] = [
    [[], 512],
    [[200 * MiB], 512],
    [[300 * MiB], 4096],
    [files(2), 8192],
    [files(3), 8192],
    [files(5), 16_384],
    [files(7), 16_384],
  ];
  for (const [sizes, clusterSize] of table) {
    const { clusterSize: found, clusters, used, size, tableSectors } = plan(...sizes);
    assertEquals(found, clusterSize);
    assert(clusters >= 65_525 && clusters >= used && clusters < 0x0ffffff5);
    assert(tableSectors * 128 >= clusters + 2);
    assertEquals(size, (32 + 2 * tableSectors) * 512 + clusters * clusterSize);
    assertEquals(size % 4096, 0);
    assert(size <= 32 * GiB);
  }
  assertThrows(() => plan(...files(8)), ImageError, "32 GiB");
});

Deno.test("what cannot be on FAT is named: letters, ends and cases of names, links into themselves", async () => {
  assertMatch(nameProblem("a:b")!, /':'/);
  assertMatch(nameProblem("a\nb")!, /control character/);
  assertMatch(nameProblem("end.")!, /dot/);
  assertMatch(nameProblem("end ")!, /space/);
  assertEquals(NAMES.map(nameProblem), NAMES.map(() => undefined));
  assertMatch(labelProblem("twelve chars")!, /11/);
  assertMatch(labelProblem("a/b")!, /'\/'/);
  assertMatch(labelProblem("ä")!, /ASCII/);
  assertEquals(labelProblem("cidata"), undefined);
  assertEquals([foldCase("straße"), foldCase("STRASSE")], ["STRAßE", "STRASSE"]);
  assertEquals(new Set(shortNames(NAMES)).size, NAMES.length);

  using folder = new Folder();
  const refused = async (name: string, make: (path: string) => void, reason: RegExp) => {
    const path = folder.file(name);
    Deno.mkdirSync(path);
    make(path);
    const { message } = await assertRejects(() => readFolder(path), ImageError);
    assertMatch(message, reason);
  };
  await refused(
    "colon",
    (path) => Deno.writeTextFileSync(`${path}/a:b`, ""),
    /\/colon\/a:b': no name on FAT has a ':'/,
  );
  await refused("case", (path) => {
    Deno.writeTextFileSync(`${path}/Name`, "");
    Deno.writeTextFileSync(`${path}/name`, "");
  }, /'Name' and 'name', which are one name/);
  await refused(
    "loop",
    (path) => {
      Deno.mkdirSync(`${path}/sub`);
      Deno.symlinkSync("..", `${path}/sub/up`);
    },
    /link to a folder that it is in itself/,
  );
  await refused("bytes", (path) => {
    new Deno.Command("/bin/sh", { args: ["-c", `: >"$0/$(printf '\\377')"`, path] }).outputSync();
  }, /not UTF-8/);
});

Deno.test("what is no file is left out, and told", async () => {
  using folder = new Folder();
  const path = folder.file("source");
  Deno.mkdirSync(path);
  Deno.writeTextFileSync(`${path}/file`, "");
  Deno.symlinkSync("/nowhere", `${path}/dangling`);
  Deno.symlinkSync("round", `${path}/round`);
  assertEquals((await run("mkfifo", `${path}/fifo`)).code, 0);
  using _socket = Deno.listen({ transport: "unix", path: `${path}/socket` });
  const { root, leftOut } = await readFolder(path);
  assertEquals(root.entries.map(({ name }) => name), ["file"]);
  assertEquals(leftOut, ["dangling", "fifo", "round", "socket"].map((name) => `${path}/${name}`));
});

Deno.test("a file that changes while the volume is made ends the making, by its name", async () => {
  using folder = new Folder();
  const path = folder.file("source");
  Deno.mkdirSync(path);
  const changes: ((file: string) => void)[] = [
    (file) => Deno.writeTextFileSync(file, "more", { append: true }),
    (file) => Deno.truncateSync(file, 1),
    (file) => Deno.removeSync(file),
    (file) => {
      Deno.removeSync(file);
      new Deno.Command("mkfifo", { args: [file] }).outputSync();
    },
  ];
  for (const [i, change] of changes.entries()) {
    const file = `${path}/file`;
    try {
      Deno.removeSync(file);
    } catch { /* the last one was */ }
    Deno.writeTextFileSync(file, "content");
    const { root } = await readFolder(path);
    change(file);
    const { message } = await assertRejects(() => write(root, folder.file(`volume${i}`)), ImageError);
    assertMatch(message, /\/source\/file': (no such file)?|\/source\/file' was changed while it was read/);
  }
});

Deno.test("an end that comes while the volume is made stops it", async () => {
  using folder = new Folder();
  using file = Deno.openSync(folder.file("volume"), { write: true, createNew: true });
  const plan = planVolume({ name: "", modified: new Date(), entries: [zeros("large", 3 * GiB)] }, "X");
  const controller = new AbortController();
  let last = 0;
  const progress = (done: number) => {
    last = done;
    controller.abort(new Error("enough"));
  };
  await assertRejects(
    () => writeVolume(plan, file, { progress, signal: controller.signal }),
    Error,
    "enough",
  );
  assert(last < GiB, `${last} bytes were written before it stopped`);
});
