/**
 * `deno task docs`: writes what documentation is made of the program: README's table of options and its list of qemu's,
 * docs/vzrun.1, docs/qemu.md, docs/qmp.md and docs/untested-on-macos.md.
 */

import { join } from "@std/path/posix/join";
import config from "../deno.json" with { type: "json" };
import { GROUPS, usageOf } from "../src/cli/qemu/help.ts";
import { ESCAPE_KEYS_HELP } from "../src/cli/escape_keys.ts";
import type { Row } from "../src/cli/qemu/answers.ts";
import { QEMU_OPTIONS, qemuRows } from "../src/cli/qemu/compatibility.ts";
import { type Option, OPTIONS } from "../src/cli/qemu/options.ts";
import { EVENTS } from "../src/control/controlled_machine.ts";
import { type Command, COMMANDS } from "../src/control/qmp_commands.ts";
import { HMP_INFO, HMP_REFUSED, HMP_WORDS } from "../src/control/hmp.ts";
import { untestedPage } from "./check_mac/mod.ts";

const ROOT = join(import.meta.dirname!, "..");

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function between(text: string, mark: string, content: string): string {
  const marks = new RegExp(`(<!-- ${mark} -->\\n)[^]*(\\n<!-- /${mark} -->)`);
  return text.replace(marks, (_, from, to) => `${from}\n${content}\n${to}`);
}

/** README with what becomes of qemu's options between its marks. */
export function withQemu(readme: string): string {
  const names = (answer: Option["answer"]) =>
    QEMU_OPTIONS.filter((option) => option.answer === answer).flatMap((option) => option.names)
      .map((name) => `\`-${name}\``).join(", ");
  const lines = [
    `- **Done**, beside the options above: ${names("does it")}, and a bare \`FILE\`.`,
    `- **So anyway**, and therefore taken (\`-verbose\` says it): ${names("is so anyway")}.`,
    `- **Refused**, with the reason in a line: ${names("cannot")}.`,
  ];
  return between(readme, "qemu", lines.join("\n"));
}

/** docs/qemu.md: the table of all of qemu's words. */
export function qemuPage(): string {
  const row = ({ word, answer, text }: Row) => `| \`${cell(word)}\` | ${answer} | ${cell(text)} |`;
  return `# What becomes of qemu's words

<!-- Made by \`deno task docs\` of src/cli/qemu. Do not edit. -->

Lines that start qemu can be pasted behind \`vzrun\`. Each of qemu's options, models and keys is done, or is taken
because what it asks for is so anyway, or is refused with the reason and, where there is one, with what to use. None is
taken and then ignored. What vzrun has of its own is in the [README](../README.md#options).

| qemu's word | answer | what becomes of it |
| --- | --- | --- |
${qemuRows().map(row).join("\n")}
`;
}

/** docs/qmp.md: the tables of what can be said by QMP. */
export function qmpPage(): string {
  const table = (heads: string[], rows: string[][]) =>
    [heads, heads.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");
  const commands = (refused: boolean) =>
    Object.entries(COMMANDS).filter(([, command]) => (command.refused ?? false) === refused);
  const words = ({ arguments: known = {}, open }: Command) =>
    [...Object.entries(known).map(([name, kind]) => `\`${name}\`: ${kind}`), ...open ? ["…"] : []].join(", ");
  const lines = (of: Readonly<Record<string, { help: string }>>, before = "") =>
    Object.entries(of).map(([word, { help }]) => [`\`${before}${word}\``, help]);
  return `# QMP

<!-- Made by \`deno task docs\` of src/control. Do not edit. -->

\`vzrun … -qmp unix:PATH\` listens at a socket that is only this user's, for up to 64 clients at once, and speaks
[qemu's protocol](https://www.qemu.org/docs/master/interop/qmp-spec.html): JSON, a greeting, \`qmp_capabilities\`, then
commands. A reply comes before the events that its command has caused. \`server=on\` has the machine wait for a client,
as in qemu, unless \`wait=off\`; \`server=off\` connects. \`-mon chardev=ID,mode=control\` is the same.

## Commands

In the arguments, \`?\` is for what may be missing.

${
    table(
      ["command", "arguments", "what it does"],
      commands(false).map(([name, command]) => [
        `\`${name}\``,
        words(command),
        command.help,
      ]),
    )
  }

Refused, each with a \`GenericError\` that says why:

${table(["command", "why"], commands(true).map(([name, { help }]) => [`\`${name}\``, help]))}

## Events

${table(["event", "when"], Object.entries(EVENTS).map(([name, help]) => [`\`${name}\``, help]))}

## Lines for people

