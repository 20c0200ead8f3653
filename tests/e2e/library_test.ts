import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { MachineError, NSError, VirtualMachine } from "vzrun";
import { liveCD } from "./live_cd.ts";
import { Folder, GUEST, ROOT, SOONER, within } from "./vzrun.ts";

function boot(commands: string) {
  const commandLine = `console=hvc0 quiet ${SOONER} run="${commands}"`;
  return { kind: "linux", kernel: `${GUEST}/vmlinuz`, initrd: `${GUEST}/initrd`, commandLine } as const;
}

Deno.test("library: a guest is started, typed at, read to its end, and tells how it ended", async () => {
  using folder = new Folder();
  await using machine = await VirtualMachine.create({
    boot: boot("echo log >/dev/hvc1; stty -echo; echo ready; read line; echo got $line"),
    memory: 256 * 1024 * 1024,
    serial: [{ kind: "stream" }, { kind: "file", path: folder.file("log") }],
  });
  await machine.start();
  const writer = machine.console.writable.getWriter();
  let text = "";
  for await (const chunk of machine.console.readable.pipeThrough(new TextDecoderStream())) {
    if (!text && chunk) await writer.write(new TextEncoder().encode("a line\n"));
    text += chunk;
  }
  assertEquals(text, "ready\r\ngot a line\r\n");
  assertEquals(await machine.stopped, { kind: "guest" });
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
  assertEquals(await within("the end", stopped), { kind: "stop" });
});

Deno.test("library: a machine ends with its block also when that is left during the start", async () => {
  let stopped: VirtualMachine["stopped"] | undefined;
  await assertRejects(
    async () => {
      await using machine = await VirtualMachine.create({ boot: boot("sleep 1000") });
      stopped = machine.stopped;
      machine.start();
      throw new Error("left");
    },
    Error,
    "left",
  );
  assertEquals(await within("the end", stopped!, 5), { kind: "stop" });
});

Deno.test("library: an ended machine takes no start and no writing, and says so", async () => {
  await using machine = await VirtualMachine.create({ boot: boot("sleep 1000") });
  await machine.start();
  await assertRejects(() => machine.start(), Error, "it starts only once");
  await machine.pause(); // it reads nothing: more than fits in a pipe waits
  const writer = machine.console.writable.getWriter();
  const large = assertRejects(() => writer.write(new Uint8Array(1 << 20)), Error, "The machine has ended");
  await machine.stop();
  assertEquals(await within("the end", machine.stopped, 5), { kind: "stop" });
  await within("the failure of the large write", large, 5);
  await assertRejects(() => writer.write(new Uint8Array(1 << 20)), Error, "The machine has ended");
  await assertRejects(() => machine.start(), Error, "The machine has ended");
});

Deno.test("library: a guest ends that goes on writing when nobody wants to read more", async () => {
  await using machine = await VirtualMachine.create({ boot: boot("seq 30000") });
  await machine.start();
  for await (const _ of machine.console.readable) break;
  assertEquals(await within("the end", machine.stopped), { kind: "guest" });
});

Deno.test("library: a machine that did not start has ended, and its console too", async () => {
  using folder = new Folder();
  Deno.copyFileSync(`${GUEST}/vmlinuz`, folder.file("vmlinuz"));
  Deno.copyFileSync(`${GUEST}/initrd`, folder.file("initrd"));
  const files = { kernel: folder.file("vmlinuz"), initrd: folder.file("initrd") };
  await using machine = await VirtualMachine.create({ boot: { ...boot(""), ...files } });
  Deno.removeSync(files.initrd);
  const error = await assertRejects(() => machine.start(), NSError);
  assertEquals(await within("the end", machine.stopped, 5), { kind: "error", error });
  assertEquals(await new Response(machine.console.readable).text(), "");
});

