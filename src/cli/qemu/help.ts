import { unicodeWidth } from "@std/cli/unicode-width";
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
line or a file is wrong, 128+n ended by signal n.
`;
}
