import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Description, MachineError, NSError, savedMachine, VirtualMachine } from "vzrun";
import { COUNTING, SavedGuest, small } from "./saved_guest.ts";
import { LOOP } from "./guest_shell.ts";
import { liveCD } from "./live_cd.ts";
import { tinyDisk } from "./tiny_disk.ts";
import { Folder, ROOT, SOONER, Vzrun, vzrun, within } from "./vzrun.ts";

const MiB = 1024 * 1024;

/** What a folder has in it, sorted, without the clones of machines that run and of those that were killed. */
const namesIn = (path: string) =>
  Array.from(Deno.readDirSync(path), ({ name }) => name).filter((name) => !name.startsWith(".vzrun-")).sort();

/** Of all tests here that need a saved machine and change nothing of it: one that counts, with a disk and a card. */
const folder = new Folder();
const [disk, saved] = [folder.file("disk"), folder.file("saved")];
let making: Promise<number> | undefined;

/** Makes it, once. @returns How far it has counted. */
function counted(): Promise<number> {
  return making ??= (async () => {
    await using guest = await SavedGuest.boot(small(COUNTING, {
      disks: [{ file: disk, size: 8 * MiB, serial: "S1" }],
      network: [{ kind: "nat", mac: "02:00:00:00:00:01" }],
    }));
    await guest.out.until("count 3\r\n");
    await guest.save(saved);
    return guest.count;
  })();
}

Deno.test.afterAll(() => folder[Symbol.dispose]());

Deno.test("save: a guest goes on where it was, with its memory, its disk and its card, and is saved again", async () => {
  using folder = new Folder();
  const [disk, saved] = [folder.file("disk"), folder.file("saved")];
  const look = "cat /tmp/mark; sha256sum /dev/vda; cat /sys/class/net/eth0/address";
  let before: string;
  {
    await using guest = await SavedGuest.boot(
      small(undefined, { disks: [{ file: disk, size: MiB }], network: [{ kind: "nat" }] }),
    );
    await guest.out.until("ready\r\n");
    await guest.tell("dd if=/dev/urandom of=/dev/vda bs=64k count=4 conv=fsync; echo $$ >/tmp/mark");
    before = await guest.tell(look);
    await assertRejects(() => guest.machine.save(saved), MachineError, "the machine is running: only one");
    await guest.save(saved);
    // It has not changed since, and may be saved elsewhere too.
    await guest.machine.save(folder.file("other"));
    await guest.machine.resume();
    assertEquals(await guest.tell(look), before);
  }
  assertEquals(Deno.statSync(saved).mode! & 0o777, 0o700);
  for (const name of namesIn(saved)) {
    assertEquals(Deno.statSync(`${saved}/${name}`).mode! & 0o777, 0o600, name);
  }
  // The kernel tells of each of its errors; what a restored machine lacks shows there.
  const kernel = "dmesg -n 4; dmesg -l err,crit,alert,emerg 2>/dev/null | wc -l";
  for (let i = 0; i < 10; i++) {
    await using guest = await SavedGuest.restore(saved);
    assertEquals(await guest.tell(look), before, `the restore ${i + 1}`);
    await guest.tell("dd if=/dev/urandom of=/dev/vda bs=64k seek=4 count=4 conv=fsync");
    if (i === 9) await guest.tell(`${kernel}; head -c 32 /dev/hwrng | wc -c`);
    before = await guest.tell(look);
    await guest.save(saved);
    assertMatch(namesIn(saved).join(), /^machine\.json,state-[0-9a-f]{12}$/);
  }
});

Deno.test("save: the command line lets a machine go on that a program has saved, and its options may be said", async () => {
  const count = await counted();
  const said = ["-m", "128", "-smp", "1", "-hda", disk, "-nic", "user,mac=02:00:00:00:00:01"];
  for (
    const options of [[], said.toSpliced(5, 1, `file=${disk},serial=S1,if=virtio`).toSpliced(4, 1, "-drive")]
  ) {
    await using run = new Vzrun(["-incoming", `file:${saved}`, "-nographic", "-snapshot", ...options]);
    await run.out.until(`count ${count + 2}\r\n`);
    assert(!run.out.text.includes(`count ${count - 1}\r\n`), run.out.text);
    assertEquals(run.err.text, "");
  }
});

Deno.test("save: from one state two machines go on at once, each with a disk of its own", async () => {
  const count = await counted();
  const args = ["-incoming", `file:${saved}`, "-snapshot", "-nographic"];
  await using one = new Vzrun(args, { typing: true });
  await using two = new Vzrun(args, { typing: true });
  for (const run of [one, two]) await run.out.until(`count ${count + 1}\r\n`);
  await one.type("echo first | dd of=/dev/vda conv=fsync,notrunc; echo written\n");
  await one.out.until("written\r\n");
  await two.type("head -c 5 /dev/vda | od -An -tx1; echo read\n");
  await two.out.until(/ 00 00 00 00 00\r\n[^]*read\r\n/);
  assertEquals(Deno.readFileSync(disk).slice(0, 5), new Uint8Array(5));
  assert(!namesIn(folder.path).includes("disk.raw"));
});