Deno.test({
  name: "library: machines that were disposed of leave nothing open",
  ignore: Deno.build.os !== "linux", // there the open files can be counted
  async fn() {
    const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const counts = [];
    for (let i = 0; i < 4; i++) {
      const machine = await VirtualMachine.create({ boot: boot("") });
      await machine[Symbol.asyncDispose]();
      assertEquals(await within("the end", machine.stopped, 5), { kind: "stop" });
      assertEquals(await new Response(machine.console.readable).text(), "");
      await assertRejects(() => machine.start(), Error, "The machine has ended");
      counts.push(open());
    }
    assertEquals(new Set(counts.slice(1)).size, 1, `open files: ${counts}`);
  },
});

Deno.test("library: what does not fit is thrown before anything starts", async () => {
  const unfit = { kind: "linux", kernel: "/no/kernel" } as const;
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
    args: ["test", "-P=test", "--doc", "--config", `${ROOT}/deno.json`, `${ROOT}/mod.ts`],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  assert(success, text + new TextDecoder().decode(stderr));
  assertMatch(text, /Hello from the guest\.\r\n/);
  assertMatch(text, /\{ kind: "guest" \}/);
});

Deno.test("library: everything that it exports is documented", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", "--config", `${ROOT}/deno.json`, `${ROOT}/mod.ts`],
    env: { NO_COLOR: "1" },
    stdout: "null",
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});

Deno.test("library: a console on a pseudo-terminal can be opened where the machine says that it is", async () => {
  await using machine = await VirtualMachine.create({
    // It stays until all was read: a hang-up takes away what nobody has read yet.
    boot: boot("exec </dev/hvc1 >/dev/hvc1; stty -echo; echo ready; read line; echo got $line; read line"),
    memory: 256 * 1024 * 1024,
    serial: [{ kind: "stream" }, { kind: "pty", wait: false }],
  });
  const pty = machine.consoles[1];
  if (pty.kind !== "pty") throw new Error(`hvc1 is a ${pty.kind}`);
  using device = Deno.openSync(pty.path, { read: true, write: true });
  await machine.start();
  const text = await dialogue(device, device);
  assertEquals(text, "ready\r\ngot a line\r\n");
});

