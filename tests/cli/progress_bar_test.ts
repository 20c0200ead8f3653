import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { fit, progressLine } from "../../src/cli/progress_line.ts";

const GiB = 2 ** 30;

Deno.test("width: letters of two columns, of none and of several code points are told apart", () => {
  const widths: [text: string, columns: number][] = [
    ["disk.qcow2", 10],
    ["天地玄黃", 8],
    ["ｆｕｌｌ", 8],
    ["e\u0301te\u0301", 3],
    ["한글", 4],
    ["\u1112\u1161\u11ab", 2], // the first of these two, in its parts
    ["\u200b\u200d\ufe0f", 0],
    ["███░░", 5],
    ["💾", 2],
    ["🇨🇭", 2],
    ["", 0],
  ];
  for (const [text, columns] of widths) assertEquals(unicodeWidth(text), columns, JSON.stringify(text));
});

Deno.test("progress: what fits is cut between letters, and never through one", () => {
  assertEquals(fit("disk.qcow2", 4), "disk");
  assertEquals(fit("disk", 40), "disk");
  assertEquals(fit("天地玄黃", 5), "天地");
  assertEquals(fit("e\u0301te\u0301", 1), "e\u0301");
  assertEquals(fit("a💾b", 2), "a");
  assertEquals(fit("天", 0), "");
});

Deno.test("progress: the line of any name stays within the terminal, which could not take a broken one back", () => {
  const names = [
    "disk.qcow2",
    "虛擬機磁碟映像檔案".repeat(9),
    "e\u0301te\u0301".repeat(60),
    "💾".repeat(50),
    "한글 디스크 이미지".repeat(9),
  ];
  for (const name of names) {
    for (let columns = 1; columns <= 140; columns++) {
      const width = unicodeWidth(progressLine(name, GiB, 3 * GiB, 2000, columns));
      assert(width < columns, `${name}: ${width} of ${columns}`);
    }
  }
});

Deno.test("progress: a name fills the room that there is, and the numbers are told before it", () => {
  const line = (name: string, columns: number) => progressLine(name, GiB, 2 * GiB, 1000, columns);
  const numbers = " ██████████░░░░░░░░░░ 50% of 2 GiB, 1 GiB/s";
  assertEquals(line("disk.qcow2", 80), `vzrun: disk.qcow2${numbers}`);
  const room = 80 - 1 - unicodeWidth(`vzrun: ${numbers}`);
  assertEquals(line("磁".repeat(80), 80), `vzrun: ${"磁".repeat(room >> 1)}${numbers}`);
  assertEquals(line("e\u0301".repeat(80), 80), `vzrun: ${"e\u0301".repeat(room)}${numbers}`);
  assertStringIncludes(line("disk.qcow2", 40), "50% of 2 GiB, 1 GiB/s");
});
