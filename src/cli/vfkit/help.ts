import config from "../../../deno.json" with { type: "json" };
import { DEVICES, type Program } from "./devices.ts";
import { type Option, OPTIONS } from "./options.ts";

/** What clients compare: the vfkit, and the krunkit, whose words these are. */
const STANDS_IN_FOR: Record<Program, string> = {
  vfkit: "vfkit version: v0.6.4",
  krunkit: "krunkit 1.2.1",
};

/** The column at which the help of each option begins. */
const COLUMN = 26;

function line({ name, short, value, help }: Option): string {
  const usage = `  ${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
  const room = COLUMN - usage.length;
  return `${usage}${room > 0 ? " ".repeat(room) : `\n${" ".repeat(COLUMN)}`}${help}`;
}

/** The line that `--version` prints: clients take all of it. */
export function versionText(program: Program): string {
  return STANDS_IN_FOR[program];
}

/** The text that `--help` prints. */
export function helpText(program: Program): string {
  const devices = Object.entries(DEVICES).map(([type, { words }]) => {
    const keys = Object.entries(words).map(([key, kind]) =>
      kind === "flag" ? key : `${key}=${kind === "switch" ? "on|off" : "…"}`
    );
    return `  ${[type, ...keys].join(", ")}`;
  });
  return `vzrun ${config.version} in the place of ${program}: its options over Apple's Virtualization.framework.

  ${program} --cpus 2 --memory 2048 --bootloader efi,variable-store=vars,create --device virtio-blk,path=disk.img

${OPTIONS.map(line).join("\n")}

Devices:
${devices.join("\n")}

SIGINT and SIGTERM ask the guest to power off, and end the machine after 5 s. Exit: 0 the machine has ended,
1 it failed, or the command line or a file is wrong. -help of vzrun lists options in qemu's words.
`;
}
