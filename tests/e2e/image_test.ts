import { assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { eventually, Folder, guest, GUEST_FILES, stateOf, Vzrun, vzrun } from "./vzrun.ts";

async function run(cwd: string, program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { cwd, args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

/** A folder of images that qemu-img makes. */
class Images extends Folder {
  readonly how = { cwd: this.path };

  async qemuImg(...args: string[]): Promise<void> {
    await run(this.path, "qemu-img", ...args);
  }

  /** Has a compressed qcow2 image that begins with a word, and takes a while to convert. */
  async large(name: string): Promise<void> {
    Deno.copyFileSync(await (large ??= makeLarge()), this.file(name));
  }

  get names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  head(name: string, length = 5): string {
    return new TextDecoder().decode(Deno.readFileSync(this.file(name)).subarray(0, length));
  }
}

const folder = new Images();
let large: Promise<string> | undefined;
Deno.test.afterAll(() => folder[Symbol.dispose]());

/** Makes what takes a while to make as well, for all tests that need it. */
async function makeLarge(): Promise<string> {
  const noise = new Uint8Array(1 << 20);
  for (let i = 0; i < noise.length; i += 65536) crypto.getRandomValues(noise.subarray(i, i + 65536));
  noise.set(new TextEncoder().encode("word"));
  {
    using raw = Deno.openSync(folder.file("raw"), { create: true, write: true });
    for (let i = 0; i < 240; i++) {
      noise[1000] = i;
      raw.writeSync(noise.subarray(0, noise.length / 2)); // one half of random bytes, one of few different ones
      raw.writeSync(noise.slice(0, noise.length / 2).map((byte) => byte & 3));
    }
  }
  await folder.qemuImg("convert", "-c", "-O", "qcow2", "raw", "large");
  return folder.file("large");
}

/** Says the first five bytes of the first disk, and writes others. */
const WRITE = (word: string) => guest(`head -c 5 /dev/vda; echo; echo ${word} >/dev/vda; sync`);

Deno.test("image: a qcow2 disk keeps what a guest writes, in the raw image beside it", async () => {
  using images = new Images();
  Deno.writeTextFileSync(images.file("word"), "first".padEnd(1 << 20));
  await images.qemuImg("convert", "-O", "qcow2", "word", "disk.qcow2");
  const before = Deno.readFileSync(images.file("disk.qcow2"));
  const first = await vzrun([...WRITE("other"), "-d", "disk.qcow2"], images.how);
  assertEquals(first, { code: 0, out: "first\r\n", err: "" });
  const second = await vzrun([
    ...guest("head -c 5 /dev/vda; blockdev --getsize64 /dev/vda"),
    "-c",
    "disk.qcow2",
  ], images.how);
  assertEquals(second, { code: 0, out: "other1048576\r\n", err: "" });
  assertEquals(Deno.readFileSync(images.file("disk.qcow2")), before);
  assertEquals(images.names, ["disk.qcow2", "disk.qcow2.raw", "word"]);
});

Deno.test("image: a new version of a qcow2 image does not get the old one's writes", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1M");
  const dry = ["-dry-run", ...GUEST_FILES, "-d", "disk"];
  assertEquals((await vzrun([...guest("true"), "-d", "disk"], images.how)).code, 0);
  assertEquals((await vzrun(dry, images.how, 20)).code, 0);
  const earlier = new Date(Deno.statSync(images.file("disk")).mtime!.getTime() - 10_000);
  Deno.utimeSync(images.file("disk.raw"), earlier, earlier);
  const { code, out, err } = await vzrun(dry, images.how, 20);
  assertEquals([code, out], [2, ""]);
  assertMatch(
    err,
    /^vzrun: cannot use disk 'disk': 'disk' is newer than 'disk\.raw'[^\n]*remove one[^\n]*\n$/,
  );
});

Deno.test("image: size= grows what is made of a qcow2 image, and nothing shrinks", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1M");
  const sized = (
    size: string,
  ) => [...guest("blockdev --getsize64 /dev/vda"), "-drive", `file=disk,size=${size}`];
  const { code, err } = await vzrun(sized("0.5M"), images.how, 20);
  assertEquals([code, images.names], [2, ["disk"]]);
  assertMatch(err, /^vzrun: cannot use disk 'disk': it has 1 MiB, more than size=[^\n]*\n$/);
  const grown = { code: 0, out: `${2 ** 31}\r\n`, err: "" };
  assertEquals(await vzrun(sized("2G"), images.how), grown);
  assertEquals(await vzrun(sized("2G"), images.how), grown);
  const other = await vzrun(sized("3G"), images.how, 20);
  assertMatch(other.err, /^vzrun: disk 'disk\.raw' is there and has 2 GiB, not 3 GiB[^\n]*\n$/);
});

Deno.test("image: what a guest writes to a snapshot is gone afterwards", async () => {
  using images = new Images();
  Deno.writeTextFileSync(images.file("raw"), "first".padEnd(1 << 20));
  await images.qemuImg("convert", "-O", "qcow2", "raw", "qcow2");
  Deno.mkdirSync(images.file("tmp"));
  const how = { ...images.how, env: { TMPDIR: images.file("tmp") } };
  Deno.copyFileSync(images.file("raw"), images.file("kept"));
  const write = (...disks: string[]) =>
    guest(`for d in ${disks.join(" ")}; do head -c 5 /dev/$d; echo; echo other >/dev/$d; done; sync`);
  const each = ["-drive", "file=raw,snapshot=on", "-drive", "file=qcow2,snapshot=on"];
  const first = { code: 0, out: "first\r\nfirst\r\n", err: "" };
  assertEquals(await vzrun([...write("vda", "vdb"), ...each], how), first);
  assertEquals([images.head("raw"), images.head("qcow2.raw")], ["first", "first"]);
  const all = [
    "-snapshot",
    "-d",
    "raw",
    "-drive",
    "file=kept,snapshot=off",
    "-drive",
    "file=scratch,size=1G",
  ];
  const scratch = { ...first, out: `${first.out}${"\0".repeat(5)}\r\n` };
  assertEquals(await vzrun([...write("vda", "vdb", "vdc"), ...all], how), scratch);
  assertEquals([images.head("raw"), images.head("kept")], ["first", "other"]);
  assertEquals(images.names, ["kept", "qcow2", "qcow2.raw", "raw", "tmp"]);
  assertEquals([...Deno.readDirSync(images.file("tmp"))], []);
});

Deno.test("image: the clone of a run that was killed is gone with the next run", async () => {
  using images = new Images();
  Deno.writeTextFileSync(images.file("raw"), "first".padEnd(1 << 20));
  await using killed = new Vzrun([...guest("echo up; read x"), "-snapshot", "-d", "raw"], {
    ...images.how,
    typing: true,
  });
  await killed.out.until("up");
  assertEquals(images.names.length, 2);
  const { qemu } = killed;
  killed.signal("SIGKILL");
  await killed.end(5);
  await eventually("the end of QEMU", () => stateOf(qemu) === undefined, 5);
  assertEquals((await vzrun([...WRITE("other"), "-snapshot", "-d", "raw"], images.how)).code, 0);
  assertEquals(images.names, ["raw"]);
});

Deno.test("image: two that start at once share one conversion, and a killed or interrupted one leaves no half", async () => {
  using images = new Images();
  await images.large("disk");
  const args = [...guest("head -c 4 /dev/vda"), "-c", "disk"];
  const isMaking = () => images.names.includes("disk.raw.partial");
  const daemon = [...args.filter((word) => word !== "-nographic"), "-daemonize"];
  const ends = [["SIGINT", 130, args], ["SIGTERM", 143, args], ["SIGINT", 130, daemon]] as const;
  for (const [signal, code, line] of ends) {
    await using interrupted = new Vzrun([...line], images.how);
    await eventually("the conversion", isMaking, 20);
    interrupted.signal(signal);
    assertEquals(await interrupted.end(10), code);
    assertEquals([interrupted.out.text, interrupted.err.text, images.names], ["", "", ["disk"]]);
  }
  await using killed = new Vzrun(args, images.how);
  await eventually("the conversion", isMaking, 20);
  killed.signal("SIGKILL");
  await killed.end(5);
  assertEquals(images.names, ["disk", "disk.raw.partial"]);
  const verbose = [...args, "-verbose"];
  await using first = new Vzrun(verbose, images.how);
  await using second = new Vzrun(verbose, images.how);
  assertEquals([await first.end(), await second.end()], [0, 0]);
  assertEquals([first.out.text, second.out.text], ["word", "word"]);
  assertEquals((first.err.text + second.err.text).split("made 'disk.raw'").length, 2);
  assertEquals(images.names, ["disk", "disk.raw"]);
});

Deno.test("image: a full disk is told, and nothing is left of the conversion", async () => {
  using images = new Images();
  await images.large("disk");
  // A limit on the size of files stands in for a disk that is full.
  const through = ["sh", "-c", 'trap "" XFSZ; ulimit -f 2048; exec "$@"', "sh"];
  const { code, out, err } = await vzrun([...guest("true"), "-d", "disk"], { ...images.how, through });
  assertEquals([code, out, images.names], [2, "", ["disk"]]);
  assertMatch(err, /^vzrun: cannot make 'disk\.raw': File too large\n$/);
});

Deno.test("image: what cannot be used is refused by name before anything starts", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "raw", "base", "1M");
  await images.qemuImg("create", "-f", "qcow2", "-b", "base", "-F", "raw", "overlay");
  const plain = new Uint8Array(65536);
  plain.set(Deno.readFileSync(images.file("overlay")).subarray(0, 104));
  Deno.writeFileSync(images.file("cut"), plain.subarray(0, 60));
  await images.qemuImg("create", "-q", "-f", "vdi", "vdi", "10M");
  await images.qemuImg("create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", "flat.vmdk", "10M");
  await images.qemuImg("create", "-q", "-f", "qcow2", "-o", "data_file=data", "apart", "1M");
  await images.qemuImg(
    "create",
    "-q",
    "-f",
    "qcow2",
    "-o",
    "data_file=d,data_file_raw=on",
    "apart-raw",
    "1M",
  );
  Deno.writeFileSync(images.file("packed"), Uint8Array.of(0x1f, 0x8b, 8, ...new Uint8Array(509)));
  const { names } = images;
  const refused: [args: string[], message: RegExp][] = [
    [["-d", "overlay"], /'overlay': it is a qcow2 image that is based on 'base': say format=qcow2/],
    [["-d", "cut"], /'cut': /],
    [["-drive", "file=base,format=qcow2"], /'base': /],
    [["-d", "vdi"], /'vdi': it is a VDI image: `qemu-img convert -O qcow2` makes one that can be used/],
    [
      ["-d", "flat.vmdk"],
      /of the type monolithicFlat: its data is in 'flat-flat\.vmdk', a raw image: use that/,
    ],
    [["-d", "apart"], /'apart': its data is in another file 'data' \(data_file\): copy it first/],
    [["-d", "apart-raw"], /in another file 'd' \(data_file\), which is a raw image: use that/],
    [["-d", "packed"], /'packed': it is damaged/],
    [["-drive", "file=packed,format=xz"], /'packed': it is not compressed with xz/],
    ...["vmdk", "vpc", "vhdx"].map((
      format,
    ): [string[], RegExp] => [["-drive", `file=base,format=${format}`], /'base': it is not a V/]),
    [["-drive", "file=base,format=vdi"], /format is one of raw, qcow2/],
  ];
  for (const [args, message] of refused) {
    const { code, out, err } = await vzrun([...GUEST_FILES, ...args], images.how, 20);
    assertEquals([code, out, images.names], [2, "", names], err);
    assertMatch(err, /^vzrun: [^\n]+\n$/);
    assertMatch(err, message);
  }
  const { code, err } = await vzrun([...guest("true"), "-drive", "file=overlay,format=qcow2"], images.how);
  assertEquals([code, err], [0, ""]);
});

