import { assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { NativeProgram } from "../linux/native.ts";
import { guest, Vzrun, vzrun } from "./vzrun.ts";

Deno.test("surroundings: QEMU is found in the system's folders where PATH is not set", async () => {
  const through = ["env", "-u", "PATH"];
  const { code, out, err } = await vzrun(guest("echo here"), { through });
  assertEquals([code, out], [0, "here\r\n"], err);
});

/** With fewer, Deno itself does not start. */
const LEAST_FILES = 26;

Deno.test("surroundings: a machine runs with few open files, and says so where they are too few", async () => {
  const limited = (files: number) => ({ through: ["sh", "-c", `ulimit -n ${files}; exec "$@"`, "sh"] });
  let files = 100;
  let run = await vzrun(guest("echo here"), limited(files));
  assertEquals([run.code, run.out], [0, "here\r\n"], run.err);
  // How many are too few depends on the machine: Deno opens some for each of its processors.
  for (files = 44; run.code === 0 && files >= LEAST_FILES; files -= 4) {
    run = await vzrun(guest("echo here"), limited(files));
    if (run.code === 0) assertEquals(run.out, "here\r\n", run.err);
  }
  assertEquals(run.code, 1, `with ${files} files: ${run.err}`);
  assertMatch(run.err, /Too many open files/);
  assertNotMatch(run.err, /Bad file descriptor/);
});

/** Numbers of system calls, by processor. */
const CALLS = {
  pidfd_open: 434,
  pidfd_send_signal: 424,
};

Deno.test({
  name: "surroundings: a run comes to its end whatever system call is refused",
  ignore: Deno.build.arch !== "x86_64", // whose numbers these are
  async fn() {
    using refusing = await NativeProgram.compile("refusing.c", "");
    // getrandom, which the device stands in for; then ppoll, recvmsg, socket, pipe2.
    const runs = [318, 271, 47, 41, 293].map(async (number) => {
      const share = number === 41 ? ["-share", "here", "."] : [];
      const run = await vzrun([...guest("echo here"), ...share], { through: [refusing.path, `${number}`] });
      return [number, run.code, run.out, run.err.includes("Uncaught") || run.err.includes("null")];
    });
    const [random, ...others] = await Promise.all(runs);
    assertEquals(random, [318, 0, "here\r\n", false]);
    for (const run of others) assertEquals(run.slice(1), [1, "", false], `${run[0]}`);
  },
});

Deno.test("surroundings: a system call that a container refuses ends the start, and is named", async () => {
  using refusing = await NativeProgram.compile("refusing.c", "");
  for (const [call, number] of Object.entries(CALLS)) {
    await using run = new Vzrun(guest("sleep 1000"), { through: [refusing.path, String(number)] });
    assertEquals(await run.end(), 1, call);
    assertEquals(run.out.text, "", call);
    assertMatch(
      run.err.text,
      new RegExp(`^vzrun: .*could not be watched: ${call}: Operation not permitted\\. .*\n$`),
    );
    assertEquals(run.family, [], call);
  }
});
