import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { TARGETS } from "../../scripts/compile.ts";
import {
  archiveOf,
  formula,
  installScript,
  makeRelease,
  notesOf,
  type Release,
  ReleaseError,
} from "../../scripts/release.ts";
import { Folder, ROOT } from "../e2e/vzrun.ts";

const VERSION = "1.2.3";
const CHANGELOG =
  "# Changelog\n\n## 1.2.30\n\n- No.\n\n## 1.2.3 (today)\n\n- New.\n- Good.\n\n## 1.2.2\n\n- Old.\n";

function release(url: string, sum: string): Release {
  const sums = Object.fromEntries(TARGETS.map((target) => [target, sum]));
  return { version: VERSION, homepage: "https://example.com/vzrun", url, sums };
}

async function run(program: string, args: string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("release: the notes are what the changelog says of that version", () => {
  assertEquals(notesOf(CHANGELOG, VERSION), "- New.\n- Good.\n");
  assertThrows(() => notesOf(CHANGELOG, "1.2"), ReleaseError, "nothing under '## 1.2'");
});

Deno.test("release: this version has notes", async () => {
  const { default: { version } } = await import("../../deno.json", { with: { type: "json" } });
  assertMatch(notesOf(Deno.readTextFileSync(`${ROOT}/CHANGELOG.md`), version), /^- /);
});

Deno.test("release: the formula names both Macs' archives with their sums", () => {
  const text = formula(release("https://example.com/v1", "ab12"));
  for (const target of ["aarch64-apple-darwin", "x86_64-apple-darwin"]) {
    assertStringIncludes(
      text,
      `url "https://example.com/v1/vzrun-1.2.3-${target}.tar.gz"\n    sha256 "ab12"`,
    );
  }
});

Deno.test("release: sums, notes, formula and script are made beside the archives, and one that is missing is named", async () => {
  using folder = new Folder();
  const { default: { version } } = await import("../../deno.json", { with: { type: "json" } });
  const make = () => makeRelease(folder.path, version, "https://example.com/me/vzrun");
  await assertRejects(make, ReleaseError, `${archiveOf(version, TARGETS[0])}' is missing`);
  for (const target of TARGETS) Deno.writeTextFileSync(folder.file(archiveOf(version, target)), target);
  await make();
  const check = await run("sh", ["-c", `cd '${folder.path}' && shasum -a 256 -c SHA256SUMS`]);
  assertEquals([check.code, check.out.split(": OK\n").length - 1], [0, TARGETS.length]);
  assertStringIncludes(
    Deno.readTextFileSync(folder.file("install.sh")),
    `https://example.com/me/vzrun/releases/download/v${version}/$file`,
  );
  assert(Deno.readTextFileSync(folder.file("vzrun.rb")).startsWith("class Vzrun < Formula\n"));
});

/** A release with an archive whose vzrun says hello, on a server. */
async function withRelease(body: (release: Release, folder: Folder) => Promise<void>): Promise<void> {
  using folder = new Folder();
  const contents = folder.file("contents");
  Deno.mkdirSync(contents);
  // It finds its library beside itself, as the real one does.
  const program = '#!/bin/sh\ncat "$(dirname "$(readlink -f "$0")")/libVirtualization.so"\n';
  Deno.writeTextFileSync(`${contents}/vzrun`, program, { mode: 0o755 });
  Deno.writeTextFileSync(`${contents}/libVirtualization.so`, "hello\n");
  Deno.writeTextFileSync(`${contents}/vzrun.1`, "manual\n");
  await run("tar", ["-czf", folder.file("archive"), "-C", contents, "."]);
  const bytes = Deno.readFileSync(folder.file("archive"));
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, ({ url }) => {
    const name = new URL(url).pathname.slice(1);
    const there = TARGETS.some((target) => archiveOf(VERSION, target) === name);
    return there ? new Response(bytes) : new Response(null, { status: 404 });
  });
  const { port } = server.addr;
  await body(release(`http://127.0.0.1:${port}`, sum), folder);
}

/** Runs the install script for a user whose home is in the folder. */
function install(made: Release, folder: Folder): ReturnType<typeof run> {
  Deno.writeTextFileSync(folder.file("install.sh"), installScript(made));
  Deno.mkdirSync(folder.file("a home/tmp"), { recursive: true });
  return run("sh", [folder.file("install.sh")], {
    HOME: folder.file("a home"),
    TMPDIR: folder.file("a home/tmp"),
    NO_PROXY: "127.0.0.1",
    PREFIX: "",
  });
}

Deno.test("install.sh: what it installs runs, and a second time replaces the first", () =>
  withRelease(async (made, folder) => {
    for (let times = 0; times < 2; times++) {
      const { code, err } = await install(made, folder);
      const home = folder.file("a home/.local");
      assertEquals([code, err], [
        0,
        `install: ${home}/bin/vzrun\ninstall: add ${home}/bin to PATH\n`,
      ]);
      assertEquals((await run(`${home}/bin/vzrun`, [])).out, "hello\n");
      assertEquals(Deno.readTextFileSync(`${home}/share/man/man1/vzrun.1`), "manual\n");
    }
    assertEquals([...Deno.readDirSync(folder.file("a home/tmp"))], []);
  }));

Deno.test("install.sh: an archive that is missing or another one installs nothing and leaves nothing", () =>
  withRelease(async (made, folder) => {
    const other = Object.fromEntries(TARGETS.map((target) => [target, "0".repeat(64)]));
    for (
      const [unfit, reason] of [
        [{ ...made, sums: other }, /is not what was released\n$/],
        [{ ...made, url: `${made.url}/no` }, /install: could not fetch /],
      ] as const
    ) {
      const { code, err } = await install(unfit, folder);
      assertEquals(code, 1);
      assertMatch(err, reason);
      assertEquals([...Deno.readDirSync(folder.file("a home"))].map(({ name }) => name), ["tmp"]);
      assertEquals([...Deno.readDirSync(folder.file("a home/tmp"))], []);
    }
  }));

Deno.test("install.sh: shellcheck has nothing to say", { ignore: Deno.build.os !== "linux" }, async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("install.sh"), installScript(release("https://example.com", "ab12")));
  assertEquals(await run("shellcheck", [folder.file("install.sh")]), { code: 0, out: "", err: "" });
});