Deno.test("image: a snapshot needs no right to write the image, nor its folder", async () => {
  using images = new Images();
  Deno.writeTextFileSync(images.file("raw"), "first".padEnd(1 << 20));
  await images.qemuImg("convert", "-O", "qcow2", "raw", "qcow2");
  Deno.mkdirSync(images.file("tmp"));
  for (const name of ["raw", "qcow2"]) Deno.chmodSync(images.file(name), 0o444);
  Deno.chmodSync(images.path, 0o555);
  // Root may write everything, until it gives up its capabilities.
  const through = [
    "sh",
    "-c",
    'if [ "$(id -u)" = 0 ]; then exec setpriv --bounding-set=-all "$@"; else exec "$@"; fi',
  ];
  const how = { ...images.how, through: [...through, "sh"], env: { TMPDIR: images.file("tmp") } };
  const first = { code: 0, out: "first\r\n", err: "" };
  const { names } = images;
  const both = guest("for d in vda vdb; do head -c 5 /dev/$d; echo; echo other >/dev/$d; done; sync");
  assertEquals(await vzrun([...both, "-snapshot", "-d", "raw", "-d", "qcow2"], how), {
    ...first,
    out: "first\r\nfirst\r\n",
  });
  const read = guest("head -c 5 /dev/vda; echo");
  assertEquals(await vzrun([...read, "-c", "qcow2"], how), first);
  assertEquals([images.names, [...Deno.readDirSync(images.file("tmp"))]], [names, []]);
  const { code, err } = await vzrun([...read, "-d", "qcow2"], how, 20);
  assertEquals([code, err], [2, "vzrun: cannot make 'qcow2.raw': permission denied\n"]);
  Deno.chmodSync(images.path, 0o755);
});

