import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { basename } from "@std/path/posix/basename";
import {
  BuildError,
  bundleArguments,
  compile,
  compileArguments,
  loadsOf,
  stage,
} from "../../scripts/compile.ts";
import { standInBeside } from "../../src/host/libraries.ts";
import { ENVIRONMENT, Folder, guest, ROOT } from "../e2e/vzrun.ts";

/** What a program says on stdout, and how it ended. */
async function run(program: string, args: string[], cwd: string, env: Record<string, string> = {}) {
  const command = new Deno.Command(program, { args, cwd, clearEnv: true, env, stderr: "piped" });
  const { code, stdout, stderr } = await command.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), err: text(stderr) };
}

/** Calls a function while an environment variable has a value. */
async function having<T>(name: string, value: string, body: () => Promise<T>): Promise<T> {
  const before = Deno.env.get(name);
  Deno.env.set(name, value);
  try {
    return await body();
  } finally {
    if (before === undefined) Deno.env.delete(name);
    else Deno.env.set(name, before);
  }
}

/** For what can be tried on Linux only: elsewhere a runtime is added to in another way, and CI runs what comes of it. */
const LINUX = { ignore: Deno.build.os !== "linux" };

const STAGED = ["run", "-q", "-P", "--cached-only", "--config", "deno.json", "main.js"];

Deno.test("compile: deno is told the permissions of deno.json, and no more files than were staged", () => {
  assertEquals(bundleArguments("map.json", ["main.ts", "src/cli/worker.ts"], "/tmp/a b"), [
    "bundle",
    "-q",
    "--code-splitting",
    "--import-map",
    "map.json",
    "--outdir",
    "/tmp/a b",
    "main.ts",
    "src/cli/worker.ts",
  ]);
  assertEquals(
    compileArguments(["a.js", "deno.json", "main.js", "x.wasm"], "/out/vzrun", "x86_64-apple-darwin"),
    [
      "compile",
      "-q",
      "-P",
      "--v8-flags=--no-lazy,--min-semi-space-size=4",
      "--no-prompt",
      "--no-check",
      "--no-lock",
      "--no-remote",
      "--no-npm",
      "--config=deno.json",
      "--app-name=vzrun",
      "--target=x86_64-apple-darwin",
      "--include=a.js",
      "--include=x.wasm",
      "--output=/out/vzrun",
      "main.js",
    ],
  );
});

Deno.test("compile: workers and data, which are no imports, are found", () => {
  const module = `
    new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    new Worker(
      new URL("./other.ts", import.meta.url),
    );
    Deno.readFileSync(new URL(import.meta.resolve("package/data.wasm")));
    new URL("./no_worker.ts", import.meta.url);`;
  assertEquals(loadsOf(module), { workers: ["./worker.ts", "./other.ts"], data: ["package/data.wasm"] });
});

Deno.test("compile: a worker starts, also one that shares modules with the program", async () => {
  using root = new Folder();
  using staged = new Folder();
  Deno.mkdirSync(root.file("src/cli"), { recursive: true });
  const write = (name: string, text: string) => Deno.writeTextFileSync(root.file(name), text);
  write("deno.json", '{ "version": "1.2.3", "imports": {}, "permissions": { "default": { "read": true } } }');
  write("main.ts", 'import "./src/cli/start.ts";');
  write("src/cli/shared.ts", "export const shared = (who: string) => `shared by ${who}`;");
  write(
    "src/cli/start.ts",
    `import { shared } from "./shared.ts";
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }) => { console.log(shared("main"), data); worker.terminate(); };`,
  );
  write("src/cli/worker.ts", 'import { shared } from "./shared.ts"; self.postMessage(shared("worker"));');
  await stage(root.path, staged.path);
  const { out, err } = await run(Deno.execPath(), STAGED, staged.path);
  assertEquals([out, err], ["shared by main shared by worker\n", ""]);
});

