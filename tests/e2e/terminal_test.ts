import { assert, assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { listening, telling } from "./booted.ts";
import { meanwhile } from "./meanwhile.ts";
import { Terminal } from "./terminal.ts";
import { eventually, Folder, guest, pause, ROOT, stateOf, ticksOf, Vzrun } from "./vzrun.ts";

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
  await using run = new Vzrun(await telling(), terminal.how());
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
    await using run = new Vzrun(await telling(), terminal.how());
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
  await using run = new Vzrun(await listening(), terminal.how());
  await eventually("raw modes", () => terminal.modes !== before);
  await terminal.type("poweroff -f\r");
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
  await using run = new Vzrun(guest("sleep 1000"), terminal.how());
  await eventually("raw modes", () => terminal.modes !== before);
  run.signal("SIGTERM"); // the guest cannot hear it yet
  await run.err.until("asked");
  run.signal("SIGTERM");
  assertEquals(await run.end(5), 143);
  assertEquals(terminal.modes, before);
});

Deno.test("terminal: closing its window powers the guest off", async () => {
  await using terminal = new Terminal();
  await using run = new Vzrun([...await telling(), "-verbose"], terminal.how());
  await terminal.screen.until("up");
  const { qemu } = run;
  await terminal.close();
  assertEquals(await run.end(8), 129, run.err.text);
  assertStringIncludes(run.err.text, "vzrun: the guest has powered off\n");
  assertEquals(stateOf(qemu), undefined);
});

Deno.test("terminal: closing its window powers the guest off also when stderr goes there, as it does", async () => {
  await using terminal = new Terminal();
  await using run = new Vzrun([...await telling(), "-verbose"], terminal.how(true));
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

Deno.test("terminal: in the background it is left alone, and a signal ends the run as always", async () => {
  await using terminal = new Terminal();
  const before = terminal.modes;
  // timeout puts what it runs into the background of the terminal, which is the shell's.
  const through = [...terminal.how().through!, "sh", "-c", '"$@"; exit $?', "sh", "timeout", "1000"];
  await using run = new Vzrun(await telling(), { through });
  await terminal.screen.until("up");
  assertEquals(terminal.modes, before);
  await terminal.type("typed ahead\n"); // which is not ours to read
  const { pid } = run.family.find(({ name }) => name === "timeout")!;
  Deno.kill(pid, "SIGTERM"); // which it passes on
  assertEquals(await run.end(20), 143);
  assertStringIncludes(run.err.text, "vzrun: SIGTERM: asked the guest to power off\n");
  assertEquals(terminal.modes, before);
});

Deno.test("terminal: a job that fg has brought back has it raw, and its keys", async () => {
  using folder = new Folder();
  const tmux = async (...args: string[]): Promise<string> => {
    const all = ["-S", folder.file("tmux"), "-f", "/dev/null", ...args];
    const { stdout } = await new Deno.Command("tmux", { args: all, env: { TERM: "xterm" } }).output();
    return new TextDecoder().decode(stdout);
  };
  /** @param keys What is typed again and again meanwhile. */
  const shows = async (what: string, keys?: string, seconds = 60) => {
    for (
      const end = Date.now() + seconds * 1000;
      !(await tmux("capture-pane", "-p")).includes(what);
      await pause(keys === undefined ? 100 : 300)
    ) {
      assert(Date.now() < end, `no ${what} on\n${await tmux("capture-pane", "-p")}`);
      if (keys !== undefined) await tmux("send-keys", "-l", keys);
    }
  };
  const commands = guest("echo guest is up; read line; echo got $line").map((word) => `'${word}'`).join(" ");
  Deno.writeTextFileSync(folder.file("run"), `exec '${ROOT}/dev' run ${commands}\n`);
  await tmux("new-session", "-d", "-x", "80", "-y", "24", "bash --norc --noprofile");
  try {
    await tmux("send-keys", "-l", `sh ${folder.file("run")} &\n`);
    await shows("guest is up");
    await tmux("send-keys", "-l", "echo shell has $((40 + 2)) keys\n");
    await shows("shell has 42 keys");
    await tmux("send-keys", "-l", "fg\n");
    await shows("got these", "these\r", 10);
    // The first may be taken by a vzrun that still ends.
    await shows("the shell has 43 again", "echo the shell has $((40 + 3)) again\n");
  } finally {
    await tmux("kill-server");
  }
});

// MAC.md, row 3.
meanwhile(
  "terminal: a framework that makes what it is handed non-blocking costs no keys and no processor",
  async () => {
    await using terminal = new Terminal();
    const how = { ...terminal.how(), env: { VIRTUALIZATION_NONBLOCKING: "yes" } };
    await using run = new Vzrun(await listening(), how);
    await eventually("raw modes", () => terminal.modes.includes("-icanon"));
    await terminal.type("echo got $((40 + 2)) keys\r");
    await terminal.screen.until("got 42 keys");
    await pause(11_000); // Deno's pool ends its idle threads after 10 s
    const before = ticksOf(run.pid);
    await pause(10_000);
    assertEquals(ticksOf(run.pid) - before, 0);
    await terminal.type("\x01x");
    assertEquals(await run.end(5), 0);
  },
);
