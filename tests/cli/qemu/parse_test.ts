import { assertEquals, assertRejects } from "@std/assert";
import type { DiskSettings } from "../../../src/cli/qemu/drive.ts";
import { OPTIONS } from "../../../src/cli/qemu/options.ts";
import { noSettings, type Settings } from "../../../src/cli/qemu/settings.ts";
import { UsageError } from "../../../src/cli/qemu/usage_error.ts";
import { parse } from "../../../src/cli/qemu/parse.ts";

const MiB = 1024 * 1024;
const NOTHING = noSettings();

/** A disk, with what an option says nothing about. */
function disk(file: string, some: Partial<DiskSettings> = {}): DiskSettings {
  return { file, interface: "virtio", readOnly: false, cache: "writeback", ...some };
}

Deno.test("parse: each option, in every form that it may be written in", async () => {
  const lines: [argv: string[], settings: Partial<Settings>][] = [
    [[], {}],
    [["-kernel", "K"], { kernel: "K" }],
    [["--kernel", "K"], { kernel: "K" }],
    [["-kernel=K"], { kernel: "K" }],
    [["--kernel=K"], { kernel: "K" }],
    [["-k", "K"], { kernel: "K" }],
    [["--k=K"], { kernel: "K" }],
    [["-kernel=a=b=c"], { kernel: "a=b=c" }],
    [["-kernel="], { kernel: "" }],
    [["-kernel", ""], { kernel: "" }],
    [["-initrd", "I"], { initrd: "I" }],
    [["-initramfs", "I"], { initrd: "I" }],
    [["-i", "I"], { initrd: "I" }],
    [["-append", "console=hvc0 quiet"], { append: "console=hvc0 quiet" }],
    [["-append=console=hvc0 quiet"], { append: "console=hvc0 quiet" }],
    [["-a", ""], { append: "" }],
    [["-append", "a\nb"], { append: "a\nb" }],
    [["-append=a\nb"], { append: "a\nb" }],
    // A value may begin with a dash, unless it is an option.
    [["-append", "-unheard of"], { append: "-unheard of" }],
    [["-append=-kernel"], { append: "-kernel" }],
    [["-kernel", "-"], { kernel: "-" }],
    [["-kernel", "--"], { kernel: "--" }],
    [["-smp", "3"], { processors: 3 }],
    [["-p", "007"], { processors: 7 }],
    [["-smp=0"], { processors: 0 }],
    [["-serial", "stdio"], { serial: [{ kind: "stdio" }] }],
    [["-serial", "null"], { serial: [{ kind: "null" }] }],
    [["-serial", "none"], { serial: ["none"] }],
    [["-serial", "file:/tmp/a b"], { serial: [{ kind: "file", path: "/tmp/a b" }] }],
    [["-serial", "file:a,append=on"], { serial: [{ kind: "file", path: "a", append: true }] }],
    [["-serial", "file:a,append=off"], { serial: [{ kind: "file", path: "a" }] }],
    [["-serial", "file:"], { serial: [{ kind: "file", path: "" }] }],
    [["-serial=file:a=b:c"], { serial: [{ kind: "file", path: "a=b:c" }] }],
    [["-serial", "null", "--serial=stdio"], { serial: [{ kind: "null" }, { kind: "stdio" }] }],
    [["-serial", "pty"], { serial: [{ kind: "pty", wait: false }] }],
    [["-serial", "pty,wait"], { serial: [{ kind: "pty", wait: true }] }],
    [["-serial", "unix:/tmp/a b:c"], { serial: [{ kind: "unix", path: "/tmp/a b:c" }] }],
    [["-serial=unix:"], { serial: [{ kind: "unix", path: "" }] }],
    [["-t", "0"], { serial: [{ kind: "stdio" }] }],
    [["-t", "1"], { serial: [{ kind: "pty", wait: false }] }],
    [["-serial", "null", "-t", "1"], { serial: [{ kind: "null" }, { kind: "pty", wait: false }] }],
    [["-nographic"], { display: "none", nographic: true }],
    [["--nographic", "-nographic"], { display: "none", nographic: true }],
    [["-display", "none", "-nographic"], { display: "none", nographic: true }],
    [["-display", "window"], { display: {} }],
    [["-display", "window,width=1024,full-grab=on"], {
      display: { width: 1024, fullGrab: true },
    }],
    [["-display=window,height=480,full-grab=off"], { display: { height: 480, fullGrab: false } }],
    [["-help"], { mode: "help" }],
    [["--help"], { mode: "help" }],
    [["-h"], { mode: "help" }],
    [["-version"], { mode: "version" }],
    [["-dry-run"], { mode: "dry-run" }],
    [["--dry-run"], { mode: "dry-run" }],
    [["-daemonize"], { daemonize: true }],
    [["-quiet"], { verbosity: "quiet" }],
    [["-verbose"], { verbosity: "verbose" }],
    [["-kernel", "K", "-i", "I", "-m=1G", "--smp", "2", "-quiet"], {
      kernel: "K",
      initrd: "I",
      memory: 1024 * MiB,
      processors: 2,
      verbosity: "quiet",
    }],
  ];
  for (const [argv, settings] of lines) {
    assertEquals(await parse(argv), { ...NOTHING, ...settings }, argv.join(" "));
  }
});

