import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { eventually, Folder, guest, GUEST_FILES, Vzrun, vzrun } from "./vzrun.ts";

/** A folder of disks as they are downloaded. */
class Downloads extends Folder {
  readonly how = { cwd: this.path };

  get names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  run(program: string, ...args: string[]): void {
    const { success, stderr } = new Deno.Command(program, { args, ...this.how }).outputSync();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  }

  /** Makes a raw disk that begins with a word, and has little else. */
  raw(name: string, word: string, size = 4 << 20): void {
    Deno.writeTextFileSync(this.file(name), word);
    Deno.truncateSync(this.file(name), size);
  }

  head(name: string, length = 5): string {
    return new TextDecoder().decode(Deno.readFileSync(this.file(name)).subarray(0, length));
  }
}

Deno.test("download: a disk keeps what a guest writes beside what was downloaded, in each format", async () => {
  using folder = new Downloads();
  const formats: [name: string, format: string, make: (name: string) => void][] = [
    ["disk.vmdk", "vmdk", (name) => folder.run("qemu-img", "convert", "-O", "vmdk", "first", name)],
    ["disk.vhd", "vpc", (name) => folder.run("qemu-img", "convert", "-O", "vpc", "first", name)],
    ["disk.vhdx", "vhdx", (name) => folder.run("qemu-img", "convert", "-O", "vhdx", "first", name)],
    ["disk.raw.xz", "xz", () => folder.run("xz", "-0", "-k", "disk.raw")],
    ["disk.raw.gz", "gzip", () => folder.run("gzip", "-k", "disk.raw")],
    ["disk.zst", "zstd", (name) => folder.run("zstd", "-q", "first", "-o", name)],
    ["disk.raw.bz2", "bzip2", () => folder.run("bzip2", "-k", "disk.raw")],
  ];
  folder.raw("first", "first");
  folder.raw("disk.raw", "first");
  for (const [name, , make] of formats) make(name);
  Deno.removeSync(folder.file("disk.raw"));
  Deno.removeSync(folder.file("first"));
  const names = formats.map(([name]) => name);
  const before = new Map(names.map((name) => [name, Deno.readFileSync(folder.file(name))]));
  const devices = names.map((_, i) => `vd${"abcdefg"[i]}`).join(" ");
  const commands = (word: string) =>
    guest(`for d in ${devices}; do head -c 5 /dev/$d; echo ${word} >/dev/$d; done; echo; sync`);
  const all = names.flatMap((name) => ["-d", name]);
  const dry = await vzrun(["-dry-run", ...GUEST_FILES, ...all], folder.how, 20);
  const { disks } = JSON.parse(dry.out);
  assertEquals(
    disks.map(({ file, format, source }: Record<string, unknown>) => ({ file, format, source })),
    formats.map(([file, format]) => ({ file: `${file}.raw`, format: "raw", source: { file, format } })),
  );
  assertEquals(folder.names, names.toSorted());
  const first = await vzrun([...commands("other"), ...all], folder.how);
  assertEquals(first, { code: 0, out: `${"first".repeat(names.length)}\r\n`, err: "" });
  const said = formats.flatMap(([name, format]) => ["-drive", `file=${name},format=${format},snapshot=on`]);
  const second = await vzrun([...commands("third"), ...said], folder.how);
  assertEquals(second, { code: 0, out: `${"other".repeat(names.length)}\r\n`, err: "" });
  for (const name of names) {
    assertEquals(Deno.readFileSync(folder.file(name)), before.get(name), name);
    assertEquals(folder.head(`${name}.raw`), "other");
    assertLess(Deno.statSync(folder.file(`${name}.raw`)).blocks!, 64, name);
  }
  assertEquals(folder.names, [...names, ...names.map((name) => `${name}.raw`)].sort());
  const earlier = new Date(Date.now() - 3_600_000);
  for (const name of names) {
    Deno.utimeSync(folder.file(`${name}.raw`), earlier, earlier);
    const { code, err } = await vzrun(["-dry-run", ...GUEST_FILES, "-d", name], folder.how, 20);
    assertEquals(code, 2);
    assertMatch(err, /^vzrun: cannot use disk '([^']+)': '\1' is newer than '\1\.raw'[^\n]*\n$/);
  }
});

