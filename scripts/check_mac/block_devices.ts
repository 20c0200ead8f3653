/** Probes of disks that servers have, and of guests of guests. */

import { NSError } from "../../src/objc/mod.ts";
import {
  VZGenericMachineIdentifier,
  VZGenericPlatformConfiguration,
  VZNetworkBlockDeviceStorageDeviceAttachment,
  VZVirtioBlockDeviceConfiguration,
} from "../../src/vz/mod.ts";
import { configuration, Machine, refusal, wordsOf } from "./machine.ts";
import { found, type Probe } from "./probe.ts";

const OPTIONS = { readOnly: false, synchronizationMode: "full" } as const;

/** The error that something fails with; nothing when it does not. */
function errorOf(body: () => unknown): NSError | undefined {
  try {
    body();
  } catch (error) {
    if (error instanceof NSError) return error;
    throw error;
  }
}

const serverDisk = (url: string) => VZNetworkBlockDeviceStorageDeviceAttachment.create(url, 15, OPTIONS);

/** In the order in which they are run. */
export const BLOCK_DEVICES: readonly Probe[] = [
  {
    name: "nbd-urls",
    question: "Which URLs of NBD servers are taken, before any server is asked?",
    expected:
      "nbd: with a host, and a port or none, and nbd+unix: with a socket; not nbd+unix: without, nor http:",
    run() {
      const good = ["nbd://127.0.0.1/disk", "nbd://127.0.0.1:10809/", "nbd+unix:///disk?socket=/tmp/s"];
      const bad = ["nbd+unix:///disk", "http://127.0.0.1/disk"];
      const errors = [...good, ...bad].map((url) => ({ url, error: errorOf(() => serverDisk(url)) }));
      const seen = errors.map(({ url, error }) => `${url}: ${error ? wordsOf(error) : "taken"}`).join("; ");
      return found(errors.every(({ url, error }) => (error === undefined) === good.includes(url)), seen);
    },
  },
  {
    name: "nbd-tls",
    question: "Is nbds: refused, so that a user hears that there is no TLS?",
    expected: "it is refused",
    run() {
      const error = errorOf(() => serverDisk("nbds://127.0.0.1/disk"));
      return found(error !== undefined, error ? wordsOf(error) : "it is taken");
    },
  },
  {
    name: "nbd-absent",
    question: "What does a start do whose disk's server is not there?",
    expected: "it fails with VZErrorDomain 20001",
    async run(lab) {
      const made = configuration();
      const attachment = serverDisk(`nbd+unix:///disk?socket=${lab.file("no-server")}`);
      made.storageDevices = [VZVirtioBlockDeviceConfiguration.create(attachment)];
      const invalid = refusal(made);
      if (invalid) return found(false, `at validation: ${wordsOf(invalid)}`);
      await using machine = await Machine.create(made);
      const start = performance.now();
      const error = await machine.start();
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const seen = `after ${seconds} s: ${error ? wordsOf(error) : "it runs"}`;
      return found(error?.domain === "VZErrorDomain" && error.code === 20001, seen);
    },
  },
  {
    name: "nested",
    question:
      "Does a machine whose guest may have guests validate exactly where that is said to be supported?",
    expected: "it does: supported on an M3 and later",
    run() {
      const supported = VZGenericPlatformConfiguration.nestedVirtualizationIsSupported;
      const made = configuration();
      made.platform = VZGenericPlatformConfiguration.create(VZGenericMachineIdentifier.create(), true);
      const error = refusal(made);
      const seen = `${supported ? "supported" : "not supported"}; ${error ? wordsOf(error) : "valid"}`;
      return found(supported === (error === undefined), seen);
    },
  },
];
