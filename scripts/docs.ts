/**
 * `deno task docs`: writes what documentation is made of the program: README's table of options, docs/vzrun.1 and
 * docs/untested-on-macos.md.
 */

import { join } from "@std/path/posix/join";
import config from "../deno.json" with { type: "json" };
import { GROUPS, usageOf } from "../src/cli/qemu/help.ts";
import { ESCAPE_KEYS_HELP } from "../src/cli/escape_keys.ts";
import { type Option, OPTIONS } from "../src/cli/qemu/options.ts";
import { untestedPage } from "./check_mac/mod.ts";

const ROOT = join(import.meta.dirname!, "..");

/** README with the table of options between its marks. deno fmt pads the cells. */
export function withOptions(readme: string): string {
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const rows = OPTIONS.map((option) => `| \`${cell(usageOf(option))}\` | ${cell(option.help)} |`);
  const table = ["| option | meaning |", "| --- | --- |", ...rows].join("\n");
  return readme.replace(
    /(<!-- options -->\n)[^]*(\n<!-- \/options -->)/,
    (_, from, to) => `${from}\n${table}\n${to}`,
  );
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
  await Deno.writeTextFile(readme, withOptions(await Deno.readTextFile(readme)));
  await Deno.writeTextFile(join(ROOT, "docs", "vzrun.1"), manPage());
  const untested = join(ROOT, "docs", "untested-on-macos.md");
  await Deno.writeTextFile(untested, untestedPage());
  const fmt = await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", readme, untested] }).spawn()
    .status;
  Deno.exit(fmt.code);
}
