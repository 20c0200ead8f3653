import { assertEquals } from "@std/assert";
import { lineOf, parsed, ValueReader, written } from "../../src/control/qmp_text.ts";

/** What a reader makes of pieces: values, and what is wrong. */
function read(...pieces: string[]): unknown[] {
  const reader = new ValueReader();
  const all = pieces.flatMap((piece) => [...reader.feed(piece)]);
  return [...all, ...reader.end()].map((said) => "text" in said ? JSON.parse(said.text) : said.problem);
}

const WRONG = "JSON parse error, ";

Deno.test("qmp: values follow each other with anything or nothing between", () => {
  assertEquals(read('{"a": 1}{"b": [2, {"c": "}]"}]}\r\n\t [3]'), [{ a: 1 }, { b: [2, { c: "}]" }] }, [3]]);
  assertEquals(read('1 "x" null true'), [1, "x", null, true]);
  assertEquals(read("  \n\n"), []);
});

Deno.test("qmp: a value is the same wherever it is cut", () => {
  const text = `{"execute": "a\\"b\\\\", 'id': 'it\\'s "so"', "n": [-1.5e3, false]} {}`;
  const whole = read(text);
  assertEquals(whole, [{ execute: 'a"b\\', id: 'it\'s "so"', n: [-1500, false] }, {}]);
  for (let at = 1; at < text.length; at++) assertEquals(read(text.slice(0, at), text.slice(at)), whole);
  assertEquals(read(...text), whole);
});

Deno.test("qmp: rubbish is told once, and what follows in the next line is read", () => {
  const next = '\n{"a": 1}\n';
  assertEquals(read(`%%%% rubbish "and" {more}${next}`), [`${WRONG}stray character`, { a: 1 }]);
  assertEquals(read(`}${next}`), [`${WRONG}expecting value`, { a: 1 }]);
  assertEquals(read(`{"open${next}`), [`${WRONG}a control character stands in a string`, { a: 1 }]);
  assertEquals(read(`${"[".repeat(2000)}${next}`), [
    `${WRONG}too many brackets stand in each other`,
    { a: 1 },
  ]);
  const [long, after] = read(`{"a": "${"x".repeat(2 ** 20)}"}${next}`);
  assertEquals([long, after], [`${WRONG}the command is too long`, { a: 1 }]);
});

Deno.test("qmp: an id comes back as it was, however large its number", () => {
  const text = '{"id": [12345678901234567890, -9223372036854775808, 1.50, 1e3, 7, "7", null]}';
  assertEquals(written(parsed(text)), text);
});

Deno.test("qmp: lines are written as qemu writes them", () => {
  const value = { return: [{ "a b": 1, c: null, gone: undefined }, [], {}, "é\n"], id: false };
  assertEquals(written(value), '{"return": [{"a b": 1, "c": null}, [], {}, "é\\n"], "id": false}');
  assertEquals(JSON.parse(written(value)), JSON.parse(JSON.stringify(value)));
  assertEquals(new TextDecoder().decode(lineOf({ return: {} })), '{"return": {}}\r\n');
});
