import { Folder, pause, vzrun } from "./vzrun.ts";
import { assertEquals } from "@std/assert";

/** A shell in a tmux window, with vzrun's completions. */
class Shell implements AsyncDisposable {
  readonly #folder = new Folder();

  async start(shell: "bash" | "zsh" | "fish"): Promise<void> {
    const { out } = await vzrun(["-completions", shell]);
    Deno.writeTextFileSync(this.#folder.file("vzrun-completions"), out);
    Deno.mkdirSync(this.#folder.file("files"));
    for (const name of ["vmlinuz", "disk image.img", "my kernel"]) {
      Deno.writeTextFileSync(this.#folder.file(`files/${name}`), "");
    }
    for (const name of ["folder", "my folder"]) Deno.mkdirSync(this.#folder.file(`files/${name}`));
    const [command, prompt] = {
      bash: ["bash --norc --noprofile -i", "unset HISTFILE; PS1='> '"],
      zsh: ["zsh -f -i", "autoload -U compinit; compinit -D -u; PS1='> '"],
      fish: ["fish --no-config", "function fish_prompt; echo '> '; end; set fish_autosuggestion_enabled 0"],
    }[shell];
    await this.#tmux("new-session", "-d", "-x", "150", "-y", "40", "-c", this.#folder.file("files"), command);
    await this.type(`${prompt}; source ../vzrun-completions; echo re''ady\n`);
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

  /** Clears the line and the screen, and waits for that. C-c would be lost while a shell still completes. */
  async clear(): Promise<void> {
    await this.#tmux("send-keys", "C-u", "C-l");
    await this.#until("an empty line", (lines) => lines.join() === ">");
  }

  /** Waits for a line on the screen. */
  async shows(line: string): Promise<void> {
    await this.#until(line, (lines) => lines.includes(line));
  }

  /** Waits for a list of these names, sorted, and no other. What fish says of them is in parentheses. */
  async lists(names: string[]): Promise<void> {
    await this.#until(names.join(), (lines) => {
      const list = lines.filter((line) => !line.startsWith(">")).join("  ").replaceAll(/\([^)]*\)|\\/g, "");
      return list.split(/ {2,}/).filter((name) => name !== "").sort().join() === names.join();
    });
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
  ...["kernel", "display", "drive", "append", "machine-id", "completions", "cdrom", "initramfs"]
    .map((name) => [`-${name.slice(0, -2)}`, `-${name}`]),
  ["-kernel=vm", "-kernel=vmlinuz"],
  ["--kernel=vm", "--kernel=vmlinuz"],
  ["-k vm", "-k vmlinuz"],
  ["--k vm", "--k vmlinuz"],
  ["-serial=st", "-serial=stdio"],
  ["-serial=file:vm", "-serial=file:vmlinuz"],
  ["-kernel=vmlinuz -serial=st", "-kernel=vmlinuz -serial=stdio"],
  ["-kernel=vmlinuz -nogr", "-kernel=vmlinuz -nographic"],
  ["-drive ", "-drive file="],
  ["-virtfs ", "-virtfs local,path="],
  ["-m \t512", "-m 512"],
  ["-append \tquiet", "-append quiet"],
  ["-share \tsrc", "-share src"],
  ["-kernel my\\ k", "-kernel my\\ kernel"],
  ['-kernel "my k', '-kernel "my kernel"'],
  ['-kernel "my kernel" -nogr', '-kernel "my kernel" -nographic'],
  ["-drive file=my\\ k", "-drive file=my\\ kernel"],
  ["-serial file:my\\ k", "-serial file:my\\ kernel"],
  ["-share src my\\ f", "-share src my\\ folder/"],
];

/** What is listed when no letter of the value is typed yet. */
const LISTS: [typed: string, listed: string[]][] = [
  ["-t", ["0", "1"]],
  ["-nic", ["bridge", "dgram", "none", "stream", "user", "vmnet-bridged", "vmnet-host", "vmnet-shared"]],
  ["-display", ["none", "window"]],
  ["-completions", ["bash", "fish", "zsh"]],
  ["-serial", ["file:", "none", "null", "pty", "stdio", "tcp:", "unix:"]],
  ["-kernel", ["disk image.img", "folder/", "my folder/", "my kernel", "vmlinuz"]],
  ["-d", ["disk image.img", "folder/", "my folder/", "my kernel", "vmlinuz"]],
  ["-share src", ["folder/", "my folder/"]],
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
    for (const [typed, listed] of LISTS) {
      await terminal.type(`vzrun ${typed} \t${shell === "bash" ? "\t" : ""}`);
      await terminal.lists(listed);
      await terminal.clear();
    }
  });
}