const CD: Partial<DiskSettings> = { interface: "usb", readOnly: true, media: "cdrom", format: "raw" };

Deno.test("parse: disks are in the order in which they are given, whatever option gives them", async () => {
  const lines: [argv: string[], settings: Partial<Settings>][] = [
    [["-d", "foo", "-d", "bar", "-c", "blah"], {
      disks: [disk("foo"), disk("bar"), disk("blah", { readOnly: true })],
    }],
    [["-c", "C", "-disk", "D", "-c=E"], {
      disks: [disk("C", { readOnly: true }), disk("D"), disk("E", { readOnly: true })],
    }],
    [["-hdd", "4", "-hdb", "2", "-hdc", "3", "-hda", "1"], {
      disks: ["4", "2", "3", "1"].map((n) => disk(n, { slot: Number(n) - 1 })),
    }],
    [["-hda", "1", "-drive", "file=2,if=nvme", "--disk=3", "-cd", "4", "-d", "5"], {
      disks: [disk("1", { slot: 0 }), disk("2", { interface: "nvme" }), disk("3"), disk("4", CD), disk("5")],
    }],
    [["-cd", "I"], { disks: [disk("I", CD)] }],
    [["-cdrom", "I", "--cd=J"], { disks: [disk("I", CD), disk("J", CD)] }],
    [["-efi", "-hda", "D"], { efi: true, disks: [disk("D", { slot: 0 })] }],
    [["-efi-vars", "V"], { efi: true, efiVariables: "V" }],
    [["-efi", "-efi-vars=V"], { efi: true, efiVariables: "V" }],
    // A file name is not looked into: only -drive has commas that mean something.
    [["-d", "a,readonly=on"], { disks: [disk("a,readonly=on")] }],
  ];
  for (const [argv, settings] of lines) {
    assertEquals(await parse(argv), { ...NOTHING, ...settings }, argv.join(" "));
  }
});

function folder(file: string, parts: Partial<DiskSettings> = {}): DiskSettings {
  return disk(file, { format: "fat", readOnly: true, ...parts });
}

