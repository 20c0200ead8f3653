/**
 * `./dev check-mac`: asks this Mac what could not be known without one, and prints what it has answered, to paste into a
 * report. On Linux it asks linux/.
 */

import config from "../deno.json" with { type: "json" };
import { ensureEntitled, EntitlementError } from "../src/cli/entitlement.ts";
import { keepDebuggerShut } from "../src/host/debugger_signal.ts";
import { machineArchitecture, macOSVersion } from "../src/host/system.ts";
import { count, PROBES, report, runProbes, sums } from "./check_mac/mod.ts";
import { parseOptions, runScript, UsageError } from "./command_line.ts";

const USAGE = "./dev check-mac [--json] [NAME...]";

await runScript("check-mac", EntitlementError, async () => {
  const { json, words } = parseOptions(Deno.args, { usage: USAGE, boolean: ["json"], words: PROBES.length });
  for (const word of words) {
    if (PROBES.some(({ name }) => name === word)) continue;
    throw new UsageError(
      `there is no probe '${word}'; there are ${PROBES.map(({ name }) => name).join(", ")}`,
    );
  }
  // On Linux, linux/ plays a Mac whose program has the entitlement for machines and no other, as vzrun's has.
  if (Deno.build.os === "darwin") await ensureEntitled(() => {});
  else Deno.env.set("VIRTUALIZATION_ENTITLEMENTS", "com.apple.security.virtualization");

  const probes = words.length ? PROBES.filter(({ name }) => words.includes(name)) : PROBES;
  keepDebuggerShut();
  const ending = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, () => ending.abort());
  }
  const results = await runProbes(probes, ending.signal, ({ name, answer, seen, seconds }) => {
    console.error(`${answer.padEnd(7)} ${name} (${seconds.toFixed(1)} s): ${seen.replaceAll("\n", " / ")}`);
  });
  const about = {
    vzrun: config.version,
    deno: Deno.version.deno,
    system: Deno.build.os === "darwin" ? "macOS" : `linux/ as macOS`,
    macOS: macOSVersion(),
    processor: machineArchitecture(),
  };
  if (json) console.log(JSON.stringify({ ...about, sums: sums(results), probes: results }, null, 2));
  else {
    const { vzrun, deno, system, macOS, processor } = about;
    console.log(report(`vzrun ${vzrun}, Deno ${deno}, ${system} ${macOS}, ${processor}`, results));
  }
  Deno.exit(ending.signal.aborted || count(results, "no") > 0 ? 1 : 0);
});
