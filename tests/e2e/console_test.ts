import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { listening, telling } from "./booted.ts";
import { contents, eventually, Folder, guest, GUEST_FILES, guestWith, pause, Vzrun, vzrun } from "./vzrun.ts";

async function sha256(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
}

/** Any bytes but 0x0f, after which Linux takes the next byte on hvc0 for a SysRq key. */
function noise(length: number): Uint8Array {
  let x = 1;
  return Uint8Array.from({ length }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x & 0xff) === 0x0f ? 0 : x;
  });
}

Deno.test("console: stdout has the kernel's messages and the hello, stderr nothing", async () => {
  const { code, out, err } = await vzrun([...guestWith("console=hvc0"), "-quiet"]);
  assertMatch(out, /Linux version [\d.]+.*\r\n/);
  assertStringIncludes(out, "Command line: console=hvc0\r\n");
  // The kernel may have something to say between any two lines.
  const hello = [/Hello from the guest\.\r\n/, / {2}kernel {6}Linux [\d.]+/, / {2}memory {6}2\d\d MiB\r\n/];
  for (const line of [...hello, / {2}processors {2}1\r\n/]) assertMatch(out, line);
  assertEquals({ code, err }, { code: 0, err: "" });
});

Deno.test("console: the guest's bytes and no other", async () => {
  assertEquals(await vzrun(guest("echo one; printf 'two\\033[0m\\a'; stty -opost; echo three")), {
    code: 0,
    out: "one\r\ntwo\x1b[0m\x07three\n",
    err: "",
  });
});

Deno.test("console: the guest has the memory, processors and command line that were asked for", async () => {
  const append =
    'run="grep -c ^processor /proc/cpuinfo; head -n 1 /proc/meminfo; cat /proc/cmdline" quiet console=hvc0';
  const { out } = await vzrun([...GUEST_FILES, "-a", append, "-m=0.5G", "--smp", "2"]);
  const [processors, memory, commandLine] = out.split("\r\n");
  assertEquals(processors, "2");
  const kiB = Number(/\d+/.exec(memory)![0]);
  assert(kiB > 400 * 1024 && kiB <= 512 * 1024, memory);
  assertStringIncludes(commandLine, append);
});

const TWENTY_MEGABYTES = "head -c 20000000 /dev/urandom >/tmp/noise; stty raw; cat /tmp/noise; " +
  "sha256sum </tmp/noise >/dev/hvc1; poweroff -f\n";

for (
  const [reader, beforeRead] of [
    ["a quick reader", undefined],
    ["a reader that looks up late, then reads slowly", slowly],
  ] as const
) {
  Deno.test(`console: 20 MB from the guest arrive whole at ${reader}`, async () => {
    using folder = new Folder();
    const args = [...await listening(2), "-serial", "stdio", "-serial", "file:sum"];
    // MAC.md, row 3: the slow one is handed to a framework that makes it non-blocking.
    const env: Record<string, string> = beforeRead ? { VIRTUALIZATION_NONBLOCKING: "yes" } : {};
    await using run = new Vzrun(args, { cwd: folder.path, env, typing: true, beforeRead: beforeRead?.() });
    await run.type(TWENTY_MEGABYTES);
    assertEquals(await run.end(), 0);
    const bytes = await run.out.bytes;
    assertEquals(bytes.length, 20_000_000);
    assertEquals(`${await sha256(bytes)}  -\r\n`, contents(folder.file("sum")));
  });
}

function slowly(): () => Promise<void> {
  let reads = 0;
  return () => reads++ === 0 ? pause(4000) : reads % 20 === 0 ? pause(30) : Promise.resolve();
}

Deno.test("console: 5 MB on stdin reach the guest whole, and its output goes on after their end", async () => {
  const bytes = noise(5_000_000);
  const count = `head -c ${bytes.length} | sha256sum`;
  await using run = new Vzrun(await listening(), { typing: true });
  await run.type(`stty raw -echo; echo ready; ${count}; sleep 1; echo still here; poweroff -f\n`);
  await run.out.until("ready");
  await run.type(bytes);
  await run.closeInput();
  assertEquals(await run.end(), 0);
  assertEquals(run.out.text, `ready\n${await sha256(bytes)}  -\nstill here\n`);
});

Deno.test("console: a guest that takes no input does not keep vzrun from ending", async () => {
  await using run = new Vzrun(await listening(), { typing: true });
  await run.type("stty raw -echo; echo ready; sleep 1000\n");
  await run.out.until("ready");
  run.type(noise(1_000_000)).catch(() => {}); // some of it is never taken
  run.signal("SIGTERM");
  assertEquals(await run.end(10), 143);
});

