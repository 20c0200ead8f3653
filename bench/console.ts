/** Measures what a guest writes to its consoles: on standard output, on a pty, and on a socket. */

import { pause } from "../tests/e2e/vzrun.ts";
import { type Bench, commandLine, machine, nativeMachine, now, vzrun } from "./bench.ts";
import { column, inTurn, type Row } from "./figures.ts";
import { Running } from "./running.ts";

const SIZE = 20_000_000;
/** On a pty and on a socket, which are slower. */
const LESS = 5_000_000;

/** Shell commands of a guest that writes zeros to a console, without its terminal's doing, and ends. */
const WRITE = `stty raw -F /dev/hvc0; head -c ${SIZE} /dev/zero`;

/** The same to two more consoles, each when somebody types there; then it tells that it is done. */
const WRITE_LATER = "echo ready; " +
  ["hvc1", "hvc2"].map((name) =>
    `stty raw -echo -F /dev/${name}; head -c 1 /dev/${name} >/dev/null; ` +
    `head -c ${LESS} /dev/zero >/dev/${name}; echo end of ${name}; `
  ).join("");

/** Megabytes a second, and seconds of CPU time a gigabyte, QEMU's too. */
type Figures = [speed: number, cpu: number];

/**
 * Measures what comes of a stream from its first byte on, until all has come, or `ended` settles: a pty drops what nobody
 * is there to read in time.
 */
async function measure(
  stream: ReadableStream<Uint8Array>,
  running: Running,
  ended?: Promise<void>,
): Promise<Figures> {
  let [bytes, from, before] = [0, 0, 0];
  const reader = stream.getReader();
  ended?.then(() => reader.cancel(), () => reader.cancel());
  for (;;) {
    const { value } = await reader.read();
    if (!value) break;
    if (bytes === 0) [from, before] = [now(), running.cpu()];
    bytes += value.length;
    if (bytes >= SIZE) break;
  }
  if (bytes === 0) throw new Error("nothing has come of a console");
  const figures: Figures = [bytes / 1e3 / (now() - from), (running.cpu() - before) / (bytes / 1e9)];
  await reader.cancel();
  return figures;
}

async function standardOutput(command: string[]): Promise<Figures> {
  await using running = new Running(command);
  return await measure(running.stdout, running);
}

interface Writer {
  write(bytes: Uint8Array): Promise<number>;
}

/** Types at a console until its guest, which may not have opened it yet, answers. */
async function type(console: Writer, answer: () => boolean): Promise<void> {
  while (!answer()) {
    await console.write(new TextEncoder().encode("\n"));
    await pause(100);
  }
}

/** The figures of a pty and of a socket, of one guest. */
async function elsewhere(socket: string): Promise<[pty: Figures, unix: Figures]> {
  const serial = ["-serial", "stdio", "-serial", "pty", "-serial", `unix:${socket}`];
  await using running = new Running([...vzrun(...machine(commandLine(WRITE_LATER))), ...serial]);
  await Promise.all([running.err.until(/hvc1 .*\n/), running.out.until("ready")]);
  const path = /\/dev\/\S+/.exec(running.err.text)![0];
  const measured = async (from: ReadableStream<Uint8Array>, to: Writer, name: string) => {
    let answered = false;
    const first = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        answered ||= chunk[0] === 0; // else it is an echo
        controller.enqueue(chunk);
      },
    });
    const end = running.out.until(`end of ${name}`);
    const typed = type(to, () => answered);
    try {
      return await measure(from.pipeThrough(first), running, end);
    } finally {
      answered = true;
      await typed;
    }
  };
  // Twice, since a read that waits keeps a file from being written to.
  using device = await Deno.open(path);
  using keyboard = await Deno.open(path, { write: true });
  using unix = await Deno.connect({ transport: "unix", path: socket });
  return [
    await measured(device.readable, keyboard, "hvc1"),
    await measured(unix.readable, unix, "hvc2"),
  ];
}

export async function* measureConsole({ rounds, kept, scratch }: Bench): AsyncGenerator<Row> {
  const append = commandLine(WRITE);
  const results = await inTurn(Math.min(rounds, 2), {
    vzrun: () => standardOutput(vzrun(...machine(append))),
    native: () => standardOutput(nativeMachine(kept, append)),
    elsewhere: () => elsewhere(`${scratch}/console`),
  });
  const { vzrun: ours, native: theirs, elsewhere: others } = results;
  const places = {
    [`standard output, ${SIZE / 1e6} MB`]: ours,
    [`-serial pty, ${LESS / 1e6} MB`]: others.map(([pty]) => pty),
    [`-serial unix:, ${LESS / 1e6} MB`]: others.map(([, unix]) => unix),
  };
  for (const [name, figures] of Object.entries(places)) {
    const columns = { vzrun: figures, native: theirs };
    yield { what: `console on ${name}`, unit: "MB/s", ...column(columns, 0) };
    yield { what: "CPU time of that, QEMU's too", unit: "s/GB", ...column(columns, 1) };
  }
}
