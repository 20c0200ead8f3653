/** Probes of AppKit. */

import { hasWindowServer } from "../../src/host/system.ts";
import { commandLine, INITRD, KERNEL } from "./machine.ts";
import { found, type Probe, unclear } from "./probe.ts";

const NO_SCREEN = "there is no screen: run it from the desktop";

let screen: boolean | undefined;

/** Asked once: an X server whose last client has gone takes no other for a moment. */
function hasScreen(): boolean {
  return screen ??= hasWindowServer();
}

/** In the order in which they are run. */
export const WINDOW: readonly Probe[] = [
  {
    name: "window-server",
    question: "Does CGSessionCopyCurrentDictionary tell whether there is a screen?",
    expected: "it gives a dictionary when this is run from the desktop, and none by ssh",
    run: () => hasScreen() ? found(true, "a dictionary") : unclear("none"),
  },
  {
    name: "launch-order",
    question:
      "Does an application that sets its policy before it has launched, and activates after, become active? (row 25)",
    expected: "it is told that it will launch, then that it has, and is active at the end",
    async run(lab) {
      if (!hasScreen()) return unclear(NO_SCREEN);
      const { code, out, err, late } = await lab.run('exec "$@"', lab.program("launch.ts", "a-word"), {
        limit: 20,
      });
      if (late || code !== 0) {
        return found(false, `${late ? "it hangs" : `exit code ${code}`}; ${err.slice(0, 300)}`);
      }
      const launched = /will finish launching.*did finish launching/.test(out);
      const holds = launched && out.includes("became active") && out.trim().endsWith("active at the end");
      return found(holds, out.trim());
    },
  },
  {
    name: "window-boot",
    question:
      "Does vzrun show a machine's window, AppKit on the main thread and the program in a worker, and end with its guest?",
    expected: "exit code 0",
    async run(lab) {
      if (!hasScreen()) return unclear(NO_SCREEN);
      const machine = [
        "-kernel",
        KERNEL,
        "-initrd",
        INITRD,
        "-m",
        "512",
        "-smp",
        "1",
        "-append",
        commandLine("echo hello"),
      ];
      const args = lab.vzrun(...machine, "-display", "window", "-serial", "stdio");
      const { code, out, err, late } = await lab.run('exec "$@"', args, { limit: 90 });
      const words = err.trim().replaceAll("\n", " / ").slice(0, 300);
      const seen = `${late ? "it hangs" : `exit code ${code}`}${words && `; stderr “${words}”`}`;
      return found(code === 0 && !late && out.includes("hello"), seen);
    },
  },
];

/** What only eyes can tell, with a machine in a window: `./dev run -cd IMAGE -display window`. */
export const BY_HAND: readonly string[] = [
  "That the program's own menu is called vzrun, and the menus' items follow the machine's state.",
  "Close, Quit, Quit from the Dock and logging out: all ask the guest.",
  "Full screen; the guest's screen as the window grows, on a Retina screen and on macOS 13; `capturesSystemKeys`.",
  "A guest that stops while a menu is open: the program ends a second later.",
  "`window-server` by ssh, with somebody logged in at the desktop and without anybody.",
  "EFI from a CD on USB and from a virtio disk; firmware that finds nothing to boot (row 12).",
  "A network that breaks, by a VPN or by sleep: the machine runs on, and its card works again (row 15).",
  "That macOS 15 asks whether the program may use the local network, and a forwarded port leads into the guest then.",
  "`./dev run -daemonize …` the first time, when a copy of Deno is signed: the prompt is back, and the machine runs on " +
  "when Terminal is closed, and perhaps when its user logs out.",
  "podman machine, minikube and crc with vzrun in vfkit's place, as README has it: to the end of a `start`, and a `stop`; " +
  "a link to the executable by vfkit's name, as `ps -o comm,ucomm` shows it.",
  "`-timesync` with qemu's agent in the guest: after a minute of sleep the guest's clock is right.",
  "`--device rosetta,…,install` on a Mac without Rosetta: it asks, and then the guest has it.",
  "`deno task sign` with a Developer ID, and what macOS says to the result; CI signs ad hoc.",
];
