import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { Terminal } from "./terminal.ts";
import { eventually, guest, stateOf, Vzrun } from "./vzrun.ts";

Deno.test("terminal: what is typed goes to the guest, but for Ctrl-A", async () => {
  await using terminal = new Terminal();
  const commands = "echo name?; read name; echo I am $name; " +
    "trap 'echo Ctrl-C' INT; sh -c 'echo armed; sleep 1000'; " +
    "stty raw -echo; echo keys; head -c 4 | od -An -tx1; sleep 1000";
  await using run = new Vzrun(guest(commands), terminal.how());
  await run.err.until("vzrun: Ctrl-A x ends the machine, Ctrl-A h lists the keys\n");
  await terminal.screen.until("name?");
  await terminal.type("vzrun\r");
  await terminal.screen.until("I am vzrun");
  await terminal.screen.until("armed");
  await terminal.type("\x03");
  await terminal.screen.until("Ctrl-C");
  await terminal.screen.until("keys");
  await terminal.type("\x1a\x01h\x01\x01\x1cz");
  await terminal.screen.until(/1a 01 1c 7a/);
  await run.err.until(/vzrun: Ctrl-A x.*\nvzrun: Ctrl-A h.*\nvzrun: Ctrl-A Ctrl-A.*\n/);
  await terminal.type("\x01");
  await terminal.type("x");
  assertEquals(await run.end(5), 0);
});

Deno.test("terminal: it is raw again after a stop, whatever a shell made of it meanwhile", async () => {
  await using terminal = new Terminal();
  await using run = new Vzrun(guest("echo up; sleep 1000"), terminal.how());
  await terminal.screen.until("up");
  const raw = terminal.modes;
  for (const mode of ["-icanon", "-echo ", "-isig", "-icrnl", "-ixon"]) assertStringIncludes(raw, mode);
  run.signal("SIGSTOP");
  await eventually("the stop", () => stateOf(run.pid) === "T");
  terminal.makeSane();
  assertNotEquals(terminal.modes, raw);
  run.signal("SIGCONT");
  await eventually("raw modes", () => terminal.modes === raw);
});

const WAITING = "echo up; sleep 1000";

type Way = [name: string, leave: (run: Vzrun, terminal: Terminal) => unknown, code: number];
const ways: Way[] = [
  ["Ctrl-A x", (_, terminal) => terminal.type("\x01x"), 0],
  ["SIGTERM", (run) => run.signal("SIGTERM"), 143],
  ["SIGINT", (run) => run.signal("SIGINT"), 130],
  ["SIGHUP", (run) => run.signal("SIGHUP"), 129],
  ["SIGQUIT", (run) => run.signal("SIGQUIT"), 131],
  ["the death of QEMU", (run) => Deno.kill(run.qemu, "SIGKILL"), 1],
];

for (const [name, leave, code] of ways) {
  Deno.test(`terminal: its modes are put back after ${name}`, async () => {
    await using terminal = new Terminal();
    const before = terminal.modes;
    await using run = new Vzrun(guest(WAITING), terminal.how());
    await terminal.screen.until("up");
    assertStringIncludes(terminal.modes, "-icanon");
    await leave(run, terminal);
    assertEquals(await run.end(8), code);
    assertEquals(terminal.modes, before);
  });
}

Deno.test("terminal: its modes are put back after the guest has powered off", async () => {
  await using terminal = new Terminal();
  const before = terminal.modes;
  await using run = new Vzrun(guest("echo done"), terminal.how());
  assertEquals(await run.end(), 0);
  assertEquals(terminal.modes, before);
});

Deno.test("terminal: its modes are put back when the machine does not start", async () => {
  await using terminal = new Terminal();
  const before = terminal.modes;
  const how = { ...terminal.how(), env: { VIRTUALIZATION_QEMU: "/bin/false" } };
  await using run = new Vzrun(guest("true"), how);
  assertEquals(await run.end(10), 1);
  assertEquals(terminal.modes, before);
});

Deno.test("terminal: its modes are put back after a signal that comes as soon as it is raw", async () => {
  await using terminal = new Terminal();
  const before = terminal.modes;
  await using run = new Vzrun(guest(WAITING), terminal.how());
  await eventually("raw modes", () => terminal.modes !== before);
  run.signal("SIGTERM"); // the guest cannot hear it yet
  await run.err.until("asked");
  run.signal("SIGTERM");
  assertEquals(await run.end(5), 143);
  assertEquals(terminal.modes, before);
});

Deno.test("terminal: closing its window powers the guest off", async () => {
  await using terminal = new Terminal();
  await using run = new Vzrun([...guest(WAITING), "-verbose"], terminal.how());
  await terminal.screen.until("up");
  const { qemu } = run;
  await terminal.close();
  assertEquals(await run.end(8), 129, run.err.text);
  assertStringIncludes(run.err.text, "vzrun: the guest has powered off\n");
  assertEquals(stateOf(qemu), undefined);
});

Deno.test("terminal: closing its window powers the guest off also when stderr goes there, as it does", async () => {
  await using terminal = new Terminal();
  await using run = new Vzrun([...guest(WAITING), "-verbose"], terminal.how(true));
  await terminal.screen.until("\nup");
  const { qemu } = run;
  await terminal.close();
  assertEquals(await run.end(8), 129);
  assertEquals(stateOf(qemu), undefined);
});

Deno.test("terminal: an error is in colour there, and not with NO_COLOR", async () => {
  const message =
    "nothing to boot: give a kernel with -kernel FILE (-cd boots a CD, -help lists all options)";
  for (const [env, shown] of [[{}, "\x1b[31mvzrun:\x1b[39m"], [{ NO_COLOR: "1" }, "vzrun:"]] as const) {
    await using terminal = new Terminal();
    await using run = new Vzrun([], { ...terminal.how(true), env });
    assertEquals(await run.end(10), 2);
    await terminal.screen.until("\n");
    assertEquals(terminal.screen.text.replace("\x1b[0m\r", "\r"), `${shown} ${message}\r\n`);
  }
});
