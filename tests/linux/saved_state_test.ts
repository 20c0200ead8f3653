// How linux/ saves and restores machines: states, errors and files as Apple's framework has them, with real guests.

import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import { LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { NSError } from "../../src/objc/mod.ts";
import {
  type DeviceList,
  type State,
  VZDiskImageStorageDeviceAttachment,
  VZFileSerialPortAttachment,
  VZGenericMachineIdentifier,
  VZGenericPlatformConfiguration,
  VZMACAddress,
  VZNATNetworkDeviceAttachment,
  VZNVMExpressControllerDeviceConfiguration,
  type VZSerialPortAttachment,
  VZSharedDirectory,
  VZSingleDirectoryShare,
  VZUSBKeyboardConfiguration,
  VZUSBMassStorageDeviceConfiguration,
  VZUSBScreenCoordinatePointingDeviceConfiguration,
  VZVirtioBlockDeviceConfiguration,
  VZVirtioConsoleDeviceSerialPortConfiguration,
  VZVirtioFileSystemDeviceConfiguration,
  VZVirtioGraphicsDeviceConfiguration,
  VZVirtioGraphicsScanoutConfiguration,
  VZVirtioNetworkDeviceConfiguration,
  VZVirtioSocketDeviceConfiguration,
  type VZVirtualMachine,
  type VZVirtualMachineConfiguration,
} from "../../src/vz/mod.ts";
import { tinyDisk } from "../e2e/tiny_disk.ts";
import { Folder } from "../e2e/vzrun.ts";
import { Guest, within } from "./guest.ts";

const identifier = VZGenericMachineIdentifier.create();

/** A guest that counts on its console, of one identity. */
function counter(): Guest {
  const guest = new Guest("i=0; while :; do echo count $i; i=$((i+1)); sleep 0.1; done");
  guest.configuration.platform = VZGenericPlatformConfiguration.create(identifier);
  return guest;
}

const image = (path: string) =>
  VZDiskImageStorageDeviceAttachment.create(path, {
    readOnly: false,
    cachingMode: "cached",
    synchronizationMode: "fsync",
  });

/** The last number that a guest has counted to. */
function countOf({ output }: Guest): number {
  return Number(/count (\d+)\r\n[^\n]*$/.exec(output)?.[1]);
}

async function states(machine: VZVirtualMachine): Promise<State[]> {
  const seen: State[] = [];
  await machine.watchState((state) => seen.push(state));
  return seen;
}

async function assertVZError(action: Promise<unknown>, code: number, reason: string): Promise<void> {
  const error = await assertRejects(() => action);
  assertInstanceOf(error, NSError);
  assertEquals([error.domain, error.code], ["VZErrorDomain", code], error.message);
  assert(error.message.includes(reason), error.message);
}

Deno.test("saved state: a guest goes on counting where it was saved, and so does the one that was saved", async () => {
  using folder = new Folder();
  const file = folder.file("state");
  await using first = counter();
  const saved = first.machine();
  const seen = await states(saved);
  await saved.start();
  await first.said("count 5\r\n");
  await assertVZError(saved.save(file), 4, "from state “running” to state “saving”");
  await assertVZError(saved.restore(file), 4, "from state “running” to state “restoring”");
  await saved.pause();
  await within("the saving", saved.save(file));
  const at = countOf(first);
  assertEquals(seen, ["starting", "running", "pausing", "paused", "saving", "paused"]);
  assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  await saved.resume();
  await first.said(`count ${at + 3}\r\n`);
  await saved.stop();

  await using second = counter();
  const restored = second.machine();
  const then = await states(restored);
  await within("the restoring", restored.restore(file));
  assertEquals(await restored.state(), "paused");
  assertEquals(await restored.operations(), { requestStop: false, stop: true, pause: false, resume: true });
  assertEquals(second.output, "");
  await restored.resume();
  await second.said(`count ${at + 3}\r\n`);
  assert(!second.output.includes(`count ${at - 1}\r\n`), second.output);
  assertEquals(then, ["restoring", "paused", "resuming", "running"]);
  await restored.stop();
  assertEquals(await restored.stopped, { kind: "stop" });
});

/** A saved guest that counts, whatever is added to it. */
async function savedTo(
  file: string,
  change: (configuration: VZVirtualMachineConfiguration) => void = () => {},
) {
  await using guest = counter();
  change(guest.configuration);
  const machine = guest.machine();
  await machine.start();
  await guest.said("count 2\r\n");
  await machine.pause();
  await machine.save(file);
  await machine.stop();
  return countOf(guest);
}

Deno.test("saved state: every device but the few that QEMU cannot save is there again, and works", async () => {
  using folder = new Folder();
  const [file, disk, stick, log] = ["state", "disk", "stick", "log"].map((name) => folder.file(name));
  for (const path of [disk, stick]) Deno.writeFileSync(path, new Uint8Array(1 << 20));
  const mac = VZMACAddress.create("02:00:00:00:00:01");
  const equip = (configuration: VZVirtualMachineConfiguration, serial: VZSerialPortAttachment) => {
    configuration.storageDevices = [
      VZVirtioBlockDeviceConfiguration.create(image(disk), "S1"),
      VZUSBMassStorageDeviceConfiguration.create(image(stick)),
    ];
    const card = VZVirtioNetworkDeviceConfiguration.create(VZNATNetworkDeviceAttachment.create());
    card.macAddress = mac;
    configuration.networkDevices = [card];
    configuration.graphicsDevices = [
      VZVirtioGraphicsDeviceConfiguration.create([VZVirtioGraphicsScanoutConfiguration.create(640, 480)]),
    ];
    configuration.keyboards = [VZUSBKeyboardConfiguration.create()];
    configuration.pointingDevices = [VZUSBScreenCoordinatePointingDeviceConfiguration.create()];
    configuration.serialPorts = [serial, VZFileSerialPortAttachment.create(log, true)]
      .map((attachment) => VZVirtioConsoleDeviceSerialPortConfiguration.create(attachment));
    configuration.validateSaveRestoreSupport();
  };
  const shell = () => {
    const guest = new Guest(LOOP);
    guest.configuration.platform = VZGenericPlatformConfiguration.create(identifier);
    equip(guest.configuration, guest.console);
    return guest;
  };
  const network = "ip link set eth0 up; udhcpc -q -n -i eth0 -s /bin/true >/dev/null 2>&1 && echo leased";
  {
    await using guest = shell();
    const machine = guest.machine();
    await machine.start();
    await guest.said("ready\r\n");
    await guest.type(`${network}\n`);
    await guest.said("leased\r\n");
    await machine.pause();
    await machine.save(file);
    await machine.stop();
  }
  await using guest = shell();
  const machine = guest.machine();
  await machine.restore(file);
  await machine.resume();
  const works = "echo log >/dev/hvc1; echo vda | dd of=/dev/vda conv=notrunc,fsync 2>/dev/null; " +
    `head -c 8 /dev/hwrng | wc -c; ls /dev/input | wc -w; grep -l 0x0010 /sys/bus/virtio/devices/*/device; ${network}`;
  await guest.type(`${works}\n`);
  await guest.said("leased\r\n");
  assertMatch(guest.output, /8\r\n[1-9]\d*\r\n\/sys\/bus\/virtio\/.*\r\nleased\r\n/);
  const started = (path: string) => new TextDecoder().decode(Deno.readFileSync(path).slice(0, 3));
  assertEquals([disk, log].map(started), ["vda", "log"]);
  await machine.stop();
});

Deno.test("saved state: devices that cannot be saved are refused as on a Mac, each when it is the only one", async () => {
  using folder = new Folder();
  const disk = folder.file("disk");
  Deno.writeFileSync(disk, new Uint8Array(1 << 20));
  const share = VZSingleDirectoryShare.create(VZSharedDirectory.create(folder.path, true));
  const nvme = VZNVMExpressControllerDeviceConfiguration.create(
    image(disk),
  );
  const devices: [
    words: string,
    devices: DeviceList,
    change: (all: VZVirtualMachineConfiguration) => void,
  ][] = [
    ["directory sharing", "shares", (all) => {
      all.directorySharingDevices = [VZVirtioFileSystemDeviceConfiguration.create("tag", share)];
    }],
    ["NVM Express", "disks", (all) => all.storageDevices = [nvme]],
    ["Virtio socket", "sockets", (all) => all.socketDevices = [VZVirtioSocketDeviceConfiguration.create()]],
  ];
  for (const [words, list, change] of devices) {
    await using guest = counter();
    assertEquals(guest.configuration.savingObstacle(), undefined);
    change(guest.configuration);
    assertEquals(guest.configuration.savingObstacle()?.devices, list);
    const machine = guest.machine();
    await machine.start();
    await machine.pause();
    await assertVZError(machine.save(folder.file("state")), 10, words);
    assertEquals(await machine.state(), "paused");
    await machine.stop();
    await assertVZError(machine.restore(folder.file("state")), 10, words);
    assertEquals(await machine.state(), "stopped");
  }
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["disk"]);
});