Deno.test("library: a machine with a pty ends also when somebody has that open, who gets a hang-up", async () => {
  await using machine = await VirtualMachine.create({
    boot: boot("echo up"),
    memory: 256 * 1024 * 1024,
    serial: [{ kind: "pty" }],
  });
  const [pty] = machine.consoles;
  if (pty.kind !== "pty") throw new Error(`hvc0 is a ${pty.kind}`);
  const reader = new Deno.Command("cat", { args: [pty.path], stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  await machine.start();
  assertEquals(await within("the end", machine.stopped), { kind: "guest" });
  assertEquals((await within("the reader's end", reader.status, 5)).code, 1); // cat's: input/output error
});

Deno.test("library: a making that was ended before it began makes nothing", async () => {
  const signal = AbortSignal.abort(new Error("not wanted any more"));
  await assertRejects(
    () => VirtualMachine.create({ boot: boot("") }, { signal }),
    Error,
    "not wanted any more",
  );
});

Deno.test("library: a console on a socket takes a client, and the socket goes with the machine", async () => {
  using folder = new Folder();
  const path = folder.file("socket");
  await using machine = await VirtualMachine.create({
    boot: boot("exec </dev/hvc0 >/dev/hvc0; stty -echo; echo ready; read line; echo got $line"),
    memory: 256 * 1024 * 1024,
    serial: [{ kind: "unix", path }],
  });
  using client = await Deno.connect({ transport: "unix", path });
  await machine.start();
  assertEquals(await dialogue(client, client), "ready\r\ngot a line\r\n");
  assertEquals(await within("the end", machine.stopped), { kind: "guest" });
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
});

/** Reads a console until the guest has answered to the line that it gets when it is ready. */
async function dialogue(
  from: { read(into: Uint8Array): Promise<number | null> },
  to: { write(bytes: Uint8Array): Promise<number> },
): Promise<string> {
  const [buffer, decoder] = [new Uint8Array(4096), new TextDecoder()];
  let text = "";
  while (!text.includes("got a line\r\n")) {
    const length = await within("the guest's word", from.read(buffer));
    if (length === null) break;
    if (!text) await to.write(new TextEncoder().encode("a line\n"));
    text += decoder.decode(buffer.subarray(0, length));
  }
  return text;
}

Deno.test("library: a machine boots by EFI without a file of variables, which nobody finds afterwards", async () => {
  using folder = new Folder();
  const file = await liveCD(folder, `console=hvc0 quiet ${SOONER} run="echo booted"`);
  const transient = () =>
    [...Deno.readDirSync("/tmp")].filter(({ name }) => name.startsWith(`vzrun-efi-${Deno.pid}-`)).length;
  await using machine = await VirtualMachine.create({
    boot: { kind: "efi" },
    memory: 256 * 1024 * 1024,
    disks: [{ file, readOnly: true }],
  });
  assertEquals(transient(), 1);
  await machine.start();
  assertEquals(await within("the guest's end", new Response(machine.console.readable).text()), "booted\r\n");
  assertEquals(await machine.stopped, { kind: "guest" });
  assertEquals(transient(), 0);
});

Deno.test("library: what cannot be given back at the end is said, and the end is what it was", async () => {
  using folder = new Folder();
  const said: string[] = [];
  const gone = folder.file("gone");
  const machine = await VirtualMachine.create({ boot: boot("") }, {
    info: (message) => said.push(message),
    files: [
      { what: "a file", path: gone, open: () => ({ [Symbol.dispose]: () => Deno.removeSync(gone) }) },
      {
        what: "another",
        path: folder.file("other"),
        open: () => ({
          [Symbol.dispose]() {
            throw new Error("it is stuck");
          },
        }),
      },
    ],
  });
  await machine[Symbol.asyncDispose]();
  assertEquals(await within("the end", machine.stopped, 5), { kind: "stop" });
  assertEquals(said, ["something is left behind: it is stuck"]);
});

Deno.test("library: README's examples have the types that the library has", async () => {
  const readme = Deno.readTextFileSync(`${ROOT}/README.md`);
  const examples = [...readme.matchAll(/```ts\n(import \{ VirtualMachine \}.*?)```/gs)];
  assertEquals(examples.length, 3);
  for (const [, example] of examples) {
    const file = `${ROOT}/build/readme_example_${Deno.pid}.ts`;
    Deno.writeTextFileSync(file, example.replace('"./mod.ts"', '"vzrun"'));
    try {
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["check", "-q", "--config", `${ROOT}/deno.json`, file],
        env: { NO_COLOR: "1" },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
    } finally {
      Deno.removeSync(file);
    }
  }
});

Deno.test("library: a worker, which could be terminated while its machine runs, gets none, and is told why", async () => {
  using folder = new Folder();
  const file = folder.file("worker.ts");
  Deno.writeTextFileSync(
    file,
    `// @ts-nocheck
    import { VirtualMachine } from ${JSON.stringify(`file://${ROOT}/mod.ts`)};
    const description = ${JSON.stringify({ boot: boot("sleep 1000") })};
    const made = VirtualMachine.create(description).then((machine) => machine.start());
    made.then(() => self.postMessage("runs"), ({ name, message }) => self.postMessage(name + ": " + message));`,
  );
  const worker = new Worker(new URL(`file://${file}`), { type: "module" });
  const said = Promise.withResolvers<string>();
  worker.onmessage = ({ data }) => said.resolve(data);
  worker.onerror = (event) => {
    event.preventDefault();
    said.reject(new Error(event.message));
  };
  const what = await within("the worker's word", said.promise);
  worker.terminate(); // of a worker whose machine runs, this ended the program by a segmentation fault
  assertMatch(what, /^MachineError: a worker that is terminated .* \(make the machine on the main thread/);
});