Deno.test("save: what is not as it was saved is refused in a line that names it, before anything starts", async () => {
  await counted();
  const was = "when the machine was saved, and is";
  const refused: [options: string[], line: string][] = [
    [["-m", "256"], `-m: the memory was 128 MiB ${was} 256 MiB now`],
    [["-smp", "2"], `-smp: the number of processors was 1 ${was} 2 now`],
    [["-nic", "none"], `-nic: the number of network cards was 1 ${was} 0 now`],
    [
      ["-nic", "user,mac=02:00:00:00:00:02"],
      `-nic: network card 1's address was 02:00:00:00:00:01 ${was} ` +
      "02:00:00:00:00:02 now",
    ],
    [["-hda", disk], `disk 1's serial was S1 ${was} none now`],
    [["-drive", `file=${disk},serial=S1,if=usb`], `disk 1's interface was virtio ${was} usb now`],
    [["-drive", `file=${disk},serial=S1,readonly=on`], `disk 1 was to be written ${was} only to be read now`],
    [["-hda", disk, "-hdb", disk], `the number of disks was 1 ${was} 2 now`],
    [["-serial", "stdio", "-serial", "null"], `-serial: the number of consoles was 1 ${was} 2 now`],
    [["-share", "work", folder.path], `what is shared was none ${was} work now`],
    [["-vsock", `path=${folder.file("v")}`], `the socket device was none ${was} there now`],
    [["-efi"], `what it boots was a kernel ${was} EFI with variables of its own now`],
    [["-uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"], "-uuid: the saved machine has another identity"],
    [["-machine-id", folder.file("id")], "the saved machine has another identity"],
  ];
  for (const [options, line] of refused) {
    const { code, out, err } = await vzrun([
      "-incoming",
      `file:${saved}`,
      "-nographic",
      "-dry-run",
      ...options,
    ]);
    assertEquals([code, out], [2, ""], options.join(" "));
    assertEquals(err.split("\n").length, 2, err);
    assert(err.startsWith(`vzrun: ${line}`), `${err} is not: ${line}`);
  }
  assertEquals(namesIn(folder.path), ["disk", "saved"]);
});

/** A copy of the saved machine, to be damaged. */
function copyTo(
  folder: Folder,
): { copy: string; disk: string; json(change: (saved: Description) => unknown): void } {
  const [copy, copied] = [folder.file("copy"), folder.file("disk")];
  Deno.mkdirSync(copy);
  for (const name of namesIn(saved)) Deno.copyFileSync(`${saved}/${name}`, `${copy}/${name}`);
  Deno.copyFileSync(disk, copied);
  const time = Deno.statSync(disk).mtime!;
  Deno.utimeSync(copied, time, time);
  const json = (change: (saved: Description) => unknown) => {
    const file = `${copy}/machine.json`;
    const text = JSON.parse(Deno.readTextFileSync(file));
    change(text.machine);
    Deno.writeTextFileSync(file, JSON.stringify(text));
  };
  json((machine) => machine.disks![0].file = copied);
  return { copy, disk: copied, json };
}

/** Changes what is written of a saved machine. */
function edit(
  copy: string,
  change: (saved: { machine: Record<string, unknown>; files: unknown[] }) => void,
): void {
  const file = `${copy}/machine.json`;
  const saved = JSON.parse(Deno.readTextFileSync(file));
  change(saved);
  Deno.writeTextFileSync(file, JSON.stringify(saved));
}

