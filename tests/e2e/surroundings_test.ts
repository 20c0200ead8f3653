import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { guest, vzrun } from "./vzrun.ts";

Deno.test("surroundings: QEMU is found in the system's folders where PATH is not set", async () => {
  const through = ["env", "-u", "PATH"];
  const { code, out, err } = await vzrun(guest("echo here"), { through });
  assertEquals([code, out], [0, "here\r\n"], err);
});

Deno.test("surroundings: a machine runs with few open files, and says so where they are too few", async () => {
  const limited = (files: number) => ({ through: ["sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh"] });
  const { code, out, err } = await vzrun(guest("echo here"), limited(100));
  assertEquals([code, out], [0, "here\r\n"], err);
  const few = await vzrun(guest("echo here"), limited(40));
  assertEquals(few.code, 1);
  assertMatch(few.err, /Too many open files/);
  assertNotMatch(few.err, /Bad file descriptor/);
});
