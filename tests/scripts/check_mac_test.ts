import { assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { PROBES } from "../../scripts/check_mac/mod.ts";
import { Screen } from "../e2e/screen.ts";
import { ENVIRONMENT, eventually, Folder, Output, ROOT, stateOf, within } from "../e2e/vzrun.ts";

// linux/ is what answers here.
const LINUX = { ignore: Deno.build.os !== "linux" };

/** A check-mac whose temporary folder and home the test sees, in a process group of its own. */
class CheckMac extends Folder {
  readonly process: Deno.ChildProcess;
  readonly out: Output;
  readonly err: Output;

  constructor(args: string[], env: Record<string, string> = {}) {
    super();
    Deno.mkdirSync(this.file("tmp"));
    Deno.mkdirSync(this.file("home"));
    this.process = new Deno.Command("setsid", {
      args: [Deno.execPath(), "task", "-q", "--cwd", ROOT, "check-mac", ...args],
      ...ENVIRONMENT,
      env: {
        ...ENVIRONMENT.env,
        DENO_NO_UPDATE_CHECK: "1",
        HOME: this.file("home"),
        TMPDIR: this.file("tmp"),
        ...env,
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.out = new Output(this.process.stdout);
    this.err = new Output(this.process.stderr);
  }

  async end(): Promise<number> {
    const all = Promise.all([this.process.status, this.out.ended, this.err.ended]);
    return (await within("the end of check-mac", all, 300))[0].code;
  }

  /** Asserts that neither a file nor a process is left. */
  async leavesNothing(): Promise<void> {
    assertEquals([...Deno.readDirSync(this.file("tmp"))].map(({ name }) => name), []);
    assertEquals([...Deno.readDirSync(this.file("home"))].map(({ name }) => name), []);
    await eventually("the end of all that it has started", () => members(this.process.pid).length === 0, 10);
  }
}

/** The processes of a session that still run. */
function members(session: number): number[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Boolean);
  return pids.filter((pid) => {
    try {
      const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /s, "").split(" ");
      return Number(fields[3]) === session && stateOf(pid) !== undefined;
    } catch {
      return false; // it has ended meanwhile
    }
  });
}

Deno.test(
  "check-mac: who has a Mac settles every question with one command: linux/ answers all as a Mac is thought to",
  LINUX,
  async () => {
    await using screen = await Screen.start();
    using run = new CheckMac(["--json"], screen.how.env);
    const start = performance.now();
    const code = await run.end();
    assertLess(performance.now() - start, 180_000);
    const { sums, macOS, probes } = JSON.parse(run.out.text);
    const others = probes.filter(({ answer }: { answer: string }) => answer !== "yes");
    assertEquals(others, []);
    assertEquals(sums, `${PROBES.length} yes, 0 no`);
    assertEquals(probes.map(({ name }: { name: string }) => name), PROBES.map(({ name }) => name));
    for (const { seen } of probes) assertGreater(seen.length, 0);
    assertEquals([code, /^\d+\.\d+$/.test(macOS)], [0, true]);
    await run.leavesNothing();
  },
);

Deno.test(
  "check-mac: a Mac that answers otherwise is told so, in a table and by the exit code",
  LINUX,
  async () => {
    using run = new CheckMac(["hardware", "macos-version"], {
      VIRTUALIZATION_HARDWARE: "none",
      VIRTUALIZATION_MACOS: "27.0",
    });
    assertEquals(await run.end(), 1);
    const [about, , head, , ...rows] = run.out.text.split("\n");
    assertStringIncludes(about, "vzrun ");
    assertEquals(head, "| probe | question | seen | answer |");
    assertEquals(
      rows.map((row) => row.startsWith("|") ? row.split(" | ").filter((_, i) => i !== 1).join(" | ") : row),
      [
        "| macos-version | 27.0; sw_vers: none | yes |",
        "| hardware | NO | no |",
        "",
        "1 yes, 1 no",
        "",
      ],
    );
  },
);

Deno.test(
  "check-mac: on a macOS that has no networks of a program's own, that is what is said",
  LINUX,
  async () => {
    using run = new CheckMac(["--json", "vmnet-network", "vmnet-reservation"], {
      VIRTUALIZATION_MACOS: "15.0",
    });
    assertEquals(await run.end(), 0);
    assertEquals(
      JSON.parse(run.out.text).probes.map((
        { seen, answer }: { seen: string; answer: string },
      ) => [seen, answer]),
      [
        ["macOS 15.0 has none", "yes"],
        ["A network of the machine's own needs macOS 26 (this is 15.0)", "unclear"],
      ],
    );
  },
);

Deno.test(
  "check-mac: Ctrl-C ends it in the middle of a guest, and leaves nothing behind",
  LINUX,
  async () => {
    using run = new CheckMac(["boot", "no-spin"]);
    await run.err.until("yes     boot");
    Deno.kill(-run.process.pid, "SIGINT");
    assertEquals(await run.end() === 0, false);
    await run.leavesNothing();
  },
);

Deno.test("check-mac: a name that no probe has is refused with all names", LINUX, async () => {
  using run = new CheckMac(["nonsense"]);
  assertEquals(await run.end(), 2);
  assertStringIncludes(run.err.text, "check-mac: there is no probe 'nonsense'; there are macos-version, ");
});
