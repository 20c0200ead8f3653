import { assertEquals, assertLess, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { fat, program } from "../images/efi_layouts.ts";
import { LOADER } from "./live_cd.ts";
import { manyLines } from "./many_lines.ts";
import { ENVIRONMENT, Folder, GUEST, ROOT, vzrun, within } from "./vzrun.ts";

const KERNEL = ["-kernel", `${GUEST}/vmlinuz`];
const NEW = ["-drive", "file=new,size=1M"];
/** A disk that firmware boots. */
const BOOTS = fat(
  { [`EFI/BOOT/${LOADER}`]: program(Deno.build.arch === "aarch64" ? 0xaa64 : 0x8664) },
  1 << 20,
);

/** A folder with files of every unfit kind, and something that stands in for QEMU to tell that it was started. */
class Files extends Folder {
  readonly how = {
    cwd: this.path,
    env: { VIRTUALIZATION_QEMU: this.file("qemu"), XDG_CACHE_HOME: this.file("cache") },
    // Root may read everything, until it gives up its capabilities.
    through: [
      "sh",
      "-c",
      'if [ "$(id -u)" = 0 ]; then exec setpriv --bounding-set=-all "$@"; else exec "$@"; fi',
      "sh",
    ],
  };

  constructor() {
    super();
    const write = (name: string, bytes: string | number[], mode = 0o644) => {
      const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : Uint8Array.from(bytes);
      Deno.writeFileSync(this.file(name), content, { mode });
    };
    write("qemu", "#!/bin/sh\n>started\n", 0o755);
    write("empty", "");
    write("text", "Linux is a kernel.\n");
    write("gzip", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    write("rubbish", [0, 1, 2, 3]);
    write("secret", "HdrS", 0);
    write("disk", new Array(4096).fill(0));
    Deno.writeFileSync(this.file("boots"), BOOTS);
    write("odd", new Array(4097).fill(0));
    write("large text", "An ISO is no text.\n".repeat(65536 / 2));
    Deno.mkdirSync(this.file("folder"));
    Deno.mkdirSync(this.file("cache"));
    Deno.symlinkSync("loop", this.file("loop"));
    const fifo = new Deno.Command("mkfifo", { args: [this.file("fifo")] }).outputSync();
    if (!fifo.success) throw new Error("mkfifo has failed");
  }

  /** What is there: whatever a run makes shows here. */
  get names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }
}

const MISTAKES: [mistake: string, args: string[], message: RegExp][] = [
  ["no arguments at all", [], /nothing to boot.*-kernel/],
  ["a kernel that is not there", ["-kernel", "missing"], /'missing': no such file/],
  ["a kernel in a file", ["-kernel", "text/vmlinuz"], /'text\/vmlinuz': a part of its path is not a folder/],
  ["a kernel that is a folder", ["-kernel", "folder"], /'folder': it is a folder/],
  ["a kernel that is a FIFO", ["-kernel", "fifo"], /'fifo': it is not a regular file/],
  ["a kernel that is a loop of links", ["-kernel", "loop"], /'loop': too many symbolic links/],
  ["an empty kernel", ["-kernel", "empty"], /'empty': it is empty/],
  ["a kernel of no name", ["-kernel", ""], /path is empty/],
  ["a text for a kernel", ["-kernel", "text"], /'text': it is text/],
  ["nothing that is compressed", ["-kernel", "gzip"], /'gzip': it /],
  ["rubbish for a kernel", ["-kernel", "rubbish"], /'rubbish': it is not a Linux kernel/],
  [
    "a command line that is longer than the kernel takes",
    [...KERNEL, "-append", "a".repeat(5000)],
    /-append: 5000 bytes: .*takes 2047/,
  ],
  ["a kernel that may not be read", ["-kernel", "secret"], /'secret': permission denied/],
  ["an initrd that is not there", [...KERNEL, "-initrd", "missing"], /'missing': no such file/],
  ["an initrd that is a folder", [...KERNEL, "-i", "folder"], /'folder': it is a folder/],
  ["an initrd that may not be read", [...KERNEL, "--initramfs=secret"], /'secret': permission denied/],
  ["an empty initrd", [...KERNEL, "-initrd", "empty"], /'empty': it is empty/],
  ["a slip of the pen", [...KERNEL, "-initrc", "x"], /'-initrc': did you mean -initrd\?$/],
  ["a slip with two dashes and a value", ["--kernal=x"], /'--kernal': did you mean -kernel\?$/],
  ["an option that is like no other", [...KERNEL, "-frobnicate"], /'-frobnicate'.*-help/],
  ["a missing value at the end", ["-kernel"], /-kernel needs a value/],
  ["a missing value before another option", ["-kernel", "-initrd", "x"], /-kernel needs a value/],
  ["a value where none belongs", [...KERNEL, "-nographic=yes"], /-nographic takes no value/],
  ["no memory", [...KERNEL, "-m", "0"], /-m.* at least 4 MiB/],
  ["too little memory", [...KERNEL, "-m", "3"], /-m.* at least 4 MiB/],
  ["more memory than the host has", [...KERNEL, "-m", "1T"], /-m.* 1 TiB .*more.*than this host/],
  ["memory that is no number", [...KERNEL, "-m", "abc"], /-m abc: expected a size/],
  ["negative memory", [...KERNEL, "-m=-512"], /-m -512: expected a size/],
  ["memory that is no whole MiB", [...KERNEL, "-m", "4097K"], /-m.*whole number of MiB/],
  ["no processors", [...KERNEL, "-smp", "0"], /-smp.* 0 processors.* 1 to \d+/],
  ["more processors than the host has", [...KERNEL, "-smp", "999"], /-smp.* 999 processors.* 1 to \d+/],
  ["processors that are no number", [...KERNEL, "-p", "x"], /-p x: expected a whole number/],
  ["a command line without a kernel", ["-append", "quiet"], /-append needs -kernel/],
  ["an initrd without a kernel", ["-initrd", "text"], /-initrd needs -kernel/],
  ["a console of an unknown kind", [...KERNEL, "-serial", "rubbish"], /-serial rubbish: expected stdio/],
  [
    "a console in a folder that is not there",
    [...KERNEL, "-serial", "file:no/x"],
    /'no\/x'.*no folder 'no\/'/,
  ],
  ["a console in a folder's place", [...KERNEL, "-serial", "file:folder"], /'folder': it is a folder/],
  ["a console in a file of no name", [...KERNEL, "-serial", "file:"], /path is empty/],
  [
    "a console in a file that may not be written",
    [...KERNEL, "-serial", "file:secret"],
    /'secret'.*[Pp]ermission denied/,
  ],
  ["two consoles on stdio", [...KERNEL, "-serial", "stdio", "-serial", "stdio"], /-serial: stdio.* twice/],
  ["a console and none", [...KERNEL, "-serial", "none", "-serial", "null"], /-serial none stands alone/],
  ["a console on a socket in no folder", [...KERNEL, "-serial", "unix:no/x"], /'no\/x'.*no folder 'no\/'/],
  ["a console on a socket in a folder's place", [...KERNEL, "-serial", "unix:folder"], /'folder': it is a/],
  [
    "a pty that waits for something else",
    [...KERNEL, "-serial", "pty,now"],
    /-serial pty,now: expected stdio/,
  ],
  ["a terminal of no kind", [...KERNEL, "-t", "2"], /-t 2: the terminal is one of 0, 1/],
  ["a disk that is not there", [...KERNEL, "-hda", "missing"], /'missing': no such file/],
  ["a disk that is a folder", [...KERNEL, "-d", "folder"], /'folder': it is a folder/],
  ["a disk that is empty", [...KERNEL, "-d", "empty"], /'empty': it is empty/],
  ["a disk of a broken sector", [...KERNEL, "-d", "odd"], /'odd': .*512-byte sectors/],
  ["a disk that may not be read", [...KERNEL, "-c", "secret"], /'secret': permission denied/],
  ["a disk that may not be written", [...KERNEL, "-d", "/proc/version"], /'\/proc\/version'/],
  ["a disk that is no key=value", [...KERNEL, "-drive", "disk"], /-drive disk: 'disk' is not key=value/],
  ["a disk of no file", [...KERNEL, "-drive", "size=1G"], /file=FILE is missing/],
  [
    "a disk on an unknown bus",
    [...KERNEL, "-drive", "file=disk,if=ide"],
    /if=ide: disks are on virtio, usb or nvme/,
  ],
  [
    "a larger size for a disk that is there",
    [...KERNEL, "-drive", "file=disk,size=1G"],
    /'disk'.* not 1 GiB/,
  ],
  ["a smaller size for a disk that is there", [...KERNEL, "-drive", "file=disk,size=1K"], /'disk'.*is there/],
  ["a new disk of half a sector", [...KERNEL, "-drive", "file=new,size=0.25K"], /size=.*512-byte sectors/],
  ["a new disk of nothing", [...KERNEL, "-drive", "file=new,size=0"], /size=.*512-byte sectors/],
  ["a new disk in no folder", [...KERNEL, "-drive", "file=no/x,size=1G"], /'no\/x'.*no folder 'no\/'/],
  ["a disk twice for writing", [...KERNEL, "-d", "disk", "-hda", "./disk"], /'.\/disk' is given twice/],
  ["a disk for writing and for reading", [...KERNEL, "-c", "disk", "-d", "disk"], /'disk' is given twice/],
  ["a new disk twice", [...KERNEL, ...NEW, ...NEW], /'new' is given twice/],
  ["a CD that is not there", ["-cd", "missing"], /'missing': no such file/],
  ["a text for a CD", ["-cd", "text"], /'text': it is not an ISO image/],
  ["a large text for a CD", ["-cd", "large text"], /'large text': it is not an ISO image/],
  ["a text for a CD beside a kernel", [...KERNEL, "-cd", "large text"], /'large text': it is not an ISO/],
  ["EFI without a disk", ["-efi"], /-efi needs a disk/],
  ["EFI and a kernel", [...KERNEL, "-efi", "-hda", "disk"], /-efi and -kernel exclude each other/],
  ["EFI's variables in no folder", ["-efi-vars", "no/x", "-hda", "disk"], /'no\/x'.*no folder 'no\/'/],
  [
    "EFI's variables in a folder's place",
    ["-efi-vars", "folder", "-hda", "disk"],
    /'folder': it is a folder/,
  ],
  ["a share of a file", [...KERNEL, "-share", "a", "text"], /'text': it is not a folder/],
  ["a share of nothing", [...KERNEL, "-share", "a", "missing"], /'missing': no such folder/],
  ["a share of one word", [...KERNEL, "-share", "a"], /-share needs one more value/],
  ["a share without a tag", [...KERNEL, "-share", "", "folder"], /'folder'.*empty/],
  ["a share with a long tag", [...KERNEL, "-share", "a".repeat(40), "folder"], /'folder'.*36/],
  ["a tag twice", [...KERNEL, "-share", "a", "folder", "-share", "a", "."], /'a' is given to two shares/],
  [
    "a share of another driver",
    [...KERNEL, "-virtfs", "proxy,path=folder,mount_tag=a"],
    /-virtfs proxy.*local,path=DIR/,
  ],
  ["Rosetta where there is none", [...KERNEL, "-rosetta"], /-rosetta: .*no Rosetta/],
  [
    "a MAC address that is none",
    [...KERNEL, "-nic", "user,mac=12:34"],
    /-nic: mac=12:34: expected a MAC address/,
  ],
  ["a MAC address of many", [...KERNEL, "-nic", "user,mac=1:0:5e:0:0:1"], /multicast/],
  ["a bridge to no interface", [...KERNEL, "-nic", "bridge"], /br=INTERFACE is missing/],
  ["a bridge that is not there", [...KERNEL, "-b", "nowhere0"], /'nowhere0'.*there are/],
  ["a network of no kind", [...KERNEL, "-nic", "tap"], /-nic tap: .* user, bridge, dgram and stream/],
  ...([
    ["user,hostfwd=tcp:x", /expected tcp\|udp:\[ADDR\]:PORT-\[GUEST\]:PORT/],
    ["user,hostfwd=tcp::2222-2223-:22", /expected tcp\|udp/],
    ["user,hostfwd=tcp::70000-:22", /-nic: 70000 is no port/],
    ["user,hostfwd=tcp::2222-:0", /-nic: 0 is no port/],
    ["user,hostfwd=tcp:300.1.1.1:2222-:22", /'300\.1\.1\.1' is no address of the host's/],
    ["user,hostfwd=tcp::22822-:22,hostfwd=tcp::22822-:23", /port 22822 of 127\.0\.0\.1 is given twice/],
    [
      "user,hostfwd=tcp:0.0.0.0:22822-:22,hostfwd=tcp::22822-:23",
      /port 22822 of 127\.0\.0\.1 is given twice/,
    ],
    ["bridge,br=br0,hostfwd=tcp::2222-:22", /hostfwd= goes with user/],
    ["vmnet-host,start-address=192.168.9.1", /go together/],
    [
      "vmnet-host,start-address=192.168.9.5,end-address=192.168.9.9,subnet-mask=255.255.255.0",
      /is the host's/,
    ],
    [
      "vmnet-host,start-address=192.168.9.1,end-address=x,subnet-mask=255.255.255.0",
      /end-address=x is no address/,
    ],
    ["vmnet-host,start-address=192.168.9.1,end-address=10.0.0.1,subnet-mask=255.255.255.0", /is no guest's/],
    ["dgram,remote.path=text", /'text'.*: it is no socket/],
    ["dgram,remote.path=missing", /'missing'.*: no such file/],
    [`dgram,remote.path=${"x".repeat(110)}`, /110 bytes: the path of a socket has at most 103/],
    ["dgram,local.type=fd,local.str=99", /descriptor 99: it is not open/],
    ["dgram,local.type=fd,local.str=0", /descriptor 0: it is no socket/],
    ["dgram,local.type=fd,local.str=99999999999999", /99999999999999 is no descriptor's number/],
    ["stream", /addr\.path=PATH, or addr\.host=HOST,addr\.port=PORT, is missing/],
    ["stream,addr.path=text", /'text': it is no socket/],
    ["stream,addr.path=text,server=on", /'text': it is there and no socket/],
    ["stream,addr.path=no/x,server=on", /'no\/x': no such (file|folder)/],
    ["stream,addr.path=missing", /'missing': no such file/],
    ["stream,addr.path=missing,reconnect=99999999999", /a day at most/],
  ] as const).flatMap(([value, error]): typeof MISTAKES =>
    [[], ["-dry-run"]].map((mode) => [`-nic ${value} ${mode}`, [...mode, ...KERNEL, "-nic", value], error])
  ),
  [
    "a stream to nobody",
    [...KERNEL, "-nic", "stream,addr.host=127.0.0.1,addr.port=1"],
    /127\.0\.0\.1:1: Connection refused/,
  ],
  ["a network and none", [...KERNEL, "-nic", "none", "-nic", "user"], /-nic none stands alone/],
  ["an identity in no folder", [...KERNEL, "-machine-id", "no/x"], /'no\/x'.*no folder 'no\/'/],
  ["a console over a disk", [...KERNEL, "-c", "disk", "-serial", "file:disk"], /'disk' is given twice/],
  ["a console over the initrd", [...KERNEL, "-i", "text", "-serial", "file:text"], /'text' is given twice/],
  ["two consoles in one file", [...KERNEL, "-serial", "file:x", "-serial", "file:x"], /'x' is given twice/],
  [
    "an identity that cannot be made",
    [...KERNEL, "-machine-id", "/proc/identity"],
    /cannot write '\/proc\/identity': /,
  ],
  ["a size of broken bytes", [...KERNEL, "-drive", "file=new,size=1.7"], /whole number of bytes/],
  [
    "a text for EFI's variables",
    ["-efi-vars", "text", "-hda", "boots"],
    /cannot use the variable store 'text': /,
  ],
  ["a name of two lines", [...KERNEL, "-name", "two\nlines"], /name of one line/],
  ["a pidfile in no folder", [...KERNEL, "-pidfile", "no/pid"], /'no\/pid': no folder 'no\/'/],
  [
    "an address of zeros",
    [...KERNEL, "-nic", "user,mac=0:0:0:0:0:0"],
    /-nic: mac=00:00:00:00:00:00: .*no card/,
  ],
  ...[["-dry-run"], []].flatMap((mode): typeof MISTAKES => [
    [
      `a long serial number ${mode}`,
      [...mode, ...KERNEL, "-drive", "file=disk,serial=a-serial-number-of-21"],
      /20/,
    ],
    [
      `a serial number of an NVMe disk ${mode}`,
      [...mode, ...KERNEL, "-drive", "file=disk,if=nvme,serial=x"],
      /virtio/,
    ],
    [
      `an identity that is none ${mode}`,
      [...mode, ...KERNEL, "-machine-id", "text"],
      /'text' holds no machine's/,
    ],
    [
      `a socket over a file ${mode}`,
      [...mode, ...KERNEL, "-serial", "unix:text"],
      /'text': it is there and no socket/,
    ],
  ]),
  ["a serial number behind a new disk", [
    ...KERNEL,
    ...NEW,
    "-drive",
    "file=disk,serial=a-serial-number-of-21",
  ], /20/],
  ["an identity behind a new disk", [...KERNEL, ...NEW, "-machine-id", "text"], /'text' holds no machine's/],
  [
    "a huge disk behind a new one",
    [...KERNEL, ...NEW, "-drive", "file=huge,size=99999999T"],
    /'huge': no file/,
  ],
  [
    "a mistake behind all that would be made",
    [
      ...KERNEL,
      ...NEW,
      "-machine-id",
      "id",
      "-serial",
      "file:log",
      "-serial",
      "unix:socket",
      "-b",
      "nowhere0",
    ],
    /'nowhere0'/,
  ],
  ["a mistake behind a new disk", [...KERNEL, ...NEW, "-share", "", "folder"], /'folder'.*empty/],
  ["an option twice", [...KERNEL, "-k", "text"], /-k is given twice \(as -kernel before\)/],
  ["a stray word", [...KERNEL, "vmlinuz"], /unexpected argument 'vmlinuz'/],
  ["a lone dash", [...KERNEL, "-"], /unexpected argument '-'/],
  ["a mistake in a dry run", ["-dry-run", "-kernel", "missing"], /'missing': no such file/],
  [
    "a mistake behind a good console",
    ["-serial", "file:log", "-kernel", "missing"],
    /'missing': no such file/,
  ],
];

let trying: ReturnType<typeof manyLines> | undefined;
/** What vzrun says to all of them, in one folder. */
function mistakes(): ReturnType<typeof manyLines> {
  return trying ??= (async () => {
    using files = new Files();
    return await manyLines(MISTAKES.map(([, args]) => args), files.how);
  })();
}

for (const [i, [mistake, args, message]] of MISTAKES.entries()) {
  Deno.test(`options: ${mistake} gives one line and exit code 2, and starts nothing`, async () => {
    const { code, out, err, changed } = (await mistakes())[i];
    assertEquals({ code, out }, { code: 2, out: "" }, err);
    assertMatch(err, /^vzrun: \P{Cc}+\n$/u);
    assertMatch(err.trimEnd(), message);
    assertEquals(changed, []);
    if (i % 15 > 0) return;
    // Some in a process of their own, and a folder.
    using files = new Files();
    const { names } = files;
    assertEquals(await vzrun(args, files.how, 10), { code, out, err });
    assertEquals(files.names, names);
  });
}

Deno.test("options: what stands in for QEMU here is what a run would have started", async () => {
  using files = new Files();
  const { code, err } = await vzrun([...KERNEL, "-m", "64"], files.how, 10);
  assertEquals(files.names.includes("started"), true, err);
  assertEquals(code, 1);
  assertMatch(err, /^vzrun: [^\n]+\n$/);
});

Deno.test("options: a missing QEMU is named, with the package that has it", async () => {
  const { code, out, err } = await vzrun(KERNEL, { env: { VIRTUALIZATION_QEMU: "no-qemu" } }, 10);
  assertEquals({ code, out }, { code: 1, out: "" });
  assertMatch(err, /^vzrun: [^\n]*“no-qemu”[^\n]*qemu-system-[^\n]*\n$/);
});

Deno.test("options: files of every name are found, in folders of every name", async () => {
  using files = new Files();
  for (const name of ["a\\b", "a b%41#?;:", "gr\u00f6\u00dfe gro\u0308\u00dfe", "a\nb", "~", "a,b"]) {
    const cwd = files.file(name);
    Deno.mkdirSync(cwd);
    for (const file of ["initrd", "disk", "drive"]) {
      Deno.copyFileSync(files.file("disk"), `${cwd}/${file} ${name}`);
    }
    Deno.copyFileSync(`${GUEST}/vmlinuz`, `${cwd}/${name}`);
    const drive = `file=drive ${name.replaceAll(",", ",,")}`;
    const args = ["-kernel", name, "-initrd", `initrd ${name}`, "-d", `disk ${name}`, "-drive", drive];
    args.push("-serial", `file:log ${name}`, "-m", "64");
    const { err } = await vzrun(args, { ...files.how, cwd }, 10);
    const left = [...Deno.readDirSync(cwd)].map((entry) => entry.name).sort();
    const expected = [
      name,
      "started",
      ...["initrd", "disk", "drive", "log"].map((file) => `${file} ${name}`),
    ];
    assertEquals(left, expected.sort(), err);
  }
});

/** Runs vzrun by a shell line, for bytes that are no text: `"$@"` is the command. */
const byShell = (line: string) => ({ through: ["sh", "-c", `exec ${line}`, "sh"] });

Deno.test("options: an environment variable that is no text is no obstacle", async () => {
  const how = byShell('env NAME="$(printf \'caf\\351\')" "$(printf \'caf\\351\')=value" "$@"');
  const { code, err } = await vzrun(["-dry-run", ...KERNEL], how, 10);
  assertEquals({ code, err }, { code: 0, err: "" });
});

Deno.test("options: a file's name that is no text gives one line and exit code 2", async () => {
  const how = byShell('"$@" "$(printf \'bad\\377.img\')"');
  const { code, out, err } = await vzrun([...KERNEL, "-d"], how, 10);
  assertEquals({ code, out }, { code: 2, out: "" }, err);
  assertMatch(err, /^vzrun: cannot open disk 'bad.+\.img': no such file\n$/);
});

Deno.test("options: a run touches no user defaults, and minds no lock that another has left", async () => {
  using files = new Files();
  const lock = files.file("defaults/.lck/.GNUstepDefaults.lck");
  Deno.mkdirSync(lock, { recursive: true });
  Deno.utimeSync(lock, 0, 0);
  Deno.writeTextFileSync(files.file("GNUstep.conf"), `GNUSTEP_USER_DEFAULTS_DIR=${files.file("defaults")}\n`);
  const env = { ...files.how.env, GNUSTEP_CONFIG_FILE: files.file("GNUstep.conf") };
  const { err } = await vzrun([...KERNEL, "-m", "64"], { ...files.how, env }, 10);
  assertEquals(files.names.includes("started"), true, err);
  assertMatch(err, /^vzrun: [^\n]+\n$/);
  assertEquals(Deno.statSync(lock).mtime, new Date(0));
});

Deno.test("options: -dry-run prints the machine as JSON and starts nothing", async () => {
  using files = new Files();
  const { names } = files;
  const boot = [
    "-dry-run",
    ...KERNEL,
    "-i=text",
    "--append",
    "console=hvc0 a='b'",
    "-m",
    "65536K",
    "-smp",
    "1",
  ];
  const args = [...boot, "-serial", "file:log", "-serial", "stdio", "-serial", "null"];
  const { code, out, err } = await vzrun(args, files.how, 10);
  assertEquals({ code, err }, { code: 0, err: "" });
  const machine = JSON.parse(out);
  assertEquals(machine.boot, {
    kind: "linux",
    kernel: `${GUEST}/vmlinuz`,
    initrd: "text",
    commandLine: "console=hvc0 a='b'",
    source: { file: `${GUEST}/vmlinuz`, layers: [Deno.build.arch === "aarch64" ? "arm64 Image" : "bzImage"] },
  });
  assertEquals([machine.memory, machine.processors], [64 * 1024 * 1024, 1]);
  assertEquals(machine.serial, [{ kind: "file", path: "log" }, { kind: "stdio" }, { kind: "null" }]);
  assertEquals(files.names, names);
});

Deno.test("options: without -append and -serial the console is hvc0 on stdio", async () => {
  const { code, out } = await vzrun(["-dry-run", ...KERNEL], {}, 10);
  const { boot, serial } = JSON.parse(out);
  assertEquals({ code, serial }, { code: 0, serial: [{ kind: "stdio" }] });
  assertEquals(boot.commandLine, "console=hvc0");
});

Deno.test("options: -help lists every option on stdout, and -version tells the version", async () => {
  for (const help of ["-help", "--help", "-h"]) {
    const { code, out, err } = await vzrun([help], {}, 10);
    assertEquals({ code, err }, { code: 0, err: "" });
    const names =
      "kernel initrd append cd efi drive hda disk c share nic b m smp serial t display nographic help version dry-run quiet verbose"
        .split(" ");
    for (const name of names) assertMatch(out, new RegExp(`^  -${name}\\b`, "m"));
    for (const line of out.split("\n")) assertLess(line.length, 120);
    assertNotMatch(out, /[^\P{Cc}\n]/u);
  }
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const { code, out, err } = await vzrun(["-version"], {}, 10);
  assertEquals({ code, err }, { code: 0, err: "" });
  assertStringIncludes(out, `vzrun ${version} `);
});

Deno.test("options: ./dev run takes paths from the current folder and keeps the exit code", async () => {
  const dev = async (...args: string[]) => {
    const how = { ...ENVIRONMENT, cwd: GUEST, stdin: "null" } as const;
    const command = new Deno.Command(`${ROOT}/dev`, { ...how, args: ["run", ...args] });
    const { code, stdout, stderr } = await within("./dev run", command.output());
    return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
  };
  const files = ["-kernel", "vmlinuz", "-initrd", "./initrd", "-m", "256", "-smp", "1"];
  assertEquals(await dev(...files, "-append", "console=hvc0 quiet run=\"echo   spaces; echo '*'\""), {
    code: 0,
    out: "spaces\r\n*\r\n",
    err: "",
  });
  const { code, out, err } = await dev("-kernel", "missing");
  assertEquals({ code, out }, { code: 2, out: "" });
  assertMatch(err, /^vzrun: [^\n]*'missing': no such file\n$/);
});