Deno.test(
  "compile: what goes into the executable boots the guest from a folder of its own, with no package at hand",
  LINUX,
  async () => {
    using parent = new Folder();
    const folder = parent.file("a folder");
    Deno.mkdirSync(folder);
    const files = await stage(ROOT, folder, "abc123");
    assertEquals(files.filter((file) => !/^[\w-]+\.js$/.test(file)), [
      "cluster_worker.ts",
      "deno.json",
      "liblzma.wasm",
      "src/cli/worker.js",
      "src/images/cluster_worker.js",
      "worker.ts",
    ]);
    const env = {
      HOME: parent.path,
      PATH: Deno.env.get("PATH")!,
      DENO_DIR: parent.file("empty"),
      LD_LIBRARY_PATH: `${ROOT}/linux/build`,
    };
    const version = await run(Deno.execPath(), [...STAGED, "-version"], folder, env);
    assertMatch(version.out, /^vzrun \d+\.\d+\.\d+\+abc123 \(Deno /);
    const booted = await run(Deno.execPath(), [...STAGED, ...guest("echo made")], folder, env);
    assertEquals(booted, { code: 0, out: "made\r\n", err: "" });
  },
);

Deno.test(
  "compile: the executable has the staged files in it and nothing else, and the permissions of deno.json",
  LINUX,
  async () => {
    using folder = new Folder();
    using staged = new Folder();
    const output = folder.file("vz run");
    // A whole Deno as the runtime: what comes of that does not start, but is put together in the same way.
    await having("DENORT_BIN", Deno.execPath(), () => compile(ROOT, output));
    const bytes = (await Deno.readFile(output)).subarray((await Deno.stat(Deno.execPath())).size);
    const added = new TextDecoder("latin1").decode(bytes);
    const plain = (name: string) => name.replace(/-[A-Z0-9]{8}\.js$/, ".js"); // without the hash of its content
    const embedded = [...added.matchAll(/"File":\{"n":"([^"]+)"/g)].map(([, name]) => plain(name));
    const names = (await stage(ROOT, staged.path)).map((path) => plain(basename(path)));
    const files = names.filter((name) => name !== "deno.json");
    assertEquals(embedded.toSorted(), files.toSorted());
    const folders = [...added.matchAll(/"Dir":\{"n":"([^"]+)"/g)].map(([, name]) => name);
    assertEquals(folders, ["src", "cli", "images"]);
    const permissions = JSON.parse(/"permissions":(\{[^}]*\})/.exec(added)![1]);
    const { default: config } = await import("../../deno.json", { with: { type: "json" } });
    assertEquals(permissions.allow_env, config.permissions.default.env);
    assertEquals([permissions.allow_run, permissions.allow_sys, permissions.prompt], [null, null, false]);
    for (const name of ["read", "write", "net", "ffi"]) assertEquals(permissions[`allow_${name}`], [], name);
    assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["vz run"]);
  },
);

Deno.test("compile: a runtime that is missing is named, with what to do, and the old executable stays", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file("vzrun"), "old");
  const error = await having(
    "DENORT_BIN",
    folder.file("nothing"),
    () => assertRejects(() => compile(ROOT, folder.file("vzrun"), "aarch64-apple-darwin"), BuildError),
  );
  assertMatch(
    error.message,
    /^the runtime \(denort [\d.]+ for aarch64-apple-darwin\) is missing .* name the file in DENORT_BIN$/,
  );
  assertEquals(Deno.readTextFileSync(folder.file("vzrun")), "old");
  assertEquals([...Deno.readDirSync(folder.path)].length, 1);
});

Deno.test("compile: an unknown target is told, with those that there are", async () => {
  await assertRejects(() => compile(ROOT, "/nowhere", "riscv"), BuildError, "one of aarch64-apple-darwin, ");
});

Deno.test("an executable looks for linux/'s library beside itself, the sources in their tree", () => {
  const module = "file:///home/me/vz%20run/src/host/libraries.ts";
  assertEquals(
    standInBeside("libVirtualization.so", false, "/usr/bin/deno", module),
    "/home/me/vz run/linux/build/libVirtualization.so",
  );
  assertEquals(
    standInBeside(
      "libVirtualization.so",
      true,
      "/opt/vz run/vzrun",
      "file:///tmp/deno-compile-vzrun/chunk.js",
    ),
    "/opt/vz run/libVirtualization.so",
  );
});

Deno.test("without linux/'s library, the one line says where to put it", LINUX, async () => {
  using staged = new Folder();
  await stage(ROOT, staged.path);
  const { code, err } = await run(Deno.execPath(), [...STAGED, "-dry-run", ...guest("")], staged.path, {
    ...ENVIRONMENT.env,
    LD_LIBRARY_PATH: "",
  });
  assertEquals(code, 1);
  assertMatch(err, /^vzrun: libVirtualization\.so is missing, .* put it beside .*\n$/);
});
