/** Probes of the guest's consoles: what the framework does with the descriptors that it is handed. */

import { inTime } from "../../src/host/in_time.ts";
import {
  VZFileHandleSerialPortAttachment,
  VZVirtioConsoleDeviceSerialPortConfiguration,
} from "../../src/vz/mod.ts";
import {
  close,
  isCooked,
  makeRaw,
  O_RDWR,
  open,
  openPty,
  Reader,
  settings,
  writeText,
} from "./descriptors.ts";
import { processorTimes } from "./processes.ts";
import { FILE_WORDS, HVC, LAST_WORDS } from "./guest.ts";
import type { Ended, Lab } from "./lab.ts";
import { commandLine, configuration, INITRD, KERNEL, refusal, wordsOf } from "./machine.ts";
import { type Finding, found, pause, type Probe, unclear, until } from "./probe.ts";

/** How long is watched whether a guest stands still, or a process spins: in seconds. */
const WATCH = 4;

/** Words that boot the guest in vzrun. */
function boot(lab: Lab, run: string, ...args: string[]): string[] {
  const machine = ["-kernel", KERNEL, "-initrd", INITRD, "-m", "512", "-smp", "1", "-nographic"];
  return lab.vzrun(...machine, "-append", commandLine(run), ...args);
}

function seenOf({ code, signal, out, err, late }: Ended): string {
  const words = [out, err].map((text) => text.replaceAll("\r", "").trim().replaceAll("\n", " / "));
  const end = late ? "did not end" : signal ?? `exit code ${code}`;
  return `${end}; stdout “${words[0].slice(-200)}”${words[1] ? `; stderr “${words[1].slice(-300)}”` : ""}`;
}

/** Whether a guest goes on after it has read from a console whose input has come to its end before it booted. */
async function readsLine(lab: Lab, hvc: number): Promise<Finding> {
  const guest = await lab.guest();
  const { out } = await guest.tell(`read -r -t 1 line </dev/hvc${hvc}; echo [$line]`);
  return found(/^\[.*\]$/.test(out), `the guest got ${out}`);
}

