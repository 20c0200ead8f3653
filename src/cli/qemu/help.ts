import { unicodeWidth } from "@std/cli/unicode-width";
import type { Row } from "./answers.ts";
import { type Group, type Option, OPTIONS } from "./options.ts";

/** The sections, in their order. */
export const GROUPS: readonly Group[] = ["Boot", "Devices", "The program"];

/** How an option is written: `-initrd FILE, -initramfs, -i`. */
export function usageOf({ names, value }: Option): string {
  const [first, ...others] = names.map((name) => `-${name}`);
  return [value ? `${first} ${value}` : first, ...others].join(", ");
}

/** The column at which the help of each option begins. */
const COLUMN = 30;

function line(option: Option): string {
  const usage = `  ${usageOf(option)}`;
  const room = COLUMN - unicodeWidth(usage);
  return `${usage}${room > 0 ? " ".repeat(room) : `\n${" ".repeat(COLUMN)}`}${option.help}`;
}

/** The text that `-help qemu` prints. */
export async function qemuHelpText(): Promise<string> {
  const { qemuRows } = await import("./compatibility.ts");
  const answers = Object.entries(Object.groupBy(qemuRows(), ({ answer }) => answer)) as [string, Row[]][];
  const line = ({ word, text }: Row) => {
    const room = COLUMN - unicodeWidth(word) - 2;
    return `  ${word}${room > 0 ? " ".repeat(room) : `\n${" ".repeat(COLUMN)}`}${text}`;
  };
  const groups = answers.map(([answer, rows]) => `${ANSWERS[answer]}:\n${rows.map(line).join("\n")}`);
  return `What becomes of qemu's words, beside the options that -help lists.\n\n${groups.join("\n\n")}\n`;
}

const ANSWERS: Record<string, string> = {
  "does it": "Done",
  "is so anyway": "So anyway, and therefore taken; -verbose says it",
  cannot: "Refused",
};

/** The text that `-help` prints. */
export function helpText(): string {
  const groups = GROUPS.map((group) => {
    const lines = OPTIONS.filter((option) => option.group === group).map(line);
    return [`${group}:`, ...lines].join("\n");
  });
  return `vzrun runs Linux virtual machines with Apple's Virtualization.framework.

  vzrun -kernel vmlinuz -initrd initrd.gz -append 'console=hvc0'

Every option works with one dash or two, as -option value or -option=value.

${groups.join("\n\n")}

The guest's console is on stdout and nothing else is; what vzrun says is on stderr. On a terminal Ctrl-A x
ends the machine and Ctrl-A h lists the keys. Exit: 0 the guest stopped, 1 the machine failed, 2 the command
line or a file is wrong, 128+n ended by signal n. vzrun vfkit --help lists options in vfkit's words.
`;
}