Deno.test("download: size= grows what is unpacked, and what is larger is refused and not left", async () => {
  using folder = new Downloads();
  folder.raw("disk", "first", 4 << 20);
  folder.run("xz", "-0", "disk");
  const sized = (
    size: string,
  ) => [...guest("blockdev --getsize64 /dev/vda"), "-drive", `file=disk.xz,size=${size}`];
  const { code, err } = await vzrun(sized("1M"), folder.how);
  assertEquals([code, err, folder.names], [
    2,
    "vzrun: cannot use disk 'disk.xz': it has 4 MiB, more than size=: images only grow\n",
    ["disk.xz"],
  ]);
  assertEquals(await vzrun(sized("1G"), folder.how), { code: 0, out: `${2 ** 30}\r\n`, err: "" });
});

Deno.test("download: what is damaged behind its beginning, or no disk, is one line and leaves nothing", async () => {
  using folder = new Downloads();
  const noise = new Uint8Array(1 << 20);
  for (let i = 0; i < noise.length; i += 65536) crypto.getRandomValues(noise.subarray(i, i + 65536));
  Deno.writeFileSync(folder.file("disk"), noise);
  for (const [program, suffix] of [["gzip", "gz"], ["xz", "xz"], ["zstd", "zst"], ["bzip2", "bz2"]]) {
    folder.run(program, "-q", "-k", "disk");
    const path = folder.file(`disk.${suffix}`);
    const packed = Deno.readFileSync(path);
    packed[packed.length >> 1] ^= 1;
    Deno.writeFileSync(path, packed);
  }
  folder.run("qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", "disk", "disk.vmdk");
  const size = Deno.statSync(folder.file("disk.vmdk")).size;
  Deno.truncateSync(folder.file("disk.vmdk"), size / 2);
  folder.run("tar", "-cf", "disk.tar", "disk");
  folder.run("xz", "-0", "-k", "disk.tar");
  Deno.removeSync(folder.file("disk"));
  const { names } = folder;
  for (const name of names) {
    const { code, out, err } = await vzrun([...guest("true"), "-d", name], folder.how);
    assertEquals([code, out, folder.names], [2, "", names], err);
    assertMatch(
      err,
      name.includes("tar") ? /^vzrun: [^\n]+ \(tar -xf\)[^\n]+\n$/ : /^vzrun: [^\n]+damaged[^\n]*\n$/,
    );
  }
});

Deno.test("download: Ctrl-C while a disk is unpacked leaves nothing, and two that start at once unpack it once", async () => {
  using folder = new Downloads();
  const noise = new Uint8Array(1 << 20);
  for (let i = 0; i < noise.length; i += 65536) crypto.getRandomValues(noise.subarray(i, i + 65536));
  noise.set(new TextEncoder().encode("word"));
  {
    using raw = Deno.openSync(folder.file("disk"), { create: true, write: true });
    for (let i = 0; i < 12; i++) raw.writeSync(noise);
  }
  folder.run("bzip2", "-1", "disk");
  const args = [...guest("head -c 4 /dev/vda"), "-c", "disk.bz2", "-verbose"];
  {
    await using interrupted = new Vzrun(args, folder.how);
    await eventually("the start of it", () => folder.names.includes("disk.bz2.raw.partial"), 20);
    interrupted.signal("SIGINT");
    assertEquals(await interrupted.end(10), 130);
    assertEquals([interrupted.out.text, folder.names], ["", ["disk.bz2"]]);
  }
  await using first = new Vzrun(args, folder.how);
  await using second = new Vzrun(args, folder.how);
  assertEquals([await first.end(), await second.end()], [0, 0]);
  assertEquals([first.out.text, second.out.text], ["word", "word"]);
  assert((first.err.text + second.err.text).split("made 'disk.bz2.raw'").length === 2);
  assertEquals(folder.names, ["disk.bz2", "disk.bz2.raw"]);
});