Deno.test("console: no stdin at all is like an empty one", async () => {
  const closed = { through: ["sh", "-c", 'exec "$@" <&-', "sh"] };
  await using run = new Vzrun(await telling(), closed);
  await run.out.until(/up\r\nup\r\n/);
  assertEquals(run.err.text, "");
  run.signal("SIGTERM");
  assertEquals(await run.end(10), 143);
});

Deno.test("console: two consoles carry bytes of their own", async () => {
  using folder = new Folder();
  await Deno.writeTextFile(folder.file("second"), "what was there before, and is longer");
  const args = [...await listening(2), "-serial", "stdio", "-serial", "file:second"];
  await using run = new Vzrun(args, { cwd: folder.path, typing: true });
  await run.type("echo one; echo two >/dev/hvc1; poweroff -f\n");
  assertEquals([await run.end(), run.out.text, run.err.text], [0, "one\r\n", ""]);
  assertEquals(contents(folder.file("second")), "two\r\n");
});

Deno.test("console: in a file, while stdout stays empty, and stderr too with -quiet", async () => {
  using folder = new Folder();
  const console = folder.file("a console, with a comma=");
  await using run = new Vzrun([...await telling(), "-serial", `file:${console}`, "-quiet"]);
  await eventually("the console in the file", () => contents(console).startsWith("up\r\n"));
  run.signal("SIGTERM");
  assertEquals(await run.end(), 143);
  assertEquals([run.out.text, run.err.text], ["", ""]);
  assertMatch(contents(console), /^(up\r\n)+$/);
});

for (const nowhere of ["null", "none"]) {
  Deno.test(`console: -serial ${nowhere} boots a guest that nobody hears`, async () => {
    const args = [...guest("echo unheard"), "-serial", nowhere, "-verbose"];
    const { code, out, err } = await vzrun(args);
    assertEquals({ code, out }, { code: 0, out: "" });
    assertMatch(err, /vzrun: the guest has powered off\n$/);
  });
}

Deno.test("console: -verbose tells every step on stderr", async () => {
  const { code, out, err } = await vzrun([...guest("echo one"), "-verbose"]);
  assertEquals({ code, out }, { code: 0, out: "one\r\n" });
  assertMatch(err, /^vzrun: starting the machine\n/);
  assertStringIncludes(err, "vzrun: the machine is running\n");
  assertMatch(err, /vzrun: the guest has powered off\n$/);
  for (const line of err.trimEnd().split("\n")) assertMatch(line, /^vzrun: \P{Cc}+$/u);
});

Deno.test("console: 5 boots in a row, and 15 guests that go on, all end right", async () => {
  for (let boot = 1; boot <= 5; boot++) {
    assertEquals(await vzrun(guest(`echo boot ${boot}`)), { code: 0, out: `boot ${boot}\r\n`, err: "" });
  }
  const machine = await listening();
  for (let time = 1; time <= 15; time++) {
    await using run = new Vzrun(machine, { typing: true });
    await run.type(`echo time ${time}; poweroff -f\n`);
    assertEquals([await run.end(), run.out.text, run.err.text], [0, `time ${time}\r\n`, ""]);
  }
});

Deno.test("console: 3 machines at once keep to themselves", async () => {
  const machine = await listening();
  await Promise.all([1, 2, 3].map(async (n) => {
    await using run = new Vzrun(machine, { typing: true });
    await run.type(`echo machine ${n}; sleep 1; echo end ${n}; poweroff -f\n`);
    assertEquals(await run.end(), 0);
    assertEquals([run.out.text, run.err.text], [`machine ${n}\r\nend ${n}\r\n`, ""]);
  }));
});

Deno.test("console: a file that another vzrun writes is refused, and keeps what it has", async () => {
  using folder = new Folder();
  const writing = [...await listening(2), "-serial", "pty", "-serial", "file:log"];
  await using run = new Vzrun(writing, { cwd: folder.path });
  await run.err.until("hvc0 is at");
  const args = [...guest("true"), "-serial", "file:log"];
  const { code, err } = await vzrun(args, { cwd: folder.path }, 20);
  assertEquals([code, err], [2, "vzrun: cannot write 'log': another vzrun writes it\n"]);
  run.signal("SIGTERM");
  await run.end();
  assertEquals((await vzrun(args, { cwd: folder.path })).code, 0);
});
