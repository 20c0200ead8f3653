import { assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { toMachine } from "../../../src/cli/qemu/to_machine.ts";
import { noSettings, type Settings } from "../../../src/cli/qemu/settings.ts";
import { UsageError } from "../../../src/cli/qemu/usage_error.ts";
import type { Disk } from "../../../src/machine/disk.ts";
import { complete, type Machine } from "../../../src/machine/machine.ts";
import type { Limits } from "../../../src/vz/mod.ts";

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;

function settings(some: Partial<Settings>): Settings {
  return { ...noSettings(), ...some };
}

function limits(memory: number, processors: number) {
  return { memory: { minimum: 4 * MiB, maximum: memory }, processors: { minimum: 1, maximum: processors } };
}

const host = limits(64 * GiB, 16);

/** The whole machine that settings describe. */
async function describe(
  given: Settings,
  limits: Limits,
  rosetta?: Parameters<typeof toMachine>[1],
): Promise<Machine> {
  return await complete(toMachine(given, rosetta), limits);
}

const disk: Disk = { file: "D", interface: "virtio", readOnly: false, cache: "writeback", snapshot: false };
const mac = "52:54:00:12:34:56";

Deno.test("to_machine: a kernel alone makes a machine with the defaults", async () => {
  const { network, ...machine } = await describe(settings({ kernel: "K" }), host);
  assertEquals(machine, {
    boot: { kind: "linux", kernel: "K" },
    memory: 4 * GiB,
    processors: 4,
    disks: [],
    shares: [],
    serial: [{ kind: "stdio" }],
  });
  assertEquals(network.map(({ kind }) => kind), ["nat"]);
});

Deno.test("to_machine: what is given is what the machine has", async () => {
  const given = settings({
    kernel: "K",
    initrd: "I",
    append: "quiet",
    memory: 3 * GiB,
    processors: 9,
    disks: [disk, { ...disk, file: "E" }],
    shares: [{ tag: "t", folder: "F", readOnly: true }],
    serial: [{ kind: "null" }, { kind: "stdio" }, { kind: "file", path: "F" }, { kind: "pty", wait: true }],
    network: [{ kind: "bridge", interface: "br0", mac }],
    name: "N",
    machineId: "M",
    display: { width: 640, height: 480, fullGrab: true, hidpi: true },
  });
  assertEquals(await describe(given, host), {
    name: "N",
    machineId: "M",
    boot: { kind: "linux", kernel: "K", initrd: "I", commandLine: "quiet" },
    memory: 3 * GiB,
    processors: 9,
    disks: [disk, { ...disk, file: "E" }],
    shares: [{ tag: "t", folder: "F", readOnly: true }],
    serial: [{ kind: "null" }, { kind: "stdio" }, { kind: "file", path: "F" }, { kind: "pty", wait: true }],
    network: [{ kind: "bridge", interface: "br0", mac }],
    display: { width: 640, height: 480, fullGrab: true, hidpi: true },
  });
});

Deno.test("to_machine: qemu's name of a share counts where another share has its tag, and only there", async () => {
  const share = (tag: string, name: string) => ({ tag, name, folder: "F", readOnly: false });
  const shares = [share("t", "one"), share("alone", "two"), share("t", "three")];
  const { name: _, ...alone } = shares[1];
  assertEquals((await describe(settings({ kernel: "K", shares }), host)).shares, [
    shares[0],
    alone,
    shares[2],
  ]);
});

Deno.test("to_machine: an empty command line is one, and no default", async () => {
  const { boot } = await describe(settings({ kernel: "K", append: "" }), host);
  assertEquals(boot, { kind: "linux", kernel: "K", commandLine: "" });
});

Deno.test("to_machine: what there is to boot says how it is booted", async () => {
  const efi = { kind: "efi" };
  const linux = { kind: "linux", kernel: "K" };
  const boots: [some: Partial<Settings>, boot: unknown][] = [
    [{ disks: [disk] }, efi],
    [{ efi: true, disks: [disk] }, efi],
    [{ efi: true, efiVariables: "V", disks: [disk] }, { kind: "efi", variables: "V" }],
    [{ kernel: "K", disks: [disk] }, linux],
  ];
  for (const [some, boot] of boots) {
    assertEquals((await describe(settings(some), host)).boot, boot, JSON.stringify(some));
  }
});

Deno.test("to_machine: a small host gives half of its memory, in whole MiB, and what processors it has", async () => {
  const machine = (maximum: number, processors = 2) =>
    describe(settings({ kernel: "K" }), limits(maximum, processors));
  assertEquals((await machine(8 * GiB)).memory, 4 * GiB);
  assertEquals((await machine(8 * GiB - MiB)).memory, 4 * GiB - MiB);
  assertEquals((await machine(2 * GiB)).memory, GiB);
  assertEquals((await machine(1001 * MiB)).memory, 500 * MiB);
  assertEquals((await machine(GiB, 1)).processors, 1);
  assertEquals((await machine(GiB, 4)).processors, 4);
});

Deno.test("to_machine: no console at all can be had, and only alone", async () => {
  assertEquals((await describe(settings({ kernel: "K", serial: ["none"] }), host)).serial, []);
  for (
    const serial of [["none", { kind: "stdio" }], [{ kind: "null" }, "none"], [
      "none",
      "none",
    ]] as Settings["serial"][]
  ) {
    const error = await assertRejects(() => describe(settings({ kernel: "K", serial }), host), UsageError);
    assertEquals(error.message, "-serial none stands alone");
  }
});

Deno.test("to_machine: no network at all can be had, and only alone", async () => {
  assertEquals((await describe(settings({ kernel: "K", network: ["none"] }), host)).network, []);
  for (const network of [["none", "none"], ["none", { kind: "nat" }]] as Settings["network"][]) {
    const error = await assertRejects(() => describe(settings({ kernel: "K", network }), host), UsageError);
    assertEquals(error.message, "-nic none stands alone");
  }
});

Deno.test("to_machine: a card without an address gets one of its own, which a named machine keeps", async () => {
  const addresses = async (name: string | undefined, cards: number) => {
    const network = Array.from({ length: cards }, () => ({ kind: "nat" }) as const);
    const machine = await describe(settings({ kernel: "K", network, name }), host);
    return machine.network.map(({ mac }) => mac!);
  };
  const [first, second] = await addresses("web", 2);
  assertEquals([first, second], ["02:c5:07:b2:08:d4", "02:fb:db:f2:01:2d"]);
  assertEquals(await addresses("web", 1), [first]);
  assertNotEquals(await addresses("web2", 1), [first]);
  const [[random], [another]] = [await addresses(undefined, 1), await addresses(undefined, 1)];
  assertNotEquals(random, another);
  for (const address of [first, second, random, another]) assertMatch(address, /^02(:[0-9a-f]{2}){5}$/);
});

Deno.test("to_machine: Rosetta is there by default where it is installed, and only there", async () => {
  const rosetta = async (
    wanted: Settings["rosetta"],
    availability: "installed" | "notInstalled" | undefined,
  ) => (await describe(settings({ kernel: "K", rosetta: wanted }), host, availability)).rosetta;
  assertEquals(await rosetta(undefined, "installed"), "rosetta");
  assertEquals(await rosetta("x86", "installed"), "x86");
  assertEquals(await rosetta(null, "installed"), undefined);
  for (const availability of ["notInstalled", undefined] as const) {
    assertEquals(await rosetta(undefined, availability), undefined);
    assertEquals(await rosetta(null, availability), undefined);
    const error = await assertRejects(() => rosetta("rosetta", availability), UsageError);
    assertMatch(error.message, availability ? /^-rosetta: .*softwareupdate/ : /^-rosetta: .*Apple silicon/);
  }
});

Deno.test("to_machine: what cannot be one machine is told", async () => {
  const nothing = "nothing to boot: give a kernel with -kernel FILE";
  const refused: [some: Partial<Settings>, message: string][] = [
    [{}, `${nothing} (-cd boots a CD, -help lists all options)`],
    [{ append: "x" }, "-append needs -kernel: it is the kernel's command line"],
    [{ initrd: "I" }, "-initrd needs -kernel: it is the kernel that reads it"],
    [{ initrd: "I", append: "x" }, "-append needs -kernel: it is the kernel's command line"],
    [{ efi: true, disks: [disk], append: "x" }, "-append needs -kernel: it is the kernel's command line"],
    [{ disks: [disk], initrd: "I" }, "-initrd needs -kernel: it is the kernel that reads it"],
    [{ efi: true }, "-efi needs a disk to boot from, as in -hda FILE"],
    [
      { efi: true, kernel: "K", disks: [disk] },
      "-efi and -kernel exclude each other: with a kernel there is no firmware",
    ],
    [
      { efi: true, efiVariables: "V", kernel: "K" },
      "-efi-vars and -kernel exclude each other: with a kernel there is no firmware",
    ],
  ];
  for (const [some, message] of refused) {
    const error = await assertRejects(() => describe(settings(some), host), UsageError);
    assertEquals(error.message, message);
  }
});
