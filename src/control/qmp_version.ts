import config from "../../deno.json" with { type: "json" };

/** The version of qemu whose protocol this is, and vzrun's own, as `query-version` and the greeting have them. */
export const VERSION = {
  qemu: { micro: 0, minor: 2, major: 7 },
  package: `vzrun ${config.version}`,
} as const;
