/**
 * `deno task compile [--target T]`: vzrun as one executable, dist/vzrun, with nothing in it but the program.
 *
 * What it is made of is put into a folder first: JavaScript bundled with what it imports, so that no package comes
 * along whole, and starts are faster than from the sources; data that the program reads; its permissions.
 */

import { format } from "@std/fmt/bytes";
import { basename } from "@std/path/posix/basename";
import { dirname } from "@std/path/posix/dirname";
import { join } from "@std/path/posix/join";
import { toFileUrl } from "@std/path/posix/to-file-url";
import { parseOptions, runScript } from "./command_line.ts";
import { V8_FLAGS } from "./v8_flags.ts";

const ROOT = join(import.meta.dirname!, "..");

/** Systems for which there is a vzrun, as Deno names them. */
export const TARGETS = [
  "aarch64-apple-darwin",
  "x86_64-apple-darwin",
  "x86_64-unknown-linux-gnu",
  "aarch64-unknown-linux-gnu",
] as const;

/** A build that cannot be made: one line that says what is missing. */
export class BuildError extends Error {
  override name = "BuildError";
}

/** The part of deno.json that is of use here. */
interface Config {
  version: string;
  imports: Record<string, string>;
  permissions: { default: Record<string, unknown> };
}

/** What a program in JavaScript loads by name, beside its imports. */
export interface Loads {
  /** Modules that it starts as workers, relative to the module that does. */
  workers: string[];
  /** Files that it reads, as the import map names them. */
  data: string[];
}

/** Finds what a module loads. Its names have to be written out, as the bundler wants those of imports to be. */
export function loadsOf(module: string): Loads {
  const all = (pattern: RegExp) => [...module.matchAll(pattern)].map(([, name]) => name);
  return {
    workers: all(/new Worker\(\s*new URL\("([^"]+)", import\.meta\.url\)/g),
    data: all(/import\.meta\.resolve\("([^"]+)"\)/g),
  };
}

/** The revision of a folder that git knows, `-dirty` when something in it has changed; undefined without git. */
export async function gitRevision(folder: string): Promise<string | undefined> {
  const args = ["-C", folder, "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"];
  const git = new Deno.Command("git", { args, stderr: "null" });
  const { success, stdout } = await git.output().catch(() => ({ success: false, stdout: new Uint8Array() }));
  return success ? new TextDecoder().decode(stdout).trim() : undefined;
}

/** Arguments of the deno that bundles. */
export function bundleArguments(map: string, modules: string[], folder: string): string[] {
  return ["bundle", "-q", "--code-splitting", "--import-map", map, "--outdir", folder, ...modules];
}

/** Arguments of the deno that makes the executable of a folder that {@linkcode stage} has filled. */
export function compileArguments(files: string[], output: string, target?: string): string[] {
  return [
    "compile",
    "-q",
    "-P",
    V8_FLAGS,
    "--no-prompt",
    "--no-check",
    "--no-lock",
    "--no-remote",
    "--no-npm",
    "--config=deno.json",
    "--app-name=vzrun",
    ...target ? [`--target=${target}`] : [],
    ...files.filter((file) => file !== "main.js" && file !== "deno.json").map((file) => `--include=${file}`),
    `--output=${output}`,
    "main.js",
  ];
}

/** @throws {BuildError} With what deno has said, when it fails. */
async function deno(args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new BuildError(new TextDecoder().decode(stderr).trim());
}

/** Paths of the files of a folder and its folders, seen from `root`. */
function filesIn(root: string, folder = ""): string[] {
  return [...Deno.readDirSync(join(root, folder))].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    return isDirectory ? filesIn(root, path) : [path];
  });
}

/** Modules of src/ that are started as workers, seen from `root`. */
function workersIn(root: string): string[] {
  return filesIn(root, "src").flatMap((path) =>
    loadsOf(Deno.readTextFileSync(join(root, path))).workers.map((worker) => join(dirname(path), worker))
  );
}

/**
 * Puts what the executable is made of into an empty folder.
 *
 * @returns Their paths, seen from that folder.
 * @throws {BuildError} When the program cannot be bundled.
 */
export async function stage(root: string, folder: string, revision?: string): Promise<string[]> {
  const config: Config = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const workers = workersIn(root);
  const { run: _, ...permissions } = config.permissions.default; // of codesign, for the copy of Deno that it is without
  const url = (...path: string[]) => toFileUrl(join(...path)).href;
  const writeConfig = (imports: Record<string, string>) =>
    Deno.writeTextFile(
      join(folder, "deno.json"),
      JSON.stringify({
        version: revision ? `${config.version}+${revision}` : config.version,
        imports,
        permissions: { default: permissions },
      }),
    );
  await writeConfig({});
  // The program reads its version from deno.json, whose place the one that was just written takes.
  const map = join(folder, "imports.json");
  const modules = Object.entries(config.imports).map(([name, module]) =>
    [name, module.startsWith("./") ? url(root, module) : module] as const
  );
  const imports = { ...Object.fromEntries(modules), [url(root, "deno.json")]: url(folder, "deno.json") };
  await Deno.writeTextFile(map, JSON.stringify({ imports }));
  await deno(bundleArguments(map, ["main.ts", ...workers], folder), root);
  await Deno.remove(map);
  // Whatever module starts a worker has become part of one in this folder, and looks for it beside itself.
  for (const worker of workers) {
    await Deno.writeTextFile(
      join(folder, basename(worker)),
      `import "./${worker.replace(/\.ts$/, ".js")}";\n`,
    );
  }
  const data: Record<string, string> = {};
  for (const file of filesIn(folder)) {
    if (!file.endsWith(".js")) continue;
    for (const specifier of loadsOf(await Deno.readTextFile(join(folder, file))).data) {
      await Deno.copyFile(new URL(import.meta.resolve(specifier)), join(folder, basename(specifier)));
      data[specifier] = `./${basename(specifier)}`;
    }
  }
  await writeConfig(data);
  return filesIn(folder).sort();
}

/**
 * Makes the executable.
 *
 * @param output Path of the executable, which is replaced when all has gone well.
 * @param target One of {@linkcode TARGETS}; this system by default.
 * @throws {BuildError} When it cannot be made.
 */
export async function compile(root: string, output: string, target?: string): Promise<void> {
  if (target !== undefined && !(TARGETS as readonly string[]).includes(target)) {
    throw new BuildError(`unknown target '${target}': it is one of ${TARGETS.join(", ")}`);
  }
  const folder = await Deno.makeTempDir({ prefix: "vzrun-compile-" });
  try {
    const files = await stage(root, folder, await gitRevision(root));
    await deno(compileArguments(files, `${output}.new`, target), folder); // a failure of it removes the output
    await Deno.rename(`${output}.new`, output);
  } catch (error) {
    if (!(error instanceof BuildError) || !/base binary|find denort/.test(error.message)) throw error;
    const system = target ?? Deno.build.target;
    throw new BuildError(
      `the runtime (denort ${Deno.version.deno} for ${system}) is missing and could not be fetched: take it out ` +
        `of denort-${system}.zip, which every release of Deno has, and name the file in DENORT_BIN`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await runScript("compile", BuildError, async () => {
    const { target } = parseOptions(Deno.args, {
      usage: "deno task compile [--target T]",
      string: ["target"],
    });
    const output = join(ROOT, "dist", "vzrun");
    await Deno.mkdir(join(ROOT, "dist"), { recursive: true });
    await compile(ROOT, output, target);
    console.error(`compile: ${output} (${format((await Deno.stat(output)).size)})`);
  });
}
