import { Folder, pause, vzrun } from "./vzrun.ts";
// @ts-types="../../types/std_assert.d.ts"
import { assertEquals } from "@std/assert";

/** A shell in a tmux window, with vzrun's completions. */
class Shell implements AsyncDisposable {
  readonly #folder = new Folder();

  async start(shell: "bash" | "zsh" | "fish"): Promise<void> {
    const { out } = await vzrun(["-completions", shell]);
    Deno.writeTextFileSync(this.#folder.file("vzrun-completions"), out);
    for (const name of ["vmlinuz", "disk image.img"]) Deno.writeTextFileSync(this.#folder.file(name), "");
    Deno.mkdirSync(this.#folder.file("folder"));
    const [command, prompt] = {
      bash: ["bash --norc --noprofile -i", "unset HISTFILE; PS1='> '"],
      zsh: ["zsh -f -i", "autoload -U compinit; compinit -D -u; PS1='> '"],
      fish: ["fish --no-config", "function fish_prompt; echo '> '; end; set fish_autosuggestion_enabled 0"],
    }[shell];
    await this.#tmux("new-session", "-d", "-x", "150", "-y", "40", "-c", this.#folder.path, command);
    await this.type(`${prompt}; source ./vzrun-completions; echo re''ady\n`);
    await this.shows("ready");
  }

  async #tmux(...args: string[]): Promise<string> {
    const all = ["-S", this.#folder.file("tmux"), "-f", "/dev/null", ...args];
    const env = { TERM: "xterm", HOME: this.#folder.path, LC_ALL: "C.UTF-8" };
    const { stdout } = await new Deno.Command("tmux", { args: all, env }).output();
    return new TextDecoder().decode(stdout);
  }

  async type(keys: string): Promise<void> {
    await this.#tmux("send-keys", "-l", keys);
  }

  /** Clears the line, and waits for that. C-c would be lost while a shell still completes. */
  async clear(): Promise<void> {
    await this.#tmux("send-keys", "C-u");
    await this.#until("an empty line", (lines) => lines.at(-1) === ">");
  }

  /** Waits for a line on the screen. */
  async shows(line: string): Promise<void> {
    await this.#until(line, (lines) => lines.includes(line));
  }

  async #until(what: string, holds: (lines: string[]) => boolean): Promise<void> {
    for (const end = Date.now() + 30_000;;) {
      const screen = (await this.#tmux("capture-pane", "-p")).trimEnd();
      if (holds(screen.split("\n").map((line) => line.trimEnd()))) return;
      if (Date.now() > end) assertEquals(screen, what);
      await pause(20);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux("kill-server");
    this.#folder[Symbol.dispose]();
  }
}

const CASES = [
  ["-ser", "-serial"],
  ["--machi", "--machine-id"],
  ["--dry", "--dry-run"],
  ["-kernel vm", "-kernel vmlinuz"],
  ["--kernel vm", "--kernel vmlinuz"],
  ["-kernel vmlinuz -drive fi", "-kernel vmlinuz -drive file="],
  ["-drive file=di", "-drive file=disk\\ image.img"],
  ["-serial null -serial file:vm", "-serial null -serial file:vmlinuz"],
  ["-serial std", "-serial stdio"],
  ["-share src fo", "-share src folder/"],
  ["-virtfs local,path=fo", "-virtfs local,path=folder/"],
  ["-nic no", "-nic none"],
  ["-m 512 -vers", "-m 512 -version"],
  ["-rosetta -nogr", "-rosetta -nographic"],
];

for (const shell of ["bash", "zsh", "fish"] as const) {
  Deno.test(`completions: ${shell} completes options, their words, files and folders`, async () => {
    await using terminal = new Shell();
    await terminal.start(shell);
    for (const [typed, completed] of CASES) {
      await terminal.type(`vzrun ${typed}\t`);
      await terminal.shows(`> vzrun ${completed}`);
      await terminal.clear();
    }
  });
}