Deno.test("parse: -drive is read as qemu reads it", async () => {
  const drives: [text: string, drive: DiskSettings][] = [
    ["file=F", disk("F")],
    ["file=F,format=raw", disk("F", { format: "raw" })],
    ["format=qcow2,file=F", disk("F", { format: "qcow2" })],
    ["format=vpc,file=F", disk("F", { format: "vpc" })],
    ["format=xz,file=F", disk("F", { format: "xz" })],
    ["file=F,snapshot=on", disk("F", { snapshot: true })],
    ["file=F,snapshot=off", disk("F", { snapshot: false })],
    ["file=F,if=virtio", disk("F")],
    ["file=F,if=usb", disk("F", { interface: "usb" })],
    ["if=nvme,file=F", disk("F", { interface: "nvme" })],
    ["file=F,readonly=on", disk("F", { readOnly: true })],
    ["file=F,readonly=off", disk("F")],
    ["file=F,size=1G", disk("F", { size: 1024 * MiB })],
    ["file=F,size=64", disk("F", { size: 64 * MiB })],
    ["file=F,size=0.5M", disk("F", { size: MiB / 2 })],
    ["file=F,serial=disk 1", disk("F", { serial: "disk 1" })],
    ["file=F,serial=", disk("F", { serial: "" })],
    ["file=F,cache=writeback", disk("F")],
    ["file=F,cache=none", disk("F", { cache: "none" })],
    ["file=F,cache=writethrough", disk("F", { cache: "writethrough" })],
    ["file=F,cache=unsafe", disk("F", { cache: "unsafe" })],
    ["file=", disk("")],
    ["file=a=b", disk("a=b")],
    ["file=a b\nc", disk("a b\nc")],
    ["file=a,,b", disk("a,b")],
    ["file=,,", disk(",")],
    ["file=a,,b,,c,size=1", disk("a,b,c", { size: MiB })],
    ["file=a,,,,b", disk("a,,b")],
    ["file=a,,,size=1", disk("a,", { size: MiB })],
    ["size=1,file=,,a", disk(",a", { size: MiB })],
    ["file=fat:DIR", folder("DIR")],
    ["format=raw,file=fat:ro:DIR", folder("DIR")],
    ["file=fat:32:DIR,if=usb", folder("DIR", { interface: "usb" })],
    ["file=fat:My label:DIR,readonly=on", folder("DIR", { label: "My label" })],
    ["file=fat:ro:L:a:b,serial=S", folder("a:b", { label: "L", serial: "S" })],
    ["file=fat:./a:b", folder("./a:b")],
    ["file=fat:/a,,b", folder("/a,b")],
    ["file=a/fat:DIR", disk("a/fat:DIR")],
  ];
  for (const [text, drive] of drives) assertEquals((await parse(["-drive", text])).disks, [drive], text);
  assertEquals((await parse(["-hda", "fat:L:DIR"])).disks, [folder("DIR", { label: "L", slot: 0 })]);
});

Deno.test("parse: shares, in smolvm's two words and in qemu's one", async () => {
  const shares: [
    argv: string[],
    ...shares: [tag: string, folder: string, readOnly: boolean, name?: string][],
  ][] = [
    [["-share", "src", "DIR"], ["src", "DIR", false]],
    [["-share=src", "DIR"], ["src", "DIR", false]],
    [["--share", "src", "DIR,ro"], ["src", "DIR", true]],
    [["-share", "src", "a,b"], ["src", "a,b", false]],
    [["-share", "", ""], ["", "", false]],
    [["-share", "a", "A", "-share", "b", "A,ro"], ["a", "A", false], ["b", "A", true]],
    [["-virtfs", "local,path=DIR,mount_tag=src"], ["src", "DIR", false]],
    [["-virtfs", "local,mount_tag=src,path=DIR,readonly=on"], ["src", "DIR", true]],
    [["-virtfs=local,path=DIR,mount_tag=src,security_model=none,id=x,readonly=off"], [
      "src",
      "DIR",
      false,
      "x",
    ]],
    [["-virtfs", "local,path=a,,b,mount_tag=src"], ["src", "a,b", false]],
    [["-share", "a", "A", "-virtfs", "local,path=B,mount_tag=b"], ["a", "A", false], ["b", "B", false]],
  ];
  for (const [argv, ...expected] of shares) {
    const settings = expected.map(([tag, folder, readOnly, name]) => ({
      tag,
      ...name !== undefined && { name },
      folder,
      readOnly,
    }));
    assertEquals((await parse(argv)).shares, settings, argv.join(" "));
  }
});

