/** Probes of the sockets between the host and the guest that need no network. */

import { VsockError } from "../../src/machine/vsock.ts";
import { NSError } from "../../src/objc/mod.ts";
import type { VZVirtualMachineConfiguration } from "../../src/vz/mod.ts";
import { classNamed, configuration } from "./machine.ts";
import { words } from "./networks.ts";
import { found, type Probe, unclear } from "./probe.ts";

/** Where nobody listens. */
const NOBODY = 4_000_000;

function withSockets(count: number): VZVirtualMachineConfiguration {
  const made = configuration();
  const devices = Array.from(
    { length: count },
    () => classNamed("VZVirtioSocketDeviceConfiguration").create(),
  );
  made.send("setSocketDevices:", devices as never);
  return made;
}

/** In the order in which they are run. */
export const VSOCK: readonly Probe[] = [
  {
    name: "vsock-device",
    question: "Is a machine valid with one socket device, and with two?",
    expected: "with one it is, and with two it is not",
    run() {
      const [one, two] = [words(withSockets(1)), words(withSockets(2))];
      return found(one === "valid" && two !== "valid", `one: ${one}; two: ${two}`);
    },
  },
  {
    name: "vsock-refused",
    question: "What does a connection fail with when nobody in the guest listens, and is that a refusal?",
    expected: "a reset by POSIX's domain, at once; VsockError's code is refused",
    async run(lab) {
      const guest = await lab.networkGuest();
      await guest.tell("modprobe -q vmw_vsock_virtio_transport");
      const { status } = await guest.tell(
        "ls -d /sys/bus/virtio/drivers/vmw_vsock_virtio_transport/virtio* >/dev/null 2>&1",
      );
      if (status !== 0) return unclear("the guest's kernel has no vsock");
      try {
        const connection = await guest.vsock.connect(NOBODY, { signal: AbortSignal.timeout(10_000) });
        connection.close();
        return found(false, "a connection");
      } catch (error) {
        if (!(error instanceof VsockError)) throw error;
        const { code, cause } = error;
        const seen = cause instanceof NSError
          ? `${cause.domain} ${cause.code}, ${cause.message}`
          : error.message;
        return found(code === "refused", `${code}: ${seen}`);
      }
    },
  },
];