Deno.test("save: a disk that is gone or was written since, and a state that is not whole, are named with exit code 2", async () => {
  await counted();
  const damages: [damage: (made: ReturnType<typeof copyTo>) => void, line: RegExp][] = [
    [
      ({ disk }) => Deno.removeSync(disk),
      /cannot go on with '.*\/disk': no such file, and the saved machine has it/,
    ],
    [
      ({ disk }) => Deno.writeFileSync(disk, new Uint8Array(8 * MiB)),
      /cannot go on with '.*\/disk': it was written at 20.*Z, after the machine was saved/,
    ],
    [
      ({ disk }) => Deno.truncateSync(disk, 4 * MiB),
      /cannot go on with '.*\/disk': it has 4194304 bytes, and had 8388608 when/,
    ],
    [
      ({ copy }) => Deno.truncateSync(`${copy}/${namesIn(copy)[1]}`, 1000),
      /cannot restore '.*\/copy': '.*\/state-.*' has 1000 bytes, and had \d+ when it was saved/,
    ],
    [
      ({ copy }) => Deno.removeSync(`${copy}/${namesIn(copy)[1]}`),
      /cannot restore .*: '.*\/state-.*', which it needs/,
    ],
    [
      ({ copy }) => Deno.removeSync(`${copy}/machine.json`),
      /no machine was saved there: it has no machine\.json/,
    ],
    [({ copy }) => Deno.writeTextFileSync(`${copy}/machine.json`, "{"), /its machine\.json is damaged/],
    [({ copy }) => Deno.writeTextFileSync(`${copy}/machine.json`, "[]"), /its machine\.json is damaged/],
    [
      ({ copy }) => edit(copy, ({ machine }) => machine.disks = 7),
      /its machine\.json is damaged: disks: /,
    ],
    [
      ({ copy }) => edit(copy, (saved) => saved.files = []),
      /its machine\.json is damaged/,
    ],
    [
      ({ copy }) => {
        Deno.removeSync(copy, { recursive: true });
        Deno.writeTextFileSync(copy, "");
      },
      /cannot restore '.*\/copy': it is a file, and a saved machine is a folder/,
    ],
    [({ copy }) => Deno.removeSync(copy, { recursive: true }), /cannot restore '.*\/copy': no such folder/],
  ];
  for (const [damage, line] of damages) {
    using folder = new Folder();
    const made = copyTo(folder);
    damage(made);
    const { code, out, err } = await vzrun(["-incoming", `file:${made.copy}`, "-nographic", "-snapshot"]);
    assertEquals([code, out], [2, ""], err);
    assertMatch(err, new RegExp(`^vzrun: .*${line.source}.*\n$`));
  }
});

Deno.test("save: a copy of disk and folder goes on as the first does, and one of another's state says why it does not", async () => {
  const count = await counted();
  using folder = new Folder();
  const { copy, json } = copyTo(folder);
  {
    await using run = new Vzrun(["-incoming", `file:${copy}`, "-nographic"]);
    await run.out.until(`count ${count + 1}\r\n`);
  }
  json((machine) => machine.memory = 256 * MiB);
  const { code, err } = await vzrun(["-incoming", `file:${copy}`, "-nographic"]);
  assertEquals(code, 1);
  assertMatch(
    err,
    /^vzrun: The virtual machine failed to restore with error “invalid argument”.* as the same machine, from a state that is whole\n$/,
  );
});