Deno.test("parse: Rosetta may be given a tag, and be refused", async () => {
  const lines: [argv: string[], rosetta: string | null | undefined][] = [
    [[], undefined],
    [["-rosetta"], "rosetta"],
    [["-rosetta", "x86"], "x86"],
    [["--rosetta=x86"], "x86"],
    [["-rosetta", "-m", "512"], "rosetta"],
    [["-rosetta=", "-m", "512"], ""],
    [["-no-rosetta"], null],
  ];
  for (const [argv, rosetta] of lines) assertEquals((await parse(argv)).rosetta, rosetta, argv.join(" "));
});

Deno.test("parse: network cards, their addresses as they are written", async () => {
  const cards: [argv: string[], network: Settings["network"]][] = [
    [["-nic", "user"], [{ kind: "nat" }]],
    [["-nic", "none"], ["none"]],
    [["-nic", "user,model=virtio"], [{ kind: "nat" }]],
    [["-nic", "user,model=virtio-net-pci"], [{ kind: "nat" }]],
    [["-nic", "user,mac=52:54:00:12:34:56"], [{ kind: "nat", mac: "52:54:00:12:34:56" }]],
    [["-nic", "user,mac=52:54:0:A:bC:f"], [{ kind: "nat", mac: "52:54:0:A:bC:f" }]],
    [["-nic", "dgram,local.type=fd,local.str=5,mtu=9000"], [{
      kind: "descriptor",
      descriptor: 5,
      mtu: 9000,
    }]],
    [
      ["-nic", "vmnet-shared,start-address=192.168.90.1,end-address=192.168.90.9,subnet-mask=255.255.255.0"],
      [{ kind: "nat", subnet: "192.168.90.1/24", guestAddress: "192.168.90.9" }],
    ],
    [["-nic", "bridge,br=en0"], [{ kind: "bridge", interface: "en0" }]],
    [["-nic=bridge,mac=2:0:0:0:0:1,br=a,,b"], [{
      kind: "bridge",
      interface: "a,b",
      mac: "2:0:0:0:0:1",
    }]],
    [["-b", "en0"], [{ kind: "bridge", interface: "en0" }]],
    [["-nic", "user", "-b", "br0", "-nic", "user"], [{ kind: "nat" }, {
      kind: "bridge",
      interface: "br0",
    }, { kind: "nat" }]],
  ];
  for (const [argv, network] of cards) assertEquals((await parse(argv)).network, network, argv.join(" "));
});

Deno.test("parse: a machine's name and identity", async () => {
  assertEquals(await parse(["-name", "web 1", "-machine-id", "id"]), {
    ...NOTHING,
    name: "web 1",
    machineId: "id",
  });
});

Deno.test("parse: sizes are MiB, or what their letter says", async () => {
  const sizes: [text: string, bytes: number][] = [
    ["512", 512 * MiB],
    ["512M", 512 * MiB],
    ["512m", 512 * MiB],
    ["2G", 2048 * MiB],
    ["2g", 2048 * MiB],
    ["4096K", 4 * MiB],
    ["4097k", 4097 * 1024],
    ["1T", 1024 * 1024 * MiB],
    ["1.5G", 1536 * MiB],
    ["0.5", MiB / 2],
    ["0", 0],
    ["007", 7 * MiB],
  ];
  for (const [text, bytes] of sizes) assertEquals((await parse(["-m", text])).memory, bytes, text);
});

