import { assert, assertEquals, assertMatch } from "@std/assert";
import { column, inTurn, lineOf, quantile, ratios } from "../../bench/figures.ts";
import { Folder, ROOT } from "../e2e/vzrun.ts";
import { qemuImg } from "../images/qemu_img.ts";
import { commandOf, ended } from "../objc/child.ts";

const bench = (...args: string[]) => [
  ...[Deno.execPath(), "run", "-q", "-P=bench", "--config", `${ROOT}/deno.json`],
  ...[`${ROOT}/bench/main.ts`, ...args],
];

Deno.test("bench: what an interrupted run has left is overwritten", async () => {
  using folder = new Folder();
  const [image, raw] = [folder.file("disk.qcow2"), folder.file("raw")];
  qemuImg("create", "-q", "-f", "qcow2", image, "1M");
  Deno.writeTextFileSync(`${raw}.partial`, "half of a disk");
  const { code, stderr } = await ended(commandOf("../bench/programs/convert_disk.ts", image, raw));
  assertEquals([code, stderr], [0, ""]);
  assertEquals(Deno.readFileSync(raw), new Uint8Array(1 << 20));
});

Deno.test("bench: one of two waits for the other, takes away what an interrupted one has left, and measures", async () => {
  const [kept, scratch] = [`${ROOT}/build/bench`, `${ROOT}/build/bench/scratch`];
  Deno.mkdirSync(`${scratch}/raw`, { recursive: true });
  const one = () => ended(bench("--only", "message", "--runs", "1", "--json"));
  const runs = await Promise.all([one(), one()]);
  for (const { code, stderr } of runs) {
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /^(bench: waiting for another one, which would be seen in the figures\n)?$/);
  }
  assert(runs.some(({ stderr }) => stderr !== ""), "neither waits");
  const { arch, runs: rounds, rows: [row, ...others] } = JSON.parse(runs[0].stdout);
  assertEquals([arch, rounds, others], [Deno.build.arch, 1, []]);
  assertEquals([row.what, row.unit, row.vzrun.length, row.native.length], [
    "a message to a getter",
    "ns",
    1,
    1,
  ]);
  assertEquals([...Deno.readDirSync(kept)].filter(({ name }) => name === "scratch"), []);
});

Deno.test("bench: what is to be measured is named, and a name that is none is told with all that there are", async () => {
  const of = async (...args: string[]) => {
    const { code, stdout, stderr } = await ended(bench(...args));
    assertEquals([code, stdout], [2, ""]);
    return stderr;
  };
  assertMatch(
    await of("--only", "start,sleep"),
    /^bench: --only knows no 'sleep'; it has start, memory, [^\n]*\n$/,
  );
  assertMatch(await of("--runs", "0"), /^bench: --runs takes a whole number from 1 on, not '0'; [^\n]*\n$/);
  assertMatch(
    await of("--executable", "/no/where"),
    /^bench: --executable: there is no '\/no\/where'; [^\n]*\n$/,
  );
  for (const other of ["/", `${ROOT}/README.md`, "/bin/true"]) {
    assertEquals(
      await of("--executable", other),
      `bench: --executable: '${other}' is no vzrun; deno task compile makes dist/vzrun\n`,
    );
  }
  assertEquals(
    await of("--only", "message", "--executable", "/no/where"),
    "bench: --executable has rows in start and memory only\n",
  );
  assertMatch(await of("--only", "start", "--only=memory"), /^bench: --only is there 2 times; [^\n]*\n$/);
});

Deno.test("bench: rounds go forth and back, and figures of the same round are compared", async () => {
  const order: string[] = [];
  const measure = (name: string, value: number) => () => {
    order.push(name);
    return Promise.resolve([value * order.length, value]);
  };
  const results = await inTurn(3, { a: measure("a", 1), b: measure("b", 10) });
  assertEquals(order, ["a", "b", "b", "a", "a", "b"]);
  assertEquals(column(results, 0), { a: [1, 4, 5], b: [20, 30, 60] });
  assertEquals(ratios([2, 9, 8], [1, 3, 0]), [2, 3]);
  assertEquals([0, 0.25, 0.5, 1].map((part) => quantile([4, 1, 3, 2], part)), [1, 1.75, 2.5, 4]);
  const row = { what: "a start", unit: "ms", vzrun: [30, 10, 20], native: [10, 10, 10] };
  assertEquals(lineOf(row).split(/ {2,}/), [
    "a start (ms)",
    "20.0 (15.0-25.0)",
    "10.0 (10.0-10.0)",
    "2.00 (1.50-2.50)",
  ]);
});
