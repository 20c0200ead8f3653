// @ts-types="../../types/std_assert.d.ts"
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MachineError, VirtualMachine } from "vzrun";
import { Folder, GUEST, ROOT, within } from "./vzrun.ts";

function boot(commands: string) {
  const commandLine = `console=hvc0 quiet run="${commands}"`;
  return { from: "linux", kernel: `${GUEST}/vmlinuz`, initrd: `${GUEST}/initrd`, commandLine } as const;
}

Deno.test("library: a guest is started, typed at, read to its end, and tells how it ended", async () => {
  using folder = new Folder();
  await using machine = await VirtualMachine.create({
    boot: boot("echo log >/dev/hvc1; stty -echo; echo ready; read line; echo got $line"),
    memory: 256 * 1024 * 1024,
    serial: [{ to: "file", path: folder.file("log") }],
  });
  await machine.start();
  const writer = machine.console.writable.getWriter();
  let text = "";
  for await (const chunk of machine.console.readable.pipeThrough(new TextDecoderStream())) {
    if (!text && chunk) await writer.write(new TextEncoder().encode("a line\n"));
    text += chunk;
  }
  assertEquals(text, "ready\r\ngot a line\r\n");
  assertEquals(await machine.stopped, { by: "guest" });
  assertEquals(Deno.readTextFileSync(folder.file("log")), "log\r\n");
});

Deno.test("library: a machine ends with the block that has made it", async () => {
  let stopped: VirtualMachine["stopped"];
  {
    await using machine = await VirtualMachine.create({ boot: boot("echo up; sleep 1000") });
    await machine.start();
    stopped = machine.stopped;
    const reader = machine.console.readable.getReader();
    await within("the guest's first word", reader.read());
    reader.releaseLock();
  }
  assertEquals(await within("the end", stopped), { by: "stop" });
});

Deno.test("library: what does not fit is thrown before anything starts", async () => {
  const unfit = { from: "linux", kernel: "/no/kernel" } as const;
  await assertRejects(
    () => VirtualMachine.create({ boot: unfit }),
    MachineError,
    "'/no/kernel': no such file",
  );
  await assertRejects(
    () => VirtualMachine.create({ boot: boot(""), processors: 1000 }),
    MachineError,
    "1000",
  );
});

Deno.test("library: the example of its documentation runs", async () => {
  using folder = new Folder();
  Deno.symlinkSync(`${GUEST}/vmlinuz`, folder.file("vmlinuz"));
  Deno.symlinkSync(`${GUEST}/initrd`, folder.file("initrd.gz"));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-P=test", "--no-check", "--doc", "--config", `${ROOT}/deno.json`, `${ROOT}/mod.ts`],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, text + new TextDecoder().decode(stderr));
  assertMatch(text, /Hello from the guest\.\r\n/);
  assertMatch(text, /\{ by: "guest" \}/);
});

Deno.test("library: everything that it exports is documented", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "--config", `${ROOT}/deno.json`, `${ROOT}/mod.ts`],
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
