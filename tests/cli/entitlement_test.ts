import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { EntitlementError, nextStep, type Start } from "../../src/cli/entitlement.ts";
import { cacheFolder } from "../../src/host/cache_folder.ts";
import { contents, Folder, ROOT } from "../e2e/vzrun.ts";
import { ended } from "../objc/child.ts";

const START: Start = { program: "/bin/deno", entitled: false, standalone: false, again: false, root: false };

Deno.test("entitlement: who has it starts, whatever else", () => {
  assertEquals(
    nextStep({ ...START, entitled: true, standalone: true, again: true, root: true }),
    "start",
  );
  assertEquals(nextStep(START), "sign");
});

Deno.test("entitlement: who cannot get it is told what to do", () => {
  const refusals: [Partial<Start>, string][] = [
    [{ standalone: true, program: "/opt/vzrun" }, "--entitlements entitlements.plist '/opt/vzrun'"],
    [{ again: true }, "remove it and try again"],
    [{ root: true }, "run vzrun as a user, or codesign"],
  ];
  for (const [parts, advice] of refusals) {
    assertThrows(() => nextStep({ ...START, ...parts }), EntitlementError, advice);
  }
});

/** A Mac's home with a stand-in for codesign, which records its arguments and marks what it signs. */
class Home extends Folder {
  constructor(marks = "printf SIGNED >>") {
    super();
    Deno.writeTextFileSync(
      this.file("codesign"),
      `#!/bin/sh
      echo "$@" >>'${this.file("calls")}'
      for file; do :; done
      ${marks}"$file"`,
      { mode: 0o755 },
    );
  }

  get cache(): string {
    return cacheFolder(Deno.build.os, { HOME: this.path })!;
  }

  get copies(): string[] {
    return [...Deno.readDirSync(this.cache)].filter(({ isFile }) => isFile).map(({ name }) => name);
  }

  get calls(): string[] {
    return contents(this.file("calls")).split("\n").slice(0, -1);
  }

  async start(args: string[], deno = Deno.execPath(), root = "user") {
    const own = [
      "run",
      "-q",
      "-A",
      "--config",
      `${ROOT}/deno.json`,
      `${ROOT}/tests/cli/programs/entitlement.ts`,
    ];
    const command = [deno, ...own, this.file("codesign"), root, ...args];
    const env = { HOME: this.path, DENO_DIR: Deno.env.get("DENO_DIR") ?? this.file("deno") };
    const { code, stdout, stderr } = await ended(command, env, "typed ahead");
    return { code, err: stderr, ...JSON.parse(stdout || "{}") };
  }
}

Deno.test("entitlement: a copy of Deno is signed once, and takes over with arguments, input and exit code", async () => {
  using home = new Home();
  const args = ["-kernel", "a b", "", "ü'\"", "--", "-x=1"];
  const { program, err, ...rest } = await home.start(args);
  assertEquals(rest, { code: 42, args, input: "typed ahead" });
  assertEquals(
    err,
    `vzrun: signing a copy of Deno with the entitlement for virtual machines, which is kept in '${home.cache}'\n`,
  );
  assertMatch(
    program,
    new RegExp(`^${Deno.realPathSync(home.cache)}/deno-[\\d.]+-[0-9a-f]{16}$`),
  );
  assertMatch(
    home.calls[0],
    new RegExp(
      `^--force --sign - --identifier deno --entitlements ${ROOT}/entitlements.plist ${home.cache}/`,
    ),
  );
  assertEquals(await home.start(args), { code: 42, args, input: "typed ahead", err: "", program });
  assertEquals([home.calls.length, home.copies.length], [1, 1]);
  // The copy itself, started by hand, needs no other.
  assertEquals((await home.start(args, program)).code, 42);
  assertEquals(home.calls.length, 1);
});

Deno.test("entitlement: a new Deno gets a new copy", async () => {
  using home = new Home();
  const deno = home.file("deno-new");
  const { program } = await home.start([]);
  await Deno.copyFile(Deno.execPath(), deno);
  await Deno.writeTextFile(deno, "new", { append: true });
  const renewed = await home.start([], deno);
  assertEquals(renewed.code, 42);
  assertNotEquals(renewed.program, program);
  assertEquals(home.calls.length, 2);
});