/** In the order in which they are run. */
export const CONSOLES: readonly Probe[] = [
  {
    name: "null-handles",
    question: "Is a serial port without any handle a console that swallows what the guest writes?",
    expected: "a write of 100,000 bytes comes to its end",
    async run(lab) {
      const guest = await lab.guest();
      const { status, out } = await guest.tell(`head -c 100000 /dev/zero >/dev/hvc${HVC.null}`);
      return found(status === 0, `status ${status} ${out}`.trim());
    },
  },
  {
    name: "file-console",
    question: "Does a console that is a file get what the guest writes?",
    expected: "the file has it when the guest has gone on",
    async run(lab) {
      const guest = await lab.guest();
      await guest.tell(`echo written >/dev/hvc${HVC.file}`);
      const said = () => Deno.readTextFileSync(guest.host.said);
      return found(await until(() => said().includes("written"), 5), JSON.stringify(said()));
    },
  },
  {
    name: "stdin-file",
    question: "Does a guest go on whose console's input is a regular file, of which the end comes at once?",
    expected: `it does; of “${FILE_WORDS}” it gets what its driver was there for`,
    run: (lab) => readsLine(lab, HVC.readsFile),
  },
  {
    name: "stdin-null",
    question: "Does a guest go on whose console's input is /dev/null?",
    expected: "it does, and gets nothing",
    run: (lab) => readsLine(lab, HVC.readsNull),
  },
  {
    name: "stdin-ended",
    question: "Does a guest go on whose console's input is a pipe that nobody writes any more?",
    expected: `it does; of “${LAST_WORDS}” it gets what its driver was there for`,
    run: (lab) => readsLine(lab, HVC.readsEnd),
  },
  {
    name: "no-spin",
    question: "Does the framework stop reading at those three ends, and not spin?",
    expected: `no process of the machine, and not this one, has a quarter of a processor for ${WATCH} s`,
    async run(lab) {
      const { processes } = await lab.guest();
      const before = await processorTimes(lab);
      await pause(WATCH * 1000);
      const after = await processorTimes(lab);
      if (processes.length === 0) return unclear("no process was found that runs the machine");
      const times = [...processes, Deno.pid].map((pid) => (after.get(pid) ?? 0) - (before.get(pid) ?? 0));
      const used = Math.max(...times);
      return found(used <= WATCH / 4, `${used.toFixed(2)} s in ${WATCH} s`);
    },
  },
  {
    name: "flags",
    question: "Does the framework leave O_NONBLOCK alone on what it is handed? (row 3)",
    expected: "blocking as before: src/ bears the other answer too",
    async run(lab) {
      const { host, flagsBefore } = await lab.guest();
      return found(host.flags === flagsBefore, `before: ${flagsBefore}; after: ${host.flags}`);
    },
  },
  {
    name: "pty-unread",
    question:
      "Does a guest wait for a raw pty that is open and that nobody reads, and is then nothing lost? (row 1)",
    expected: `it stands still for ${WATCH} s, and all of 200,000 bytes come when they are read`,
    async run(lab) {
      const guest = await lab.guest();
      const { device } = guest.host.pty;
      const fill =
        `(head -c 200000 /dev/zero | tr '\\0' x >/dev/hvc${HVC.pty}; echo filled >/dev/hvc${HVC.file})`;
      await guest.tell(`stty -F /dev/hvc${HVC.pty} raw -echo; ${fill} >/dev/null 2>&1 &`);
      const filled = () => Deno.readTextFileSync(guest.host.said).includes("filled");
      await until(filled, WATCH);
      const waited = !filled();
      const reader = new Reader(device);
      await until(() => filled() && reader.text.length >= 200_000, 20);
      const { length } = reader.text.replace(/[^x]/g, "");
      return found(
        waited && length === 200_000,
        `${waited ? "stood still" : "went on"}; ${length} bytes were read`,
      );
    },
  },
  {
    name: "pty-reopened",
    question: "Has a raw pty its default settings again when its device is closed and opened anew? (row 2)",
    expected: "on a Mac; Linux keeps them",
    run() {
      const { master, device, path } = openPty();
      makeRaw(device);
      close(device);
      const again = open(path, O_RDWR);
      const raw = !isCooked(again);
      close(again, master);
      return found(raw === (Deno.build.os !== "darwin"), raw ? "still raw" : "cooked");
    },
  },
  {
    name: "eleven-ports",
    question: "Are ten serial ports valid, and is the eleventh refused, and in these words? (row 4)",
    expected: "“Number of Virtio console serial port devices is greater than the maximum number supported”",
    run() {
      const made = configuration();
      const ports = Array.from({ length: 11 }, () => {
        const attachment = VZFileHandleSerialPortAttachment.create(null, null);
        return VZVirtioConsoleDeviceSerialPortConfiguration.create(attachment);
      });
      made.serialPorts = ports.slice(1);
      const ten = refusal(made);
      made.serialPorts = ports;
      const eleven = refusal(made);
      const words =
        "Number of Virtio console serial port devices is greater than the maximum number supported";
      const seen = `ten: ${ten ? wordsOf(ten) : "valid"}; eleven: ${eleven ? wordsOf(eleven) : "valid"}`;
      return found(!ten && eleven?.code === 2 && wordsOf(eleven).includes(words), seen);
    },
  },
  {
    name: "vzrun-null",
    question: "Does vzrun with stdin from /dev/null run its guest to its end?",
    expected: "what the guest writes, and exit code 0",
    async run(lab) {
      const ended = await lab.run('exec "$@"', boot(lab, "echo hello"));
      return found(ended.code === 0 && ended.out.includes("hello"), seenOf(ended));
    },
  },
  {
    name: "vzrun-file",
    question: "Does vzrun with stdin from a file run its guest to its end?",
    expected: "what the guest writes, and exit code 0",
    async run(lab) {
      Deno.writeTextFileSync(lab.file("stdin"), "typed\n");
      const script = 'file=$1; shift; exec "$@" <"$file"';
      const ended = await lab.run(script, [lab.file("stdin"), ...boot(lab, "echo hello")]);
      return found(ended.code === 0 && ended.out.includes("hello"), seenOf(ended));
    },
  },
  {
    name: "vzrun-terminal",
    question:
      "Is a terminal raw while vzrun runs, do keys arrive, does SIGTERM press the power button, and is all as before then?",
    expected:
      "raw, keys arrive, the guest powers off, exit code 143, settings and flags of the terminal as before",
    async run(lab) {
      const { master, device, path } = openPty();
      const screen = new Reader(master);
      const before = settings(device);
      // What is on stdin and stdout shares one description with the program that looks at it afterwards.
      const script = `terminal=$1; flags=$2; shift 2
        exec 3<>"$terminal" 4>&2
        eval "$flags" <&3 >&3 2>&4
        "$@" <&3 >&3 2>&4 & child=$!
        trap 'kill -TERM $child' TERM
        wait $child; code=$?
        [ $code -le 128 ] || ! kill -0 $child 2>/dev/null || { wait $child; code=$?; }
        eval "$flags" <&3 >&3 2>&4
        exit $code`;
      const flags = lab.program("flags.ts").map((word) => `'${word}'`).join(" ");
      const child = lab.spawn(script, [
        path,
        flags,
        ...boot(lab, "echo ready; read -r a; echo got $a; read -r b"),
      ]);
      const end = lab.end(child);
      const up = await until(() => screen.text.includes("ready"), 60);
      const raw = !isCooked(device);
      writeText(master, "keys\n");
      const arrived = await until(() => screen.text.includes("got keys"), 10);
      const start = performance.now();
      child.kill("SIGTERM");
      const { code, err } = await end;
      const seconds = (performance.now() - start) / 1000;
      const restored = settings(device) === before;
      const seenFlags = err.split("\n").filter((line) => line.startsWith("stdin "));
      const flagsKept = seenFlags.length === 2 && seenFlags[0] === seenFlags[1];
      const asked = err.includes("asked the guest to power off");
      const seen =
        `${up ? "up" : "not up"}, ${raw ? "raw" : "not raw"}, ${arrived ? "keys arrived" : "no keys"}, ` +
        `exit code ${code} ${seconds.toFixed(1)} s after SIGTERM${asked ? "" : " without asking"}, settings ${
          restored ? "as before" : "changed"
        }; ` +
        `flags ${seenFlags.join(", then ")}`;
      writeText(device, "\n"); // ends the read that is under way, as a close does not
      close(device);
      await inTime(screen.ended, 1000);
      close(master);
      return found(
        up && raw && arrived && restored && flagsKept && asked && code === 143 && seconds < 9,
        seen,
      );
    },
  },
];