Deno.test("image: one that is changed while it is read is not taken", async () => {
  using images = new Images();
  await images.large("disk");
  await using run = new Vzrun([...guest("true"), "-d", "disk"], images.how);
  await eventually("the conversion", () => images.names.includes("disk.raw.partial"), 20);
  const later = new Date(Date.now() + 1000);
  Deno.utimeSync(images.file("disk"), later, later);
  assertEquals(await run.end(30), 2);
  assertEquals(
    run.err.text,
    "vzrun: cannot make 'disk.raw': what it is made of was changed while it was read\n",
  );
  assertEquals(images.names, ["disk"]);
});

Deno.test("image: one that seems to be of the future is a disk as often as others", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1M");
  const later = new Date(Date.now() + 86_400_000);
  Deno.utimeSync(images.file("disk"), later, later);
  for (let i = 0; i < 2; i++) {
    assertEquals((await vzrun([...guest("true"), "-d", "disk"], images.how)).code, 0);
  }
});

Deno.test("image: a link that is where a raw image is made is not followed", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1M");
  Deno.writeTextFileSync(images.file("precious"), "precious");
  Deno.symlinkSync("precious", images.file("disk.raw.partial"));
  const { code, err } = await vzrun([...guest("true"), "-d", "disk"], images.how, 20);
  assertEquals([code, images.head("precious", 9)], [2, "precious"]);
  assertEquals(err, "vzrun: cannot make 'disk.raw': the link 'disk.raw.partial' is in the way\n");
});