Deno.test("save: EFI's variables go with a saved machine, and each that goes on has its own", async () => {
  using folder = new Folder();
  const path = (name: string) => `/sys/firmware/efi/efivars/${name}-5c29b6f0-3f25-4a4b-9a3b-6f1f6f0d9c11`;
  const look = `cd /sys/firmware/efi/efivars; ls | grep 5c29b6f0; tail -c 5 ${path("Before")}`;
  const mount = "modprobe -q efivarfs; mount -t efivarfs efivarfs /sys/firmware/efi/efivars";
  const write = (name: string) => `printf '\\007\\000\\000\\000hello' >${path(name)}`;
  const said = (...names: string[]) =>
    [...names.map((name) => path(name).replace(/.*\//, "")), "hello"].join("\n");
  const iso = await liveCD(folder, `console=hvc0 quiet ${SOONER} run="${LOOP}"`);
  const saved = folder.file("saved");
  const machine = { memory: 256 * MiB, processors: 1, network: [], disks: [{ file: iso, readOnly: true }] };
  for (const variables of [undefined, folder.file("variables")]) {
    {
      await using guest = await SavedGuest.boot({ boot: { kind: "efi", variables }, ...machine });
      await guest.out.until("ready\r\n");
      await guest.tell(`${mount}; ${write("Before")}`);
      await guest.save(saved);
    }
    assertEquals(namesIn(saved).length, variables === undefined ? 3 : 2);
    {
      await using guest = await SavedGuest.restore(saved);
      assertEquals(await guest.tell(look), said("Before"));
      await guest.tell(write("Since"));
      assertEquals(await guest.tell(look), said("Before", "Since"));
    }
    if (variables === undefined) {
      await using guest = await SavedGuest.restore(saved);
      assertEquals(await guest.tell(look), said("Before"));
      const other = { boot: { kind: "efi", variables: folder.file("others") } } as const;
      await assertRejects(
        () => VirtualMachine.restore(saved, other),
        MachineError,
        "EFI with variables of its own",
      );
    } else {
      await assertRejects(
        () => VirtualMachine.restore(saved),
        MachineError,
        `'${variables}': it was written at`,
      );
    }
  }
});

Deno.test("save: qemu's other sources are refused in words", async () => {
  for (const source of ["defer", "tcp:0:4444", "exec:cat x", "x", "file:"]) {
    const { code, err } = await vzrun(["-incoming", source]);
    assertEquals(code, 2);
    assertMatch(err, /^vzrun: -incoming .*: .*expected file:PATH, the folder of a saved machine\n$/);
  }
});

Deno.test("save: what cannot be saved is named, and leaves nothing behind", async () => {
  using folder = new Folder();
  const [image, path] = [folder.file("disk"), folder.file("saved")];
  Deno.writeFileSync(image, new Uint8Array(MiB));
  const obstacles: [description: Partial<Description>, words: RegExp][] = [
    [
      { shares: [{ tag: "work", folder: folder.path }] },
      /^shares: shares cannot be saved and restored: .*directory/,
    ],
    [{ disks: [{ file: image, interface: "nvme" }] }, /^disks: disks cannot be saved and restored: .*NVM/],
    [{ vsock: {} }, /^vsock: sockets cannot be saved and restored: /],
    [
      { disks: [{ file: image, snapshot: true }] },
      /^disks\[0\]: what is written to disk '.*' goes when the machine ends/,
    ],
  ];
  for (const [description, words] of obstacles) {
    await using machine = await VirtualMachine.create(small("sleep 1000", description));
    await machine.start();
    await machine.pause();
    const error = await assertRejects(() => machine.save(path), MachineError);
    assertMatch(error.message, words);
    assertEquals(namesIn(folder.path), ["disk"]);
    await machine.resume();
  }
  await using machine = await VirtualMachine.create(small("sleep 1000", { usb: true }));
  await machine.start();
  await using stick = await machine.attach({ file: image });
  await machine.pause();
  const error = await assertRejects(() => machine.save(path), MachineError);
  assertMatch(error.message, /disk' has come while the machine runs \(detach it first/);
  await stick.detach();
  await machine.save(path);
});

Deno.test("save: a folder with other things, a file and a folder that is not there are refused, and a full disk too", async () => {
  using folder = new Folder();
  await using guest = await SavedGuest.boot(small("echo up; sleep 1000"));
  await guest.out.until("up\r\n");
  const { machine } = guest;
  await machine.pause();
  Deno.writeTextFileSync(folder.file("letter"), "");
  await assertRejects(() => machine.save(folder.path), MachineError, "the folder has other things in it");
  await assertRejects(() => machine.save(folder.file("letter")), MachineError, "a saved machine is a folder");
  await assertRejects(() => machine.save(folder.file("a/b")), MachineError, "its folder is not there");
  assertEquals(namesIn(folder.path), ["letter"]);
  const full = folder.file("full");
  Deno.mkdirSync(full);
  await using disk = await tinyDisk(full);
  if (!disk) return;
  const error = await assertRejects(() => machine.save(`${full}/saved`), NSError);
  assertEquals([error.domain, error.code], ["VZErrorDomain", 11]);
  assertEquals(namesIn(full), []);
  assertEquals(await machine.state(), "paused");
});

/** A program that lets a saved machine go on, saves it again, and is killed when its state is this one. */
const killedWhen = (state: string) => `
  import { VirtualMachine } from ${JSON.stringify(`file://${ROOT}/mod.ts`)};
  const machine = await VirtualMachine.restore(Deno.args[0]);
  await machine.start();
  await machine.pause();
  const isThere = () => [...Deno.readDirSync(Deno.args[0])].some(({ name }) => name.endsWith(".partial"));
  await machine.watchState(async (state) => {
    if (state !== ${JSON.stringify(state)}) return;
    while (!isThere()) await new Promise((done) => setTimeout(done));
    Deno.kill(Deno.pid, "SIGKILL");
  });
  await machine.save(Deno.args[0]);
`;

Deno.test("save: what was saved before is there when the program is killed while it saves, and the next saving cleans up", async () => {
  const count = await counted();
  using folder = new Folder();
  const { copy } = copyTo(folder);
  for (const state of ["saving", "paused"]) { // while the state is written, and when it has no name yet
    const script = folder.file("killed.ts");
    Deno.writeTextFileSync(script, killedWhen(state));
    const args = ["run", "-q", "-A", "--config", `${ROOT}/deno.json`, script, copy];
    const killed = new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).spawn();
    assertEquals((await within("the end", killed.status)).signal, "SIGKILL");
    assert(namesIn(copy).some((name) => /^state-.*\.partial$/.test(name)), namesIn(copy).join());
  }
  assertEquals(namesIn(copy).length, 4, namesIn(copy).join());
  await using guest = await SavedGuest.restore(copy);
  await guest.out.until(`count ${count + 1}\r\n`);
  await guest.save(copy);
  assertMatch(namesIn(copy).join(), /^machine\.json,state-[0-9a-f]{12}$/);
  assertEquals(savedMachine(copy).memory, 128 * MiB);
});
