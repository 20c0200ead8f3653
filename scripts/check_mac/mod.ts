/** All probes, and what is made of them. @module */

import { inTime } from "../../src/host/in_time.ts";
import { UnavailableError } from "../../src/vz/mod.ts";
import { BLOCK_DEVICES } from "./block_devices.ts";
import { CONSOLES } from "./consoles.ts";
import { DISKS } from "./disks.ts";
import { ENDING } from "./ending.ts";
import { Lab } from "./lab.ts";
import { NETWORKS } from "./networks.ts";
import { OBJC } from "./objc.ts";
import { type Answer, type Finding, type Probe, unclear } from "./probe.ts";
import { SAVING } from "./saving.ts";
import { SOCKETS } from "./sockets.ts";
import { STARTING } from "./starting.ts";
import { USB } from "./usb.ts";
import { VSOCK } from "./vsock.ts";
import { BY_HAND, WINDOW } from "./window.ts";
import { WIRES } from "./wires.ts";

/** Probes by what they are about, in the order in which they are run. */
export const FAMILIES: Readonly<Record<string, readonly Probe[]>> = {
  Starting: STARTING,
  "The Objective-C runtime": OBJC,
  "Networks, screens and validation": NETWORKS,
  "Networks of a program's own": WIRES,
  "Datagram sockets": SOCKETS,
  "Sockets without a network": VSOCK,
  "Disks, stores and shares": DISKS,
  "Disks of servers, and guests of guests": BLOCK_DEVICES,
  "Disks that come and go, and the balloon": USB,
  Consoles: CONSOLES,
  "Saving and restoring": SAVING,
  Ending: ENDING,
  "The window": WINDOW,
};

/** Each of them. */
export const PROBES: readonly Probe[] = Object.values(FAMILIES).flat();

/** A probe that was run. */
export interface Result extends Finding {
  name: string;
  question: string;
  expected: string;
  seconds: number;
}

/** How long a probe may take, in seconds. */
const LIMIT = 120;

async function runProbe(probe: Probe, lab: Lab): Promise<Finding> {
  try {
    let finding: Finding | undefined;
    const run = Promise.resolve(probe.run(lab)).then((made) => finding = made);
    return await inTime(run, LIMIT * 1000) ? finding! : unclear(`no answer in ${LIMIT} s`);
  } catch (error) {
    if (error instanceof UnavailableError) return unclear(error.message);
    return unclear(`failed: ${error instanceof Error ? error.message : error}`);
  }
}

/** Runs probes one after the other, since what one measures others would disturb. */
export async function runProbes(
  probes: readonly Probe[],
  signal: AbortSignal,
  onResult: (result: Result) => void,
): Promise<Result[]> {
  const results: Result[] = [];
  await using lab = new Lab();
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  for (const probe of probes) {
    const start = performance.now();
    const running = runProbe(probe, lab);
    const finding = await Promise.race([running, aborted]);
    if (!finding) break;
    const { name, question, expected } = probe;
    results.push({ name, question, expected, ...finding, seconds: (performance.now() - start) / 1000 });
    onResult(results.at(-1)!);
  }
  return results;
}

/** How many answers there are of a kind. */
export function count(results: readonly Result[], answer: Answer): number {
  return results.filter((result) => result.answer === answer).length;
}

/** `40 yes, 0 no`, and how many are unclear, if any. */
export function sums(results: readonly Result[]): string {
  const open = count(results, "unclear");
  return `${count(results, "yes")} yes, ${count(results, "no")} no${open ? `, ${open} unclear` : ""}`;
}

/** A text as a cell of a table. */
function cell(text: string): string {
  return text.replaceAll("\r", "").replaceAll("\n", " / ").replaceAll("|", "\\|");
}

/** A report to paste, in Markdown. */
export function report(about: string, results: readonly Result[]): string {
  const rows = results.map(({ name, question, seen, answer }) =>
    `| ${name} | ${cell(question)} | ${cell(seen)} | ${answer} |`
  );
  const head = ["| probe | question | seen | answer |", "| --- | --- | --- | --- |"];
  return [about, "", ...head, ...rows, "", sums(results)].join("\n");
}

/** docs/untested-on-macos.md. */
export function untestedPage(): string {
  const families = Object.entries(FAMILIES).map(([name, probes]) =>
    [
      `## ${name}`,
      "",
      ...probes.map(({ name, question, expected }) => `- **${name}**: ${question} Expected: ${expected}.`),
    ].join("\n")
  );
  return `# Not yet seen on a Mac

<!-- Made by \`deno task docs\` of scripts/check_mac. Do not edit. -->

Everything here was written to Apple's documentation and headers, and to what others have measured, and runs on
Linux, where linux/ answers in the framework's place. A Mac may answer otherwise. Whoever has one can settle
that in five minutes:

    ./dev check-mac

It asks each question below and prints a table: please paste it into an issue, whatever it says. On a Mac it
needs macOS 13 or newer, it boots a few small guests, and it leaves nothing behind but the signed copy of Deno
that vzrun keeps. \`--json\` prints the same for programs; names of probes run only these. In the test suite all
of them are answered by linux/. Rows are those of the list of a Mac's behaviours that linux/ was held to.

${families.join("\n\n")}

## By hand

What only eyes can tell, with a machine in a window (\`./dev run -cd IMAGE -display window\`), or what needs more
than one Mac has at hand:

${BY_HAND.map((line) => `- ${line}`).join("\n")}
`;
}
