import { assertEquals, assertRejects } from "@std/assert";
import { MachineError, VirtualMachine } from "vzrun";
import { complete } from "../../src/machine/machine.ts";
import { Folder } from "../e2e/vzrun.ts";

const limits = { memory: { minimum: 2 ** 22, maximum: 2 ** 33 }, processors: { minimum: 1, maximum: 8 } };

/** A folder with what looks like a kernel, and a disk; as a program may have read descriptions from anywhere. */
function files() {
  const folder = new Folder();
  const kernel = new Uint8Array(8192);
  kernel.set(new TextEncoder().encode("HdrS"), 0x202);
  Deno.writeFileSync(folder.file("kernel"), kernel);
  Deno.writeFileSync(folder.file("disk"), new Uint8Array(512));
  const boot = { kind: "linux", kernel: folder.file("kernel") };
  const disk = { file: folder.file("disk") };
  return { folder, boot, disk, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

Deno.test("description: what is undefined is as if it was not there", async () => {
  using here = files();
  const nothing = {
    name: undefined,
    memory: undefined,
    disks: undefined,
    shares: undefined,
    serial: undefined,
    network: undefined,
    display: undefined,
  };
  const without = await complete({ boot: here.boot } as never, limits);
  const { network: [card], ...machine } = await complete({ boot: here.boot, ...nothing } as never, limits);
  assertEquals({ ...machine, network: [{ ...card, mac: without.network[0].mac }] }, without);
  const parts = {
    readOnly: undefined,
    interface: undefined,
    cache: undefined,
    snapshot: undefined,
    size: undefined,
  };
  const whole = await complete({
    boot: here.boot,
    disks: [{ ...here.disk, ...parts }],
    shares: [{ tag: "t", folder: "/", readOnly: undefined }],
    display: { width: undefined },
    network: [{ kind: "nat", mac: "2:0:0:0:A:1" }],
  } as never, limits);
  assertEquals(whole.disks, [
    { ...here.disk, interface: "virtio", readOnly: false, cache: "writeback", snapshot: false },
  ]);
  assertEquals(whole.shares, [{ tag: "t", folder: "/", readOnly: false }]);
  assertEquals(whole.display?.width, 800);
  assertEquals(whole.network, [{ kind: "nat", mac: "02:00:00:00:0a:01" }]);
});

Deno.test("description: whatever does not fit is a MachineError with its field", async () => {
  using here = files();
  const { boot, disk } = here;
  const mac = (mac: unknown) => ({ boot, network: [{ kind: "nat", mac }] });
  const zero = "it holds a zero byte, which no path, name or command line has";
  const wrong: [description: unknown, field: string | undefined, reason: string | RegExp][] = [
    [undefined, undefined, "expected an object, not undefined"],
    [{}, "boot", "it is missing"],
    [{ boot: { kind: "bios" } }, "boot.kind", '"bios" is none of linux, efi'],
    [{ boot: { kind: "linux" } }, "boot.kernel", "it is missing"],
    [{ boot: { ...boot, kernel: "a\0b" } }, "boot.kernel", zero],
    [{ boot: { ...boot, commandLine: "a\0b" } }, "boot.commandLine", zero],
    [{ boot: { ...boot, initrd: 1 } }, "boot.initrd", "expected a text, not 1"],
    [{ boot, memory: NaN }, "memory", "expected a whole number, not NaN"],
    [{ boot, memory: "512" }, "memory", 'expected a whole number, not "512"'],
    [{ boot, memory: 2 ** 29 + 0.5 }, "memory", "expected a whole number, not 536870912.5"],
    [{ boot, memory: Infinity }, "memory", /whole number of MiB/],
    [{ boot, processors: 1.5 }, "processors", "expected a whole number, not 1.5"],
    [{ boot, processors: NaN }, "processors", "expected a whole number, not NaN"],
    [{ boot, processors: -1 }, "processors", /^-1 processors/],
    [{ boot, name: "two\nlines" }, "name", "expected a name of one line"],
    [{ boot, name: "" }, "name", "expected a name of one line"],
    [{ boot, machineId: "a\0b" }, "machineId", zero],
    [{ boot, disks: disk }, "disks", /^expected a list/],
    [{ boot, disks: [{}] }, "disks[0].file", "it is missing"],
    [{ boot, disks: [disk, { file: "a\0b" }] }, "disks[1].file", zero],
    [
      { boot, disks: [{ ...disk, interface: "ide" }] },
      "disks[0].interface",
      '"ide" is none of virtio, usb, nvme',
    ],
    [{ boot, disks: [{ ...disk, cache: "fast" }] }, "disks[0].cache", /none of writeback/],
    [
      { boot, disks: [{ ...disk, format: "vdi" }] },
      "disks[0].format",
      '"vdi" is none of raw, qcow2, vmdk, vpc, vhdx, gzip, xz, zstd, bzip2, asif, fat',
    ],
    [
      { boot, disks: [{ ...disk, readOnly: "yes" }] },
      "disks[0].readOnly",
      'expected true or false, not "yes"',
    ],
    [
      { boot, disks: [{ ...disk, readonly: true }] },
      "disks[0].readonly",
      /^there is no such field; known are file/,
    ],
    [{ boot, disks: [{ ...disk, serial: "a\0b" }] }, "disks[0].serial", zero],
    [
      { boot, disks: [{ file: `${disk.file}.new`, size: -512 }] },
      "disks[0].size",
      /whole number of 512-byte/,
    ],
    [
      { boot, disks: [{ file: `${disk.file}.new`, size: NaN }] },
      "disks[0].size",
      "expected a whole number, not NaN",
    ],
    [{ boot, shares: [{ tag: "a\0b", folder: "/" }] }, "shares[0].tag", zero],
    [{ boot, shares: [{ tag: "a", folder: "/a\0b" }] }, "shares[0].folder", zero],
    [{ boot, rosetta: true }, "rosetta", "expected a text, not true"],
    [
      { boot, serial: [{ kind: "udp" }] },
      "serial[0].kind",
      /none of stdio, stream, pty, file, unix, tcp, null/,
    ],
    [{ boot, serial: [{ kind: "file", path: "a\0b" }] }, "serial[0].path", zero],
    [{ boot, network: [{ kind: "tap" }] }, "network[0].kind", /^"tap" is none of nat, host, bridge/],
    [{ boot, network: [{ kind: "bridge" }] }, "network[0].interface", "it is missing"],
    [mac("02:00"), "network[0].mac", 'mac: "02:00": expected a MAC address like 52:54:00:12:34:56'],
    [mac(""), "network[0].mac", /expected a MAC address/],
    [mac("52:54:00:12:34:56:78"), "network[0].mac", /expected a MAC address/],
    [mac("52:54:00:12:34:5g"), "network[0].mac", /expected a MAC address/],
    [mac("52-54-00-12-34-56"), "network[0].mac", /expected a MAC address/],
    [mac("052:54:00:12:34:56"), "network[0].mac", /expected a MAC address/],
    [mac("1:0:5e:0:0:1"), "network[0].mac", /that is a multicast address/],
    [mac("0:0:0:0:0:0"), "network[0].mac", /an address which no card can have/],
    [{ boot, display: { width: 800.5 } }, "display.width", "expected a whole number, not 800.5"],
    [{ boot, display: { width: NaN, height: 600 } }, "display.width", "expected a whole number, not NaN"],
    [{ boot, vsock: true }, "vsock", "expected an object, not true"],
    [{ boot, vsock: { ready: 1 } }, "vsock.ready", "expected true or false, not 1"],
    [{ boot, vsock: { join: [{ kind: "dial" }] } }, "vsock.join[0].kind", /none of connect, listen, hybrid$/],
    [{ boot, vsock: { join: [{ kind: "listen", path: "s" }] } }, "vsock.join[0].port", "it is missing"],
    [
      {
        boot,
        vsock: { join: [{ kind: "hybrid", path: "s" }, { kind: "listen", path: "s", port: 2 ** 32 }] },
      },
      "vsock.join[1].port",
      /^4294967296 is no port/,
    ],
    [{ boot, vsock: { join: [{ kind: "hybrid", path: "a\0b" }] } }, "vsock.join[0].path", zero],
    [{ boot, vsock: { join: [{ kind: "hybrid", path: "" }] } }, "vsock.join[0].path", /the path is empty$/],
    [{ boot, disc: [] }, "disc", /^there is no such field; known are name/],
  ];
  for (const [description, field, reason] of wrong) {
    const error = await assertRejects(() => VirtualMachine.create(description as never), MachineError);
    assertEquals(error.field, field, error.message);
    const fits = typeof reason === "string" ? error.worded() === reason : reason.test(error.worded());
    assertEquals(fits, true, error.message);
  }
});