Deno.test("entitlement: two starts at once are in nobody's way, and leave one copy", async () => {
  using home = new Home();
  const both = await Promise.all([home.start(["one"]), home.start(["two"])]);
  assertEquals(both.map(({ code, args }) => [code, args]), [[42, ["one"]], [42, ["two"]]]);
  assertEquals(home.copies.length, 1);
});

Deno.test("entitlement: a signature that does no good is told, and not tried again and again", async () => {
  using home = new Home(": ");
  const { code, err } = await home.start([]);
  assertEquals(code, 1);
  assertMatch(
    err,
    /lacks the entitlement com\.apple\.security\.virtualization, though it was signed with it/,
  );
  assertEquals(home.calls.length, 1);
});

Deno.test("entitlement: when codesign fails, its words are told and nothing is kept", async () => {
  using home = new Home("echo no such thing >&2; exit 1; ");
  const { code, err } = await home.start([]);
  assertEquals(code, 1);
  assertMatch(err, /\ncodesign cannot sign a copy of Deno: no such thing\n$/);
  assertEquals(home.copies, []);
});

Deno.test("entitlement: root gets no copy unasked", async () => {
  using home = new Home();
  const { code, err } = await home.start([], Deno.execPath(), "root");
  assertEquals(code, 1);
  assertMatch(err, /as root no copy of Deno is signed by itself/);
  assertEquals(home.calls, []);
});

Deno.test("entitlement: a daemon is the signed copy, from its start", async () => {
  using home = new Home();
  const args = ["daemonize", home.file("daemon")];
  for (const signs of ["vzrun: signing [^\n]*\n", ""]) {
    const { code, err } = await home.start(args);
    assertMatch(err, new RegExp(`^${signs}the daemon's words\n$`));
    assertEquals(code, 0);
    const daemon = JSON.parse(contents(home.file("daemon")));
    assertEquals(daemon, { program: `${Deno.realPathSync(home.cache)}/${home.copies[0]}`, args });
    Deno.removeSync(home.file("daemon"));
  }
  assertEquals([home.calls.length, home.copies.length], [1, 1]);
});

// Row 30.
Deno.test("entitlement: a command line that is wrong is refused before anything is signed", async () => {
  using home = new Home();
  const { code, err } = await home.start(["refused"]);
  assertEquals([code, err, home.calls], [1, "cannot open kernel 'refused'\n", []]);
  assertEquals((await home.start(["right"])).code, 42);
});

// Row 31: the kernel's parser of entitlements refuses what XML forbids, which other readers let through.
Deno.test("entitlement: no comment of the property lists has two hyphens in a row", () => {
  const lists = [...Deno.readDirSync(ROOT)].map(({ name }) => name).filter((name) => name.endsWith(".plist"));
  assertEquals(lists.toSorted(), ["entitlements-bridged.plist", "entitlements.plist"]);
  for (const list of lists) {
    const comments = [...Deno.readTextFileSync(`${ROOT}/${list}`).matchAll(/<!--(.*?)-->/gs)];
    assertEquals(comments.filter(([, comment]) => comment.includes("--")).map(([all]) => all), [], list);
  }
});

Deno.test({
  name: "entitlement: a program that runs in another's place is seen by that one's name, and is one file",
  ignore: Deno.build.os !== "linux", // /proc tells
  async fn() {
    using home = new Home();
    const args = ["as vfkit", "--cpus", "2"];
    const { program, err: _, ...rest } = await home.start(args);
    assertEquals(rest, { code: 42, args, input: "typed ahead", seenAs: ["vfkit", "vfkit"] });
    assertMatch(program, new RegExp(`^${Deno.realPathSync(home.cache)}/as-[0-9a-f]{16}/vfkit$`));
    const [copy] = home.copies;
    assertEquals(Deno.statSync(program).ino, Deno.statSync(`${home.cache}/${copy}`).ino);
    // The copy by its own name, which may make machines already, and a program that has the name.
    for (const started of [`${home.cache}/${copy}`, program]) {
      const again = await home.start(args, started);
      assertEquals([again.code, again.seenAs[0]], [42, "vfkit"]);
      assertEquals(again.program.endsWith("/vfkit"), true);
    }
    // Another name is another file.
    assertEquals((await home.start(["as krunkit"])).seenAs, ["krunkit", "krunkit"]);
    assertEquals(home.calls.length, 1);
  },
});
