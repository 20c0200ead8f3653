import { assertEquals, assertMatch } from "@std/assert";
import { liveCD } from "./live_cd.ts";
import { eventually, Folder, SOONER, stateOf, Vzrun, vzrun } from "./vzrun.ts";

const VARIABLE = "/sys/firmware/efi/efivars/Vzrun-5c29b6f0-3f25-4a4b-9a3b-6f1f6f0d9c11";

/** What the guest does: says the variable that it finds, or makes it when there is none. */
const COMMANDS = "modprobe -q efivarfs; mount -t efivarfs efivarfs /sys/firmware/efi/efivars; " +
  `if [ -e ${VARIABLE} ]; then echo kept $(tail -c 5 ${VARIABLE}); ` +
  `else printf '\\007\\000\\000\\000hello' >${VARIABLE} && echo made; fi; read again; [ x$again = x ] || reboot -f`;

Deno.test("efi: a unified kernel image boots from a CD and from a disk, and variables are kept with -efi-vars", async () => {
  using folder = new Folder();
  const iso = await liveCD(folder, `console=hvc0 quiet ${SOONER} run="${COMMANDS}"`);
  const machine = ["-m", "256", "-smp", "1"];
  const TMPDIR = folder.file("tmp");
  Deno.mkdirSync(TMPDIR);
  const how = { cwd: folder.path, env: { TMPDIR }, typing: true };
  const boot = async (...args: string[]) => {
    await using run = new Vzrun([...args, ...machine], how);
    await run.out.until(/made|kept/);
    await run.type("\n");
    return { code: await run.end(), out: run.out.text, err: run.err.text };
  };
  const said = (word: string) => ({ code: 0, out: `${word}\r\n\r\n`, err: "" });

  const both = [boot("-cd", iso, "-efi-vars", "vars"), boot("-efi", "-c", iso)]; // the firmware waits now and then
  assertEquals(await Promise.all(both), [said("made"), said("made")]);
  assertEquals(await boot("-efi-vars", "vars", "-hda", iso), said("kept hello"));
  assertEquals([...Deno.readDirSync(TMPDIR)], []);

  // A variable that goes with the machine is there as long as it is; what a killed run leaves the next one removes.
  await using killed = new Vzrun([iso, ...machine], how); // as qemu has it: a bare file that is a CD
  await killed.out.until("made\r\n");
  await killed.type("again\n");
  await killed.out.until("kept hello\r\n");
  const { qemu } = killed;
  killed.signal("SIGKILL");
  await killed.end(5);
  await eventually("the end of QEMU", () => stateOf(qemu) === undefined, 5);
  assertEquals(await boot("-hda", iso, "-boot", "c"), said("made"));
  assertEquals([...Deno.readDirSync(TMPDIR)], []);
});

// MAC.md, row 12.
Deno.test("efi: a disk of which nobody knows whether it boots is started, and that it does not is told", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("disk"), "It is of no kind that is known.\n".repeat(32768));
  Deno.writeFileSync(folder.file("vars"), new Uint8Array(0)); // mktemp(1)'s, and so to be filled
  const boot = async (disk: string, ...args: string[]) => {
    Deno.copyFileSync(folder.file("disk"), folder.file(disk));
    return await vzrun(["-efi", "-hda", disk, "-m", "256", "-smp", "1", ...args], { cwd: folder.path });
  };
  const log = ["-serial", "file:log", "-efi-vars", "vars"];
  const runs = await Promise.all([boot("a"), boot("b", "-serial", "pty", ...log)]);
  for (const { code, out, err } of runs) {
    assertEquals([code, out], [1, ""]);
    const lines = err.split("\n").filter((line) => !line.startsWith("vzrun: hvc0 is at "));
    assertMatch(
      lines[0],
      /^vzrun: there may be nothing to boot: disk '[ab]': what it holds is not known here$/,
    );
    assertMatch(lines[1], /^vzrun: the firmware found nothing to boot: /);
    assertEquals(lines.slice(2), [""]);
  }
});