Deno.test("saved state: another machine's file, a cut one and none at all are refused as on a Mac, and it can start", async () => {
  using folder = new Folder();
  const file = folder.file("state");
  await savedTo(file);
  const cut = folder.file("cut");
  Deno.copyFileSync(file, cut);
  Deno.truncateSync(cut, Deno.statSync(file).size - 100_000);
  const alien = folder.file("alien");
  Deno.writeTextFileSync(alien, "no state");
  const invalid = "The virtual machine failed to restore with error “invalid argument”.";
  const refused: [path: string, reason: string, change?: (all: VZVirtualMachineConfiguration) => void][] = [
    [folder.file("none"), "“no such file or directory”"],
    [folder.path, "“is a directory”"],
    [alien, invalid],
    [cut, invalid],
    [file, invalid, (all) => all.memorySize = 512 * 1024 * 1024],
    [file, invalid, (all) => {
      all.platform = VZGenericPlatformConfiguration.create(VZGenericMachineIdentifier.create());
    }],
    [file, invalid, (all) => all.entropyDevices = []],
  ];
  for (const [path, reason, change] of refused) {
    await using guest = counter();
    change?.(guest.configuration);
    const machine = guest.machine();
    const seen = await states(machine);
    await assertVZError(machine.restore(path), 12, reason);
    assertEquals(seen, ["restoring", "stopped"]);
    if (path !== cut) continue;
    await machine.start();
    await guest.said("count 1\r\n");
    await machine.stop();
  }
});