Deno.test("parse: what is not understood is told in one line, with the nearest option when it is a slip", async () => {
  const size = "expected a size in MiB, or with K, M or G, like 512 or 2G";
  const serial = "expected stdio, pty, pty,wait, file:PATH, unix:PATH, tcp:HOST:PORT,server=on, null or none";
  const drive = "file, if, media, readonly, format, size, cache, serial, timeout, snapshot, index, id";
  const stray = "every value follows its option, as in -kernel FILE";
  const lines: [argv: string[], message: string][] = [
    [["-kernal", "K"], "unknown option '-kernal': did you mean -kernel?"],
    [["--kernal=K"], "unknown option '--kernal': did you mean -kernel?"],
    [["-kernels=a=b"], "unknown option '-kernels': did you mean -kernel?"],
    [["-initrds", "I"], "unknown option '-initrds': did you mean -initrd?"],
    [["-initramf"], "unknown option '-initramf': did you mean -initramfs?"],
    [["-apend", "x"], "unknown option '-apend': did you mean -append?"],
    [["-seriel"], "unknown option '-seriel': did you mean -serial?"],
    [["-nographics"], "unknown option '-nographics': did you mean -nographic?"],
    [["-dryrun"], "unknown option '-dryrun': did you mean -dry-run?"],
    [["-dry_run"], "unknown option '-dry_run': did you mean -dry-run?"],
    [["-verbos"], "unknown option '-verbos': did you mean -verbose?"],
    [["-Help"], "unknown option '-Help': did you mean -help?"],
    [["-smb", "2"], "unknown option '-smb': did you mean -smp?"],
    [["-z"], "unknown option '-z'; -help lists all"],
    [["-K"], "unknown option '-K'; -help lists all"],
    [["-constructor"], "unknown option '-constructor'; -help lists all"],
    [["-__proto__"], "unknown option '-__proto__'; -help lists all"],
    [["-m512"], "unknown option '-m512'; -help lists all"],
    [["vmlinuz"], `unexpected argument 'vmlinuz': ${stray}`],
    [["-kernel", "K", "extra"], `unexpected argument 'extra': ${stray}`],
    [[""], `unexpected argument '': ${stray}`],
    [["-"], `unexpected argument '-': ${stray}`],
    [["--"], `unexpected argument '--': ${stray}`],
    [["---kernel", "K"], `unexpected argument '---kernel': ${stray}`],
    [["-=x"], `unexpected argument '-=x': ${stray}`],
    [["-kernel"], "-kernel needs a value: -kernel FILE"],
    [["--kernel"], "--kernel needs a value: --kernel FILE"],
    [["-k"], "-k needs a value: -k FILE"],
    [["-kernel", "-initrd", "I"], "-kernel needs a value: -kernel FILE"],
    [["-append", "--m=5"], "-append needs a value: -append STRING"],
    [["-m"], "-m needs a value: -m SIZE"],
    [["-smp", "-nographic"], "-smp needs a value: -smp N"],
    [
      ["-serial"],
      "-serial needs a value: -serial stdio|pty[,wait]|file:PATH[,append=on]|unix:PATH|tcp:HOST:PORT,server=on|null|none",
    ],
    [["-help=yes"], "-help yes: the topic is one of qemu"],
    [["--nographic="], "--nographic takes no value"],
    [["-kernel", "K", "-kernel", "L"], "-kernel is given twice"],
    [["-kernel", "K", "-k=L"], "-k is given twice (as -kernel before)"],
    [["--initrd", "I", "-initramfs", "I"], "-initramfs is given twice (as --initrd before)"],
    [["-m", "1G", "-m", "1G"], "-m is given twice"],
    [["-m", "abc"], `-m abc: ${size}`],
    [["-m", "-5"], `-m -5: ${size}`],
    [["-m", "1e3"], `-m 1e3: ${size}`],
    [["-m", "0x100"], `-m 0x100: ${size}`],
    [["-m", "1P"], `-m 1P: ${size}`],
    [["-m", "1GB"], `-m 1GB: ${size}`],
    [["-m", "1 G"], `-m 1 G: ${size}`],
    [["-m", "G"], `-m G: ${size}`],
    [["-m", "1."], `-m 1.: ${size}`],
    [["--m=Infinity"], `--m Infinity: ${size}`],
    [["-smp", "two"], "-smp two: expected a whole number"],
    [["-smp", "1.5"], "-smp 1.5: expected a whole number"],
    [["-smp", "-1"], "-smp -1: expected a whole number"],
    [["-p", "٣"], "-p ٣: expected a whole number"],
    [["-serial", "pipe"], "-serial pipe: -serial pty, or a unix socket"],
    [["-serial", "pipes"], `-serial pipes: ${serial}`],
    [["-serial", "file"], `-serial file: ${serial}`],
    [["-serial", "unix"], `-serial unix: ${serial}`],
    [["-serial", "Stdio"], `-serial Stdio: ${serial}`],
    [["-serial", "pty,"], `-serial pty,: ${serial}`],
    [["-serial", "pty,wait,x"], `-serial pty,wait,x: ${serial}`],
    [["-serial", ""], `-serial : ${serial}`],
    [["-t", "2"], "-t 2: the terminal is one of 0, 1"],
    [["-t", ""], "-t : the terminal is one of 0, 1"],
    [["-drive"], `-drive needs a value: -drive ${OPTIONS.find(({ names }) => names[0] === "drive")!.value}`],
    [["-drive", "F"], `-drive F: 'F' is not key=value; known are ${drive}`],
    [["-drive", ""], "-drive : file=FILE is missing"],
    [["-drive", "size=1G"], "-drive size=1G: file=FILE is missing"],
    [["-drive", "file=F,"], `-drive file=F,: '' is not key=value; known are ${drive}`],
    [["-drive", "file=F,buss=0"], `-drive file=F,buss=0: unknown 'buss='; known are ${drive}`],
    [["-drive", "FILE=F"], `-drive FILE=F: unknown 'FILE='; known are ${drive}`],
    [["-drive", "__proto__=x"], `-drive __proto__=x: unknown '__proto__='; known are ${drive}`],
    [["-drive", "file=F,file=G"], "-drive file=F,file=G: file= is given twice"],
    [
      ["-drive", "file=F,if=ide"],
      "-drive file=F,if=ide: if=ide: disks are on virtio, usb or nvme: if=virtio",
    ],
    [["-drive", "file=F,readonly=ro"], "-drive file=F,readonly=ro: readonly is one of on, off"],
    [["-drive", "file=F,format"], `-drive file=F,format: 'format' is not key=value; known are ${drive}`],
    [
      ["-drive", "file=F,format=vdi"],
      "-drive file=F,format=vdi: format is one of raw, qcow2, vmdk, vpc, vhdx, gzip, xz, zstd, bzip2, asif",
    ],
    [["-drive", "file=F,size=big"], `-drive file=F,size=big: ${size}`],
    [["-drive", "file=F,size=-1"], `-drive file=F,size=-1: ${size}`],
    [["-drive", "file=F,size="], `-drive file=F,size=: ${size}`],
    [
      ["-drive", "file=F,cache=directsync"],
      "-drive file=F,cache=directsync: cache is one of writeback, none, writethrough, unsafe",
    ],
    [["-hda"], "-hda needs a value: -hda FILE"],
    [["-hda", "A", "-hda", "B"], "-hda is given twice"],
    [["-d"], "-d needs a value: -d FILE"],
    [["-hde", "A"], "unknown option '-hde': did you mean -hda?"],
    [["-cd", "-m", "5"], "-cd needs a value: -cd FILE"],
    [["-efi=yes"], "-efi takes no value"],
    [["-efi-vars"], "-efi-vars needs a value: -efi-vars FILE"],
    [["-efi-vars", "A", "-efi-vars", "B"], "-efi-vars is given twice"],
    [["-share"], "-share needs a value: -share TAG DIR[,ro]"],
    [["-share", "src"], "-share needs one more value: -share TAG DIR[,ro]"],
    [["-share=src"], "-share needs one more value: -share TAG DIR[,ro]"],
    [["-share", "src", "-m", "5"], "-share needs one more value: -share TAG DIR[,ro]"],
    [["-share", "src", "DIR", "ro"], `unexpected argument 'ro': ${stray}`],
    [["-virtfs", "path=D,mount_tag=T"], "-virtfs path=D,mount_tag=T: the first word is one of local"],
    [["-virtfs", "local"], "-virtfs local: path=DIR is missing"],
    [["-virtfs", "local,path=D"], "-virtfs local,path=D: mount_tag=TAG is missing"],
    [["-virtfs", "local,mount_tag=T"], "-virtfs local,mount_tag=T: path=DIR is missing"],
    [
      ["-virtfs", "local,tag=T"],
      "-virtfs local,tag=T: unknown 'tag='; known are path, mount_tag, readonly, id",
    ],
    [["-no-rosetta=x"], "-no-rosetta takes no value"],
    [["-rosetta", "-rosetta"], "-rosetta is given twice"],
    [
      ["-nic"],
      "-nic needs a value: -nic user|bridge|none|dgram|stream|vmnet-shared|vmnet-host|vmnet-bridged[,KEY=VALUE]",
    ],
    [["-nic", "tap"], "-nic tap: there are user, bridge, dgram and stream: -nic bridge,br=IF"],
    [
      ["-nic", "tapp"],
      "-nic tapp: the network is one of user, bridge, none, dgram, stream, vmnet-shared, vmnet-host, vmnet-bridged",
    ],
    [
      ["-nic", ""],
      "-nic : the network is one of user, bridge, none, dgram, stream, vmnet-shared, vmnet-host, vmnet-bridged",
    ],
    [["-nic", "none,mac=52:54:00:12:34:56"], "-nic none,mac=52:54:00:12:34:56: none takes nothing more"],
    [["-nic", "bridge"], "-nic bridge: br=INTERFACE is missing"],
    [["-nic", "user,br=en0"], "-nic user,br=en0: br= goes with bridge"],
    [
      ["-nic", "user,model=e1000"],
      "-nic user,model=e1000: model=: only virtio, virtio-net-pci, virtio-net-device, virtio-net can be, " +
      "since the card is a virtio one",
    ],
    [["-nic", "user,mtu=9000"], "-nic user,mtu=9000: mtu= goes with dgram, stream"],
    [["-b"], "-b needs a value: -b IF"],
    [["-display", "gtkk"], "-display gtkk: the display is one of window, none"],
    [["-display", "none,width=1"], "-display none,width=1: none takes nothing more"],
    [["-display", "window,width=wide"], "-display window,width=wide: expected a whole number"],
    [
      ["-display", "window,depth=8"],
      "-display window,depth=8: unknown 'depth='; known are width, height, full-grab, hidpi",
    ],
    [["-display", "window", "-nographic"], "a window and -nographic exclude each other"],
    [
      ["-nographic", "-display", "window"],
      "-display window: a window and -nographic exclude each other",
    ],
    [["-name", "a", "-name", "b"], "-name is given twice"],
    [["-machine-id"], "-machine-id needs a value: -machine-id FILE"],
    // The first of several.
    [["-bogus", "-m", "abc"], "unknown option '-bogus'; -help lists all"],
    [["-m", "abc", "-bogus"], `-m abc: ${size}`],
  ];
  for (const [argv, message] of lines) {
    const error = await assertRejects(() => parse(argv), UsageError, undefined, argv.join(" "));
    assertEquals(error.message, message, argv.join(" "));
  }
});

Deno.test("options: no name stands for two of them, and each has its help", () => {
  const names = OPTIONS.flatMap((option) => option.names);
  assertEquals(names.length, new Set(names).size);
  for (const { names, help, value } of OPTIONS) {
    assertEquals(
      [/^[A-Z][a-z]|\.$|\n/.test(help) && !/^Linux/.test(help), help.length > 0],
      [false, true],
      names[0],
    );
    assertEquals(value === "", false, names[0]);
  }
});

Deno.test("parse: -completions names a shell that there are completions for", async () => {
  const { mode, shell } = await parse(["-completions", "fish"]);
  assertEquals([mode, shell], ["completions", "fish"]);
  assertEquals((await parse(["-completions", "zsh", "-help"])).mode, "help");
  await assertRejects(
    () => parse(["-completions", "tcsh"]),
    UsageError,
    "the shell is one of bash, zsh, fish",
  );
});
