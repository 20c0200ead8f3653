/** Probes of the system, of signing, and of starting a machine. */

import { openFramework } from "../../src/objc/mod.ts";
import { hasLibrary } from "../../src/host/libraries.ts";
import { hasEntitlement } from "../../src/host/process.ts";
import { machineArchitecture, macOSVersion } from "../../src/host/system.ts";
import { VZGenericMachineIdentifier, VZLinuxBootLoader } from "../../src/vz/mod.ts";
import {
  classNamed,
  commandLine,
  configuration,
  configurationOf,
  INITRD,
  KERNEL,
  Machine,
  refusal,
  wordsOf,
} from "./machine.ts";
import { found, type Probe } from "./probe.ts";

const ENTITLEMENT = "com.apple.security.virtualization";

/** In the order in which they are run. */
export const STARTING: readonly Probe[] = [
  {
    name: "macos-version",
    question: "Is kern.osproductversion the system's version?",
    expected: "what sw_vers says, where it is",
    async run(lab) {
      const version = macOSVersion();
      const { code, out } = await lab.run("exec /usr/bin/sw_vers -productVersion", []);
      const said = code === 0 ? out.trim() : undefined;
      const seen = `${version}; sw_vers: ${said ?? "none"}`;
      return found(/^\d+\.\d+/.test(version) && (said === undefined || said === version), seen);
    },
  },
  {
    name: "processor",
    question: "Is hw.machine the processor of this computer's guests?",
    expected: "arm64 on Apple silicon, x86_64 on Intel",
    run() {
      const machine = machineArchitecture();
      return found(machine === (Deno.build.arch === "aarch64" ? "arm64" : "x86_64"), machine);
    },
  },
  {
    name: "identifier-bytes",
    question: "Are the bytes of a machine's identity those of a UUID, and are any 16 bytes one? (-uuid)",
    expected: "16 bytes; those of a UUID are taken, and come back",
    run() {
      const own = VZGenericMachineIdentifier.create().data;
      const uuid = Uint8Array.fromHex("6ba7b8109dad11d180b400c04fd430c8");
      const taken = VZGenericMachineIdentifier.from(uuid)?.data;
      const same = taken?.toHex() === uuid.toHex();
      return found(
        own.length === 16 && same,
        `${own.length} bytes; a UUID's are ${taken ? "taken" : "refused"}`,
      );
    },
  },
  {
    name: "libraries",
    question: "Can the system's libraries be opened, which on a Mac are in the dyld cache only?",
    expected: "all of them",
    run() {
      const all = ["Foundation", "Security", "CoreGraphics", "Virtualization", "vmnet"].filter(hasLibrary);
      for (const library of all) openFramework(library);
      return found(true, all.join(", "));
    },
  },
  {
    name: "entitlement",
    question:
      "Does Security tell whether this process has the entitlement for machines, and validation the same?",
    expected: `${ENTITLEMENT} is there, and a configuration validates`,
    run() {
      const told = hasLibrary("Security") ? hasEntitlement(ENTITLEMENT) : undefined;
      const error = refusal(configuration());
      const seen = `Security: ${told ?? "not on this system"}; validation: ${
        error ? wordsOf(error) : "valid"
      }`;
      return found(told !== false && !error, `${Deno.execPath().split("/").at(-1)}; ${seen}`);
    },
  },
  {
    name: "quarantine",
    question: "Is the program that runs free of a browser's quarantine? (row 29)",
    expected: "no attribute com.apple.quarantine",
    async run(lab) {
      const { code, out } = await lab.run('exec /usr/bin/xattr -p com.apple.quarantine "$1"', [
        Deno.execPath(),
      ]);
      return found(code !== 0, code === 0 ? out.trim() : "none");
    },
  },
  {
    name: "hardware",
    question: "Does the framework support this hardware? (row 24)",
    expected: "isSupported is YES",
    run() {
      const supported = Boolean(classNamed("VZVirtualMachine").send("isSupported"));
      return found(supported, supported ? "YES" : "NO");
    },
  },
  {
    name: "missing-kernel",
    question:
      "Is a kernel that is gone at the start told by causes several deep, and the state then error? (rows 9, 11)",
    expected: "VZErrorDomain 2, the innermost cause ENOENT; state error; no call of the delegate",
    async run(lab) {
      await using machine = await Machine.create(
        configurationOf(VZLinuxBootLoader.create(lab.file("no-kernel"))),
      );
      const error = await machine.start();
      const [state, words] = [await machine.state(), wordsOf(error)];
      const holds = error?.code === 2 && words.includes("NSPOSIXErrorDomain 2 ") && state === "error" &&
        machine.told.length === 0;
      return found(holds, `${words}; state ${state}; delegate: ${machine.told.join(", ") || "nothing"}`);
    },
  },
  {
    name: "boot",
    question: "Does the guest boot, its kernel under a shared flock, and take commands at its console?",
    expected: "it does, and start's completion handler gets no error",
    async run(lab) {
      const guest = await lab.guest();
      const { out } = await guest.tell("uname -srm");
      return found(out.startsWith("Linux"), `${out}, in ${guest.bootTime.toFixed(1)} s`);
    },
  },
  {
    name: "daemonize",
    question: "Does vzrun -daemonize give the prompt back, and its machine run on in a session of its own?",
    expected: "exit code 0, no terminal, the guest's word; SIGTERM ends it, and its pid file is gone",
    async run(lab) {
      const [pidFile, console] = [lab.file("daemon.pid"), lab.file("daemon.console")];
      // Where the probe is ended before it has seen all, the guest ends by itself.
      const machine = ["-kernel", KERNEL, "-initrd", INITRD, "-append", commandLine("echo up; sleep 30")];
      const own = ["-m", "512", "-smp", "1", "-serial", `file:${console}`, "-pidfile", pidFile, "-daemonize"];
      const { code, out, err, late } = await lab.run(DAEMON, [
        pidFile,
        console,
        ...lab.vzrun(...machine, ...own),
      ]);
      const words = err.trim().replaceAll("\n", " / ").slice(0, 300);
      const seen = `${late ? "it hangs" : `exit code ${code}`}; ${out.trim()}${
        words && `; stderr “${words}”`
      }`;
      return found(code === 0 && /^terminal \?+, up, ended$/.test(out.trim()), seen);
    },
  },
  {
    name: "vfkit",
    question: "Do others see vzrun in vfkit's place as vfkit, and does its REST answer at a socket?",
    expected: "vfkit, as ps and the kernel have it; Running; SIGTERM ends it with exit code 0",
    async run(lab) {
      const [console, rest] = [lab.file("vfkit.console"), lab.file("vfkit.sock")];
      const boot = `linux,kernel=${KERNEL},initrd=${INITRD},cmdline=${commandLine("echo up; sleep 30")}`;
      const machine = ["-b", boot, "-m", "512", "-d", `virtio-serial,logFilePath=${console}`];
      const own = lab.vzrun("vfkit", ...machine, "--restful-uri", `unix://${rest}`);
      const { code, out, err, late } = await lab.run(VFKIT, [console, rest, ...own]);
      const words = err.trim().replaceAll("\n", " / ").slice(0, 300);
      const seen = `${late ? "it hangs" : `exit code ${code}`}; ${out.trim()}${
        words && `; stderr “${words}”`
      }`;
      return found(code === 0 && /^seen as vfkit, \S*Running$/.test(out.trim()), seen);
    },
  },
];

/**
 * Starts vzrun in vfkit's place, and looks after it: $1 is its console, $2 the socket of REST. ps -o ucomm is the kernel's
 * name of a process, by which minikube knows it.
 */
const VFKIT = `
  console=$1 rest=$2
  shift 2
  "$@" &
  pid=$!
  until grep -q up "$console" 2>/dev/null; do kill -0 "$pid" || exit; sleep 0.1; done
  printf 'seen as %s, ' "$(ps -o ucomm= -p "$pid" | tr -d ' ')"
  curl -s --unix-socket "$rest" http://_/vm/state | sed 's/.*"state":"\\([A-Za-z]*\\)".*/\\1/'
  kill "$pid"
  wait "$pid"`;

/** Starts a daemon, and looks after it: $1 is its pid file, $2 its console. */
const DAEMON = `
  pidfile=$1 console=$2
  shift 2
  said=$("$@") || exit
  read -r pid <"$pidfile" || exit
  printf 'terminal %s' "$(ps -o tty= -p "$pid" | tr -d ' ')"
  until grep -q up "$console"; do sleep 0.1; done
  printf ', up'
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  test ! -e "$pidfile" && printf ', ended'`;