Deno.test("saved state: a file that is there is not written over, and one for which there is no room is not left", async () => {
  using folder = new Folder();
  const [file, small] = [folder.file("state"), folder.file("small")];
  Deno.writeTextFileSync(file, "a letter");
  Deno.mkdirSync(small);
  await using guest = counter();
  const machine = guest.machine();
  await machine.start();
  await guest.said("count 2\r\n");
  await machine.pause();
  await assertVZError(machine.save(file), 11, "“file exists”");
  assertEquals(Deno.readTextFileSync(file), "a letter");
  await assertVZError(machine.save(folder.file("no/folder")), 11, "“no such file or directory”");
  await using _disk = await tinyDisk(small);
  if (_disk) {
    await assertVZError(machine.save(`${small}/state`), 11, "“no space left on device”");
    assertEquals([...Deno.readDirSync(small)], []);
  }
  assertEquals(await machine.state(), "paused");
  // Saved again while it stands still, it is what it was.
  await machine.save(folder.file("first"));
  await machine.save(folder.file("second"));
  const at = countOf(guest);
  await machine.resume();
  await guest.said(`count ${at + 2}\r\n`);
  await machine.stop();
  await using again = counter();
  const restored = again.machine();
  await restored.restore(folder.file("second"));
  await restored.resume();
  await again.said(`count ${at + 2}\r\n`);
  await restored.stop();
});