Deno.test("image: format=raw gives a guest the image as it is", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1M");
  Deno.truncateSync(images.file("disk"), 1 << 20);
  const args = [...guest("head -c 3 /dev/vda"), "-drive", "file=disk,format=raw"];
  assertEquals(await vzrun(args, images.how), { code: 0, out: "QFI", err: "" });
  assertEquals(images.names, ["disk"]);
});

Deno.test("image: -dry-run says what a disk would be, and makes nothing", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1T");
  const args = ["-dry-run", ...GUEST_FILES, "-snapshot", "-d", "disk"];
  const { code, out, err } = await vzrun(args, images.how, 20);
  assertEquals([code, err, images.names], [0, "", ["disk"]]);
  const [disk] = JSON.parse(out).disks;
  assertEquals([disk.file, disk.source, disk.snapshot], [
    "disk.raw",
    { file: "disk", format: "qcow2" },
    true,
  ]);
});

Deno.test("image: a terabyte that is nearly empty is a disk at once, and takes no room", async () => {
  using images = new Images();
  await images.qemuImg("create", "-f", "qcow2", "disk", "1T");
  const args = [...guest("blockdev --getsize64 /dev/vda"), "-d", "disk", "-snapshot"];
  assertEquals(await vzrun(args, images.how), { code: 0, out: `${2 ** 40}\r\n`, err: "" });
  assertLess(Deno.statSync(images.file("disk.raw")).blocks!, 100);
  assertGreater(Deno.statSync(images.file("disk.raw")).size, 1e12);
});