\`human-monitor-command\` has these:

${table(["line", "what it does"], [...lines(HMP_WORDS), ...lines(HMP_INFO, "info ")])}

Refused: ${Object.entries(HMP_REFUSED).map(([word, why]) => `\`${word}\` (${why})`).join("; ")}.
`;
}

/** README with the table of options between its marks. deno fmt pads the cells. */
export function withOptions(readme: string): string {
  const rows = OPTIONS.map((option) => `| \`${cell(usageOf(option))}\` | ${cell(option.help)} |`);
  const table = ["| option | meaning |", "| --- | --- |", ...rows].join("\n");
  return between(readme, "options", table);
}

/** Text as roff has it, which means things by backslashes, hyphens and points. */
function roff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/gm, "\\&");
}

function item(option: Option): string {
  const names = option.names.map((name) => `\\fB${roff(`-${name}`)}\\fR`);
  // What the user puts in is in italics; the rest is typed as it stands.
  const value = roff(option.value ?? "").replace(/[A-Z]+/g, "\\fI$&\\fR");
  return [".TP", `${names.join(", ")}${value && ` ${value}`}`, roff(option.help)].join("\n");
}

function qemuItem({ word, answer, text }: Row): string {
  return [".TP", `\\fB${roff(word)}\\fR`, roff(`${answer}: ${text}`)].join("\n");
}

/** The manual page. */
export function manPage(): string {
  const groups = GROUPS.map((group) =>
    [`.SS ${group}`, ...OPTIONS.filter((option) => option.group === group).map(item)].join("\n")
  );
  const keys = ESCAPE_KEYS_HELP.map((line) => `${roff(line)}\n.br`).join("\n");
  return String.raw`.TH VZRUN 1 "" "vzrun ${config.version}" "User Commands"
.SH NAME
vzrun \- run Linux virtual machines with Apple's Virtualization framework
.SH SYNOPSIS
.B vzrun
.RI [ option ...]
.SH DESCRIPTION
.B vzrun
boots a Linux kernel, a disk or a CD in a virtual machine and puts the guest's console on the terminal.
Standard output carries the console and nothing else; what vzrun itself says is on standard error.
.SH OPTIONS
Each works with one dash or two, as
.B \-option
.I value
or
.BI \-option= value\fR.
Disks are in the guest in the order in which they are given, whatever option gave them.
${groups.join("\n")}
.SH KEYS
On a terminal:
.PP
${keys}
.SH EXIT STATUS
.TP
0
The guest stopped.
.TP
1
The machine failed.
.TP
2
The command line, or a file that it names, is wrong; nothing was started.
.TP
128+\fIn\fR
Ended by signal \fIn\fR.
.PP
With
.B \-daemonize
it is 0 as soon as the machine runs; what fails before has the exit code that it has without.
.SH SIGNALS
SIGINT, SIGTERM and SIGQUIT press the guest's power button; after 10 seconds, or at the second signal, the machine is
ended.
.SH ENVIRONMENT
.TP
.B NO_COLOR
No colours.
.TP
.BR HOME ", " XDG_CACHE_HOME
Where the cache is.
.TP
.B LD_LIBRARY_PATH
On Linux, folders in which libVirtualization.so is looked for when it is not beside the program.
.SH FILES
.TP
.IR ~/Library/Caches/vzrun ", on Linux " ~/.cache/vzrun
Kernels that had to be unpacked and, when vzrun is run from its sources on a Mac, a signed copy of Deno.
.SH QEMU'S WORDS
What becomes of the options, models and keys of qemu's that are not above.
${qemuRows().map(qemuItem).join("\n")}
.SH EXAMPLES
.EX
vzrun \-kernel vmlinuz \-initrd initrd.gz \-append console=hvc0
vzrun \-cd live.iso \-drive file=disk.img,size=10G
vzrun \-kernel vmlinuz \-drive file=root.qcow2 \-append root=/dev/vda1
.EE
`;
}

if (import.meta.main) {
  const readme = join(ROOT, "README.md");
  await Deno.writeTextFile(readme, withQemu(withOptions(await Deno.readTextFile(readme))));
  await Deno.writeTextFile(join(ROOT, "docs", "vzrun.1"), manPage());
  const untested = join(ROOT, "docs", "untested-on-macos.md");
  await Deno.writeTextFile(untested, untestedPage());
  const qemu = join(ROOT, "docs", "qemu.md");
  await Deno.writeTextFile(qemu, qemuPage());
  const qmp = join(ROOT, "docs", "qmp.md");
  await Deno.writeTextFile(qmp, qmpPage());
  const args = ["fmt", "-q", readme, untested, qemu, qmp];
  const fmt = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  Deno.exit(fmt.code);
}
