// One conversation with vzrun and with qemu itself: what comes of each command has the same shape.

import { assert, assertEquals } from "@std/assert";
import { QMPConnection } from "./qmp_client.ts";
import session from "./qmp_session.json" with { type: "json" };
import { Folder, GUEST, guest, Output, pause, SOONER, Vzrun } from "./vzrun.ts";

/** One command of the session. */
interface Step {
  send: string;
  shape: unknown;
  /** Of qemu, where it has another one. */
  qemu?: unknown;
  /** Paths in qemu's answer that are its own. */
  without?: string[];
  events?: string[];
  /** The status of a migration that is waited for. */
  migrated?: string;
}

/** A value's members with the types of what is in them; of a list, those of its first. */
function shapeOf(value: unknown, path = ""): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0], path)];
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      // The class of an error is a word that programs compare.
      path === ".error" && name === "class" ? member : shapeOf(member, `${path}.${name}`),
    ]),
  );
}

function remove(value: unknown, path: string): void {
  const names = path.split(".");
  const last = names.pop()!;
  // deno-lint-ignore no-explicit-any
  const holder = names.reduce((inner: any, name) => inner?.[name], value);
  if (holder) delete holder[last];
}

/** Waits for a state that qemu tells nobody of: it says that a migration is completed before it takes commands again. */
async function stateIs(client: QMPConnection, state: string): Promise<void> {
  for (;;) {
    const { return: answer } = await client.tell('{"execute": "query-status"}\n');
    if ((answer as { status: string }).status === state) return;
    await pause(20);
  }
}

/** Has the conversation. @returns The shapes of the answers, and the events that were waited for. */
async function talk(path: string, names: Record<string, string>, isQemu: boolean): Promise<void> {
  using client = await QMPConnection.open(path);
  const greeting = await client.message();
  assertEquals(
    shapeOf({ ...greeting, QMP: { ...greeting.QMP as object, capabilities: [] } }),
    {
      QMP: {
        version: { qemu: { micro: "number", minor: "number", major: "number" }, package: "string" },
        capabilities: [],
      },
    },
  );
  for (const step of session.talk as Step[]) {
    const reply = await client.tell(step.send.replace(/\$(STICK|STATE)/, (_, name) => names[name]));
    if (isQemu) step.without?.forEach((path) => remove(reply, path));
    assertEquals(shapeOf(reply), isQemu ? step.qemu ?? step.shape : step.shape, `of ${step.send}`);
    for (const event of step.events ?? []) {
      const { timestamp } = await client.event(event);
      assertEquals(shapeOf(timestamp), { seconds: "number", microseconds: "number" });
      assert(Math.abs(timestamp!.seconds - Date.now() / 1000) < 60);
    }
    while (step.migrated && (await client.event("MIGRATION")).data?.status !== step.migrated);
    if (step.migrated && isQemu) await stateIs(client, "postmigrate");
  }
  await client.end();
}

Deno.test("qmp: a session has the same shapes with vzrun and with qemu", async () => {
  using folder = new Folder();
  const disk = folder.file("disk");
  const stick = folder.file("stick");
  for (const image of [disk, stick]) Deno.writeFileSync(image, new Uint8Array(2 ** 20));
  const socket = folder.file("qmp");
  const commands = "echo up; read -r forever";
  {
    const machine = [...guest(commands), "-name", "talker", "-hda", disk, "-device", "qemu-xhci"];
    await using run = new Vzrun([...machine, "-qmp", `unix:${socket},server=on,wait=off`]);
    await run.out.until("up");
    await talk(socket, { STICK: stick, STATE: `file:${folder.file("state")}` }, false);
    assertEquals([await run.end(), run.err.text], [0, ""]);
  }
  const arch = Deno.build.arch;
  const process = new Deno.Command(`qemu-system-${arch}`, {
    args: [
      ...["-machine", arch === "aarch64" ? "virt" : "q35", "-accel", "tcg", "-cpu", "max"],
      ...["-m", "256", "-smp", "1", "-name", "talker", "-display", "none", "-nodefaults", "-no-reboot"],
      ...["-kernel", `${GUEST}/vmlinuz`, "-initrd", `${GUEST}/initrd`],
      ...["-append", `console=hvc0 quiet ${SOONER} run="${commands}"`],
      ...[
        "-drive",
        `file=${disk},format=raw,if=virtio`,
        "-device",
        "virtio-balloon-pci",
        "-device",
        "qemu-xhci",
      ],
      ...[
        "-device",
        "virtio-serial-pci",
        "-device",
        "virtconsole,chardev=c",
        "-chardev",
        "stdio,id=c,signal=off",
      ],
      ...["-qmp", `unix:${socket},server=on,wait=off`],
    ],
    stdin: "null",
    stdout: "piped",
  }).spawn();
  try {
    await new Output(process.stdout).until("up");
    await talk(socket, { STICK: stick, STATE: "exec:cat >/dev/null" }, true);
  } finally {
    try {
      process.kill("SIGKILL");
    } catch { /* it has ended */ }
    await process.status;
  }
});
