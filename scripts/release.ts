/**
 * `deno task release FOLDER`: makes what goes with a release's archives, which are in FOLDER: SHA256SUMS, notes.md out
 * of CHANGELOG.md, a Homebrew formula and an install script. Run by the workflow of a tag.
 */

import { join } from "@std/path/posix/join";
import config from "../deno.json" with { type: "json" };
import { parseOptions, runScript, UsageError } from "./command_line.ts";
import { TARGETS } from "./compile.ts";

const ROOT = join(import.meta.dirname!, "..");

/** A release that cannot be made: one line that says what is missing. */
export class ReleaseError extends Error {
  override name = "ReleaseError";
}

/** What the files of a release have to say. */
export interface Release {
  version: string;
  /** The project's page. */
  homepage: string;
  /** Folder of the archives, without a slash at its end. */
  url: string;
  /** SHA-256 of each target's archive, in hexadecimal. */
  sums: Record<string, string>;
}

/** The name of a target's archive. */
export function archiveOf(version: string, target: string): string {
  return `vzrun-${version}-${target}.tar.gz`;
}

/**
 * What CHANGELOG.md says of a version.
 *
 * @throws {ReleaseError} When it says nothing.
 */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/\s/, 1)[0] === version);
  const notes = section?.replace(/^.*\n/, "").trim();
  if (!notes) throw new ReleaseError(`CHANGELOG.md has nothing under '## ${version}'`);
  return `${notes}\n`;
}

/** The formula for Homebrew; Macs only, since elsewhere vzrun needs linux/'s library. */
export function formula({ version, homepage, url, sums }: Release): string {
  const archive = (target: string) =>
    `    url "${url}/${archiveOf(version, target)}"\n    sha256 "${sums[target]}"`;
  return `class Vzrun < Formula
  desc "Linux virtual machines with Apple's Virtualization framework"
  homepage "${homepage}"
  version "${version}"
  license "MIT"

  depends_on :macos

  on_arm do
${archive("aarch64-apple-darwin")}
  end

  on_intel do
${archive("x86_64-apple-darwin")}
  end

  def install
    bin.install "vzrun"
    man1.install "vzrun.1"
    generate_completions_from_executable(bin/"vzrun", "-completions")
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/vzrun -version")
  end
end
`;
}

/** The script that installs the release for one user. */
export function installScript({ version, url, sums }: Release): string {
  const lines = TARGETS.map((target) => `${target}) sum=${sums[target]} ;;`);
  return `#!/bin/sh
# Installs vzrun ${version} in ~/.local, or in $PREFIX.
set -eu

fail() {
	echo "install: $*" >&2
	exit 1
}

prefix=\${PREFIX:-$HOME/.local}
case $prefix in
/*) ;;
*) fail "PREFIX is '$prefix', which is no absolute path" ;;
esac
case $(uname -sm) in
"Darwin arm64") target=aarch64-apple-darwin ;;
"Darwin x86_64") target=x86_64-apple-darwin ;;
"Linux x86_64") target=x86_64-unknown-linux-gnu ;;
"Linux aarch64") target=aarch64-unknown-linux-gnu ;;
*) fail "there is no vzrun for $(uname -sm)" ;;
esac
case $target in
${lines.join("\n")}
esac

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
trap 'exit 1' INT TERM HUP
cd "$temporary"
file=vzrun-${version}-$target.tar.gz
curl -fsSL -o "$file" "${url}/$file" || fail "could not fetch ${url}/$file"
if command -v sha256sum >/dev/null; then check=sha256sum; else check="shasum -a 256"; fi
echo "$sum  $file" | $check -c - >/dev/null 2>&1 || fail "$file is not what was released"
mkdir contents
tar -xzof "$file" -C contents # -o: what root unpacks is root's
mkdir -p "$prefix/lib" "$prefix/bin" "$prefix/share/man/man1"
mv contents/vzrun.1 "$prefix/share/man/man1/"
# The executable finds linux/'s library beside itself.
rm -rf "$prefix/lib/vzrun"
mv contents "$prefix/lib/vzrun"
ln -sf ../lib/vzrun/vzrun "$prefix/bin/vzrun"
echo "install: $prefix/bin/vzrun" >&2
case :$PATH: in
*:"$prefix/bin":*) ;;
*) echo "install: add $prefix/bin to PATH" >&2 ;;
esac
`;
}

async function sha256(path: string): Promise<string> {
  const bytes = await Deno.readFile(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ReleaseError(`'${path}' is missing`);
  });
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

/**
 * Makes the files beside the archives.
 *
 * @param repository Address of the repository, as GitHub's workflows have it.
 * @throws {ReleaseError} When an archive or the notes are missing.
 */
export async function makeRelease(folder: string, version: string, repository: string): Promise<void> {
  const sums: Record<string, string> = {};
  for (const target of TARGETS) sums[target] = await sha256(join(folder, archiveOf(version, target)));
  const url = `${repository}/releases/download/v${version}`;
  const release: Release = { version, homepage: repository, url, sums };
  const notes = notesOf(await Deno.readTextFile(join(ROOT, "CHANGELOG.md")), version);
  const lines = TARGETS.map((target) => `${sums[target]}  ${archiveOf(version, target)}\n`);
  const files = {
    "SHA256SUMS": lines.join(""),
    "notes.md": notes,
    "vzrun.rb": formula(release),
    "install.sh": installScript(release),
  };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, name), text);
}

if (import.meta.main) {
  await runScript("release", ReleaseError, async () => {
    const usage = "deno task release FOLDER, with a workflow's environment";
    const { words: [folder] } = parseOptions(Deno.args, { usage, words: 1 });
    const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, GITHUB_REF_NAME: tag } = Deno.env.toObject();
    if (!folder || !server || !name) throw new UsageError(`usage: ${usage}`);
    if (tag !== `v${config.version}`) {
      throw new ReleaseError(`the tag is ${tag}, deno.json has ${config.version}`);
    }
    await makeRelease(folder, config.version, `${server}/${name}`);
  });
}
