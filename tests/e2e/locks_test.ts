// Rows 7 and 8 of what a Mac does: it locks disks and variable stores at the start, and names none that it cannot lock.
import { assertEquals, assertLess, assertMatch } from "@std/assert";
import { VZEFIVariableStore } from "../../src/vz/mod.ts";
import { Folder, GUEST, guest, GUEST_FILES, pause, Vzrun, vzrun } from "./vzrun.ts";

/** A process that has a file locked until its input ends. */
class Holder implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  constructor(path: string, mode: "--exclusive" | "--shared") {
    this.#process = new Deno.Command("flock", {
      args: [mode, path, "sh", "-c", "echo locked; exec cat"],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  }

  async locked(): Promise<void> {
    const reader = this.#process.stdout.getReader();
    await reader.read();
    reader.releaseLock();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close();
    await this.#process.stdout.cancel();
    await this.#process.status;
  }
}

async function held(path: string, mode: "--exclusive" | "--shared" = "--exclusive"): Promise<Holder> {
  const holder = new Holder(path, mode);
  await holder.locked();
  return holder;
}

Deno.test("locks: a file that another has locked is named within 4 s, with exit code 2", async () => {
  using folder = new Folder();
  const disk = folder.file("d");
  Deno.writeFileSync(disk, new Uint8Array(65536));
  for (
    const [mode, option] of [["--exclusive", "-hda"], ["--exclusive", "-c"], ["--shared", "-hda"]] as const
  ) {
    await using _holder = await held(disk, mode);
    const from = performance.now();
    const { code, err } = await vzrun([...GUEST_FILES, option, disk, "-m", "256", "-nographic"]);
    assertLess(performance.now() - from, 4000 + 1000); // the start of Deno is among it
    assertEquals([code, err], [
      2,
      `vzrun: disk '${disk}' is in use: another machine or program has locked it\n`,
    ]);
  }
});

Deno.test("locks: a variable store that another machine has is named too", async () => {
  using folder = new Folder();
  const [disk, variables] = [folder.file("d"), folder.file("vars")];
  Deno.writeTextFileSync(disk, "of no known kind".repeat(4096));
  VZEFIVariableStore.create(variables);
  await using _holder = await held(variables);
  const { code, err } = await vzrun(["-efi-vars", variables, "-hda", disk, "-m", "256", "-nographic"]);
  assertEquals(code, 2, err);
  assertMatch(err, /the variable store '.*vars' is in use/);
});

Deno.test("locks: one that is let go within 2 s is waited for, and readers do not exclude each other", async () => {
  using folder = new Folder();
  const disk = folder.file("d");
  Deno.writeFileSync(disk, new Uint8Array(65536));
  const holder = await held(disk);
  await using run = new Vzrun([...guest("echo up"), "-hda", disk, "-verbose"]);
  await run.err.until("starting the machine");
  await pause(1500);
  await holder[Symbol.asyncDispose]();
  assertEquals([await run.end(), run.out.text], [0, "up\r\n"], run.err.text);
  await using _reader = await held(disk, "--shared");
  const reads = await vzrun([...guest("echo read"), "-c", disk]);
  assertEquals([reads.code, reads.out], [0, "read\r\n"], reads.err);
});

Deno.test("name: two machines of one name that run at once are told of their one MAC address", async () => {
  using folder = new Folder();
  const env = { XDG_CACHE_HOME: folder.path };
  await using first = new Vzrun([...guest("echo up; read x"), "-name", "ci"], { env, typing: true });
  await first.out.until("up");
  assertEquals(first.err.text, "");
  const second = await vzrun([...guest("echo second"), "-name", "ci"], { env });
  assertEquals([second.code, second.out], [0, "second\r\n"], second.err);
  assertMatch(second.err, /^vzrun: another machine of the name 'ci' runs: .*02:[0-9a-f:]+.*\n$/);
  for (const others of [["-name", "other"], ["-name", "ci", "-nic", "user,mac=52:54:00:12:34:56"]]) {
    const { code, err } = await vzrun([...guest("echo other"), ...others], { env });
    assertEquals([code, err], [0, ""]);
  }
  await first.type("\n");
  assertEquals([await first.end(), first.err.text], [0, ""]);
  assertEquals([...Deno.readDirSync(folder.file("vzrun/running"))], []);
});

Deno.test("kernel: a packed one starts without a HOME to write in, from a folder that is gone afterwards", async () => {
  using folder = new Folder();
  const kernel = folder.file("kernel.gz");
  const gzip = new Deno.Command("gzip", { args: ["-1c", `${GUEST}/vmlinuz`], stdout: "piped" }).outputSync();
  Deno.writeFileSync(kernel, gzip.stdout);
  const through = ["env", "-u", "XDG_CACHE_HOME", `TMPDIR=${folder.path}`];
  const [, , , ...rest] = guest("echo unpacked");
  const args = ["-kernel", kernel, "-initrd", `${GUEST}/initrd`, ...rest.slice(1)];
  const unset = await vzrun(args, { through: ["env", "-u", "HOME", ...through.slice(1)] });
  assertEquals([unset.code, unset.out, unset.err], [0, "unpacked\r\n", ""]);
  for (const home of ["", "/proc"]) {
    const { code, err } = await vzrun([...args, "-dry-run"], { through: [...through, `HOME=${home}`] });
    assertEquals([code, err], [0, ""], home);
  }
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["kernel.gz"]);
});
